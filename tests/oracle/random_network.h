// Draws random spiking networks from a seed: every kind of synapse, pool, shortcut and setting.
#ifndef CSSRUN_TESTS_ORACLE_RANDOM_NETWORK_H_
#define CSSRUN_TESTS_ORACLE_RANDOM_NETWORK_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "tests/oracle/network_parts.h"

namespace cssrun::oracle {

struct RandomOptions {
  // Weights, biases and thresholds are multiples of 1/32 and T is small, so that float sums are
  // exact and a fast engine must agree with the reference to the last spike.
  bool exact = false;
  // Adds synapses through a mean of a part of their source, which reach a part of their target.
  bool placed_means = false;
  bool direct = false;  // pixels are not coded in spikes
  // beta = 2, L >= T - 1: all input is there when a neuron begins to fire.
  bool settled = false;
  // Weights of each channel are 8-bit integers times a step, as those of quantized models.
  bool whole_weights = false;
  bool spread = false;  // some sources are spread out, as in a transposed convolution
};

format::NetworkT RandomNetwork(uint32_t seed, const RandomOptions& options = {});

// Makes a sound network of `layers` layers in a chain: 1x1 synapses, 3 channels, 4x4 positions.
format::NetworkT ChainNetwork(uint32_t layers, uint32_t timesteps, float beta, uint32_t silent);

// Makes a small network with every feature: two layers of 3 channels, the second with a pool and a
// shortcut, a mean before the readout, and labels.
format::NetworkT SmallNetwork();

// Makes a network of two layers on maps of `side`: 1x1 synapses to `from` channels, then 3x3 in
// `groups` to `to`.
format::NetworkT WideNetwork(uint32_t side, uint32_t from, uint32_t to, uint32_t groups);

// Draws random pixels of the network's input size.
std::vector<uint8_t> RandomPixels(const format::NetworkT& network, uint32_t seed);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_RANDOM_NETWORK_H_
