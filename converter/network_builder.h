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

// Builds the network with the code of every node. The readout's amplitude is 1, so that it sums the
// ANN's logits. Weights become W theta_source / theta_target, biases b / (sb theta_target), so that
// inside the network every amplitude is 1. The caller adds preprocessing, labels and origin.
// `means`: by node and channel, Calibration::means; empty where unknown.
format::NetworkT BuildNetwork(const SpikingNetwork& network, const std::vector<NodeCode>& codes,
                              const CodeSettings& code,
                              std::span<const std::vector<double>> means = {});

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NETWORK_BUILDER_H_
