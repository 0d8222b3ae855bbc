// Measures the range of the ANN's activations on the calibration images.
#ifndef CSSRUN_CONVERTER_CALIBRATE_H_
#define CSSRUN_CONVERTER_CALIBRATE_H_

#include <array>
#include <vector>

#include "converter/activation_histogram.h"
#include "converter/ann_run.h"
#include "converter/graph.h"
#include "converter/spiking.h"
#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// The range of one spiking node's ANN value over all images.
struct ActivationRange {
  double percentile = 0;  // of the magnitudes, exact
  double maximum = 0;
  double clipped_share = 0;  // share of the magnitudes above the percentile
};

struct Calibration {
  // Ranges by spiking node; those of the encoder and the readout are empty.
  std::vector<ActivationRange> ranges;
  std::vector<ActivationHistogram> histograms;
  // The ranges below zero and above zero, for nodes that do not rectify.
  std::vector<std::array<ActivationHistogram, 2>> sides;
  std::vector<std::vector<ActivationHistogram>> channels;  // empty unless the caller asked for them
  // By node and channel, the mean of the activations, over positions and images, and for the
  // encoder of the normalized pixels; empty for the readout.
  std::vector<std::vector<double>> means;
  std::vector<Logits> logits;  // the ANN's, by image
};

// Error: kBadModel naming the node whose activations are all zero or not finite.
Result<Calibration> Calibrate(const Graph& graph, const SpikingNetwork& network,
                              const ImageSet& images, const InputFormat& input, double percentile,
                              bool per_channel, const Progress& progress);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_CALIBRATE_H_
