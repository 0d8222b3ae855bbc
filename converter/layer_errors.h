// Shows where a conversion loses accuracy: the error of each layer's trains against the ANN.
#ifndef CSSRUN_CONVERTER_LAYER_ERRORS_H_
#define CSSRUN_CONVERTER_LAYER_ERRORS_H_

#include <span>
#include <vector>

#include "converter/amplitudes.h"
#include "converter/ann_run.h"
#include "converter/code_settings.h"
#include "converter/graph.h"
#include "converter/spiking.h"
#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Runs some of the images on the network in `bytes`, which was built from `codes`, and returns for
// each node of neurons |values of its trains - activations of the ANN| / |activations|; 0 for the
// encoder and the readout. An error that comes from an earlier layer is included.
Result<std::vector<double>> LayerErrors(const Graph& graph, const SpikingNetwork& network,
                                        const std::vector<NodeCode>& codes,
                                        const CodeSettings& code, std::span<const uint8_t> bytes,
                                        const ImageSet& images, const InputFormat& input,
                                        EngineKind engine);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_LAYER_ERRORS_H_
