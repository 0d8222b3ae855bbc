// A small network to run the tools on.
#ifndef CSSRUN_TESTS_TOOLS_TEST_NETWORK_H_
#define CSSRUN_TESTS_TOOLS_TEST_NETWORK_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

namespace cssrun::tools {

// Gives a chain of 4 x 4 RGB pixels one class for each of `labels`.
inline format::NetworkT WithClasses(format::NetworkT network,
                                    const std::vector<std::string>& labels) {
  const auto classes = static_cast<uint32_t>(labels.size());
  format::NodeT& readout = *network.nodes.back();
  *readout.extent = {classes, 1, 1};
  *readout.potential = {classes, 1, 1};
  readout.bias.assign(classes, 0.0F);
  std::vector<float>& weights = readout.synapses[0]->weights;
  weights.resize(size_t{classes} * 3 * 4 * 4);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>((i * 37 + i / 48 * 11) % 64) / 256.0F - 0.125F;
  }
  network.labels = labels;
  network.macs_per_image = 1'000'000;
  network.origin->model_file = "model.onnx";
  network.origin->converter_version = "0.1.0";
  return network;
}

// 4 x 4 RGB pixels, two layers, one class for each of `labels`.
inline format::NetworkT SmallNetwork(const std::vector<std::string>& labels) {
  return WithClasses(oracle::ChainNetwork(2, 6, 1.5F, 1), labels);
}

// The same with neurons that wait for all of their input, as streams need them.
inline format::NetworkT SettledNetwork(const std::vector<std::string>& labels) {
  return WithClasses(oracle::ChainNetwork(2, 4, 2.0F, 3), labels);
}

inline std::vector<uint8_t> Serialized(const format::NetworkT& network) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  return {bytes.data(), bytes.data() + bytes.size()};
}

inline std::shared_ptr<const Network> Loaded(const format::NetworkT& network) {
  Result<std::shared_ptr<const Network>> loaded = Network::FromBytes(Serialized(network), "test");
  if (!loaded.ok()) std::abort();
  return std::move(loaded).value();
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TESTS_TOOLS_TEST_NETWORK_H_
