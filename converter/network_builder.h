// Converts the spiking network from the ANN's units to those of the file: folds amplitudes into
// weights and biases, sets offsets and delays.
#ifndef CSSRUN_CONVERTER_NETWORK_BUILDER_H_
#define CSSRUN_CONVERTER_NETWORK_BUILDER_H_

#include <span>
#include <vector>

#include "converter/amplitudes.h"
#include "converter/code_settings.h"
#include "converter/spiking.h"
#include "network_generated.h"

namespace cssrun::converter {

// What weights are rounded by (round_weights.h).
struct RoundingBasis {
  std::span<const std::vector<double>> means;  // Calibration::means; empty where unknown
  // By channel, what one of 255 of an 8-bit pixel adds to the normalized one; empty: weights of
  // pixels keep all their bits.
  std::span<const double> pixel_steps;
};

// Builds the network with the code of every node. The readout's amplitude is 1, so that it sums the
// ANN's logits. Weights become W theta_source / theta_target, biases b / (sb theta_target), so that
// inside the network every amplitude is 1. The caller adds preprocessing, labels and origin.
format::NetworkT BuildNetwork(const SpikingNetwork& network, const std::vector<NodeCode>& codes,
                              const CodeSettings& code, const RoundingBasis& basis = {});

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NETWORK_BUILDER_H_
