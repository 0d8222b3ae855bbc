// Shared parts of the long runs: a random network, images for it, and a check that ends the
// program.
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
  flatbuffers::DetachedBuffer network;  // the bytes of a file
  std::vector<std::vector<uint8_t>> images;

  std::span<const uint8_t> bytes() const { return {network.data(), network.size()}; }
  std::shared_ptr<const Network> Load(EngineKind engine) const;
};

enum class NetworkDraw : uint8_t {
  kAnyCode,
  kSettled,   // neurons wait for all of their input, as streams need them
  kWinograd,  // the same, with Winograd's products, for which engines have scratch of each thread
};

// Of settled networks the images are frames: each differs from the one before in a few pixels, or
// in none.
Workload MakeWorkload(uint32_t images, NetworkDraw draw);

constexpr EngineKind kEngines[] = {EngineKind::kInteger, EngineKind::kFloat};

// Returns the number on the command line at `place`, or that of a full run.
unsigned long Argument(std::span<char* const> arguments, size_t place, unsigned long in_full);

// Ends the program with a message if `holds` is false.
void Require(bool holds, const char* what);

}  // namespace cssrun::long_runs

#endif  // CSSRUN_TESTS_LONG_WORKLOAD_H_
