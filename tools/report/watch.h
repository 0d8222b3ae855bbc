// Records the spikes and membranes of chosen neurons while one image is run.
#ifndef CSSRUN_TOOLS_REPORT_WATCH_H_
#define CSSRUN_TOOLS_REPORT_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"

namespace cssrun::tools {

struct NeuronChoice {
  size_t layer = 0;
  size_t neuron = 0;
};

// Parses "LAYER:NEURON", with the layer's name or number. Error: kInvalidArgument that says which
// exist.
Result<NeuronChoice> ParseNeuron(const Network& network, const std::string& text);

struct WatchedNeuron {
  size_t neuron = 0;
  std::vector<int8_t> spikes;    // by spike index: -1, 0, 1
  std::vector<float> membranes;  // by step, from L steps before the first spike on; may be empty
};

struct WatchedLayer {
  size_t layer = 0;
  uint64_t active = 0;            // neurons that sent at least one spike
  std::vector<float> thresholds;  // by spike index; empty for the encoder
  std::vector<WatchedNeuron> neurons;
};

// Runs the image once for each spiking layer, so that memory is needed for one layer's recording
// only. Returns the neurons of `chosen` or, if it is empty, those of each layer that spike most.
// `options` are those of the reported run.
Result<std::vector<WatchedLayer>> WatchNeurons(const std::shared_ptr<const Network>& network,
                                               const SessionOptions& options,
                                               std::span<const uint8_t> pixels,
                                               std::span<const NeuronChoice> chosen);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_WATCH_H_
