#include "tests/long/workload.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/oracle/random_network.h"

namespace cssrun::long_runs {

std::shared_ptr<const Network> Workload::Load(EngineKind engine) const {
  auto loaded = Network::FromBytes(bytes(), "net", engine);
  Require(loaded.ok(), "the network loads");
  return std::move(loaded).value();
}

Workload MakeWorkload(uint32_t images) {
  const format::NetworkT description = oracle::RandomNetwork(7, {.placed_means = true});
  Workload workload{format::SerializeNetwork(description), {}};
  for (uint32_t i = 0; i < images; ++i) {
    workload.images.push_back(oracle::RandomPixels(description, i));
  }
  return workload;
}

unsigned long Argument(std::span<char* const> arguments, size_t place, unsigned long in_full) {
  return place < arguments.size() ? std::strtoul(arguments[place], nullptr, 10) : in_full;
}

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::exit(1);
}

}  // namespace cssrun::long_runs
