#include "tests/long/workload.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/oracle/kind_network.h"
#include "tests/oracle/random_network.h"

namespace cssrun::long_runs {

std::shared_ptr<const Network> Workload::Load(EngineKind engine) const {
  auto loaded = Network::FromBytes(bytes(), "net", engine);
  Require(loaded.ok(), "the network loads");
  return std::move(loaded).value();
}

Workload MakeWorkload(uint32_t images, NetworkDraw draw) {
  const bool settled = draw != NetworkDraw::kAnyCode;
  const format::NetworkT description =
      draw == NetworkDraw::kWinograd
          ? oracle::KindNetwork({.kind = oracle::Kind::kWinograd, .settled = true}, 8)
          : oracle::RandomNetwork(7, {.placed_means = !settled, .settled = settled});
  Workload workload{format::SerializeNetwork(description), {}};
  for (uint32_t i = 0; i < images; ++i) {
    workload.images.push_back(oracle::RandomPixels(description, i));
    if (!settled || i == 0) continue;
    const std::vector<uint8_t>& before = workload.images[i - 1];
    std::vector<uint8_t>& frame = workload.images[i];
    const size_t changed = i % 4 == 0 ? 0 : frame.size() / 8;
    std::copy(before.begin() + static_cast<std::ptrdiff_t>(changed), before.end(),
              frame.begin() + static_cast<std::ptrdiff_t>(changed));
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
