// What the long runs share: a random network, images for it, and how they fail.
#ifndef CSSRUN_TESTS_LONG_WORKLOAD_H_
#define CSSRUN_TESTS_LONG_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"

namespace cssrun::long_runs {

struct Workload {
  flatbuffers::DetachedBuffer network;  // a file's bytes
  std::vector<std::vector<uint8_t>> images;

  std::span<const uint8_t> bytes() const { return {network.data(), network.size()}; }
  std::shared_ptr<const Network> Load(EngineKind engine) const;
};

Workload MakeWorkload(uint32_t images);

constexpr EngineKind kEngines[] = {EngineKind::kInteger, EngineKind::kFloat};

// The number on the command line at `place`, or the one of a run in full.
unsigned long Argument(std::span<char* const> arguments, size_t place, unsigned long in_full);

// Ends the program with a message where something does not hold.
void Require(bool holds, const char* what);

}  // namespace cssrun::long_runs

#endif  // CSSRUN_TESTS_LONG_WORKLOAD_H_
