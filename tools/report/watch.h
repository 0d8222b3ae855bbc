// What chosen neurons do while one image is run.
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

// "LAYER:NEURON", the layer by its name or its number. Error: kInvalidArgument saying what there
// is.
Result<NeuronChoice> ParseNeuron(const Network& network, const std::string& text);

struct WatchedNeuron {
  size_t neuron = 0;
  std::vector<int8_t> spikes;    // by spike index: -1, 0, 1
  std::vector<float> membranes;  // by step from L steps before the first spike; may be empty
};

struct WatchedLayer {
  size_t layer = 0;
  uint64_t active = 0;            // neurons that sent a spike at all
  std::vector<float> thresholds;  // by spike index; empty for the encoder
  std::vector<WatchedNeuron> neurons;
};

// Runs the image once for each spiking layer, so that memory is needed for one layer's recording
// only. Shows the neurons of `chosen` or, without any, those of each layer that spike most;
// `options` as in the run that is reported.
Result<std::vector<WatchedLayer>> WatchNeurons(const std::shared_ptr<const Network>& network,
                                               const SessionOptions& options,
                                               std::span<const uint8_t> pixels,
                                               std::span<const NeuronChoice> chosen);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_WATCH_H_
