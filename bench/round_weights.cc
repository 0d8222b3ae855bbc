// Writes a copy of a network whose weights are rounded to whole multiples of a channel's largest
// weight / LEVELS, as the integer engine rounds them. The float engine's answers with this copy
// show how much of the difference between the engines comes from weights alone.
//
//   round_weights NET.fb OUT.fb LEVELS
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <span>

#include "format/network_file.h"
#include "format/write_atomically.h"

namespace cssrun {
namespace {

void Round(std::span<float> weights, float levels) {
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(weight));
  if (largest == 0) return;
  for (float& weight : weights)
    weight = std::nearbyint(weight / largest * levels) * largest / levels;
}

int Run(int argc, char** argv) {
  const float levels = argc == 4 ? std::strtof(argv[3], nullptr) : 0;
  if (!(levels >= 1)) {
    std::cerr << "round_weights NET.fb OUT.fb LEVELS\n";
    return 2;
  }
  const Result<format::NetworkFile> file = format::NetworkFile::Open(argv[1]);
  if (!file.ok()) {
    std::cerr << "round_weights: " << file.status().message() << "\n";
    return 3;
  }
  format::NetworkT network;
  file.value().network().UnPackTo(&network);
  for (const auto& node : network.nodes) {
    for (const auto& synapses : node->synapses) {
      if (synapses->kind == format::SynapseKind::Identity) continue;
      const size_t channels = node->potential->channels();
      const size_t fan_in = synapses->weights.size() / channels;
      for (size_t c = 0; c < channels; ++c) {
        Round({synapses->weights.data() + c * fan_in, fan_in}, levels);
      }
    }
  }
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  const Status written = format::WriteFileAtomically(argv[2], {bytes.data(), bytes.size()});
  if (written.ok()) return 0;
  std::cerr << "round_weights: " << written.message() << "\n";
  return 4;
}

}  // namespace
}  // namespace cssrun

int main(int argc, char** argv) { return cssrun::Run(argc, argv); }
