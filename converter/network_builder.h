// From the spiking network in the ANN's units to the one that is written: amplitudes folded into
// weights and biases, offsets and delay lines set.
#ifndef CSSRUN_CONVERTER_NETWORK_BUILDER_H_
#define CSSRUN_CONVERTER_NETWORK_BUILDER_H_

#include <vector>

#include "converter/amplitudes.h"
#include "converter/code_settings.h"
#include "converter/spiking.h"
#include "network_generated.h"

namespace cssrun::converter {

// `codes`: of every node; the readout's amplitude is 1, what it sums are the ANN's logits. Weights
// become W theta_source / theta_target, biases b / (sb theta_target), so that inside the network
// every amplitude is 1. Preprocessing, labels and origin are left to the caller.
format::NetworkT BuildNetwork(const SpikingNetwork& network, const std::vector<NodeCode>& codes,
                              const CodeSettings& code);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NETWORK_BUILDER_H_
