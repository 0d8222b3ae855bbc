#include "converter/amplitudes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "runtime/neuron/settled.h"

namespace cssrun::converter {
namespace {

using format::NodeKind;
using format::SynapseKind;

// Levels of a byte, between its lowest and its highest.
constexpr double kByte = 255;

// Returns the largest magnitude that a train must carry, by least squares. Sides of zero, one or
// both, share the levels between the largest magnitudes that they have up to it.
double LeastSquares(std::span<const ActivationHistogram> sides, double levels) {
  constexpr int kSteps = 96;
  constexpr double kSmallest = 0.02;  // share of the maximum
  double maximum = 0;
  for (const ActivationHistogram& side : sides) maximum = std::max(maximum, side.Maximum());
  double best = maximum;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= kSteps; ++i) {
    const double largest = maximum * std::pow(kSmallest, static_cast<double>(i) / kSteps);
    double span = 0;
    for (const ActivationHistogram& side : sides) span += std::min(side.Maximum(), largest);
    double loss = 0;
    for (const ActivationHistogram& side : sides) {
      loss += side.Loss(span / levels, std::min(side.Maximum(), largest));
    }
    if (loss < least) {
      least = loss;
      best = largest;
    }
  }
  return best;
}

double LargestOf(const ActivationHistogram& histogram, const AmplitudeSettings& settings,
                 double sum_of_weights) {
  switch (settings.rule) {
    case AmplitudeRule::kMaximum:
      return histogram.Maximum();
    case AmplitudeRule::kLeastSquares:
      return LeastSquares({&histogram, 1}, sum_of_weights);
    case AmplitudeRule::kPercentile:
      break;
  }
  return histogram.Quantile(settings.percentile / 100);
}

// Finds the nodes that an identity joins to others. Their channels are added, so all must share one
// amplitude.
std::vector<bool> TouchedByIdentities(const SpikingNetwork& network) {
  std::vector<bool> touched(network.nodes.size(), false);
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    for (const SpikingSynapses& s : network.nodes[i].synapses) {
      if (s.kind == SynapseKind::Identity) touched[i] = touched[s.source] = true;
    }
  }
  return touched;
}

double LargestPixel(const InputFormat& input) {
  double largest = 0;
  for (size_t c = 0; c < input.mean.size(); ++c) {
    const auto mean = static_cast<double>(input.mean[c]);
    const auto stddev = static_cast<double>(input.stddev[c]);
    largest = std::max({largest, std::abs((1 - mean) / stddev), std::abs(mean / stddev)});
  }
  return largest;
}

std::vector<double> LargestOfChannels(const Calibration& calibration, size_t node, double tensor,
                                      const AmplitudeSettings& settings, double sum_of_weights) {
  // A channel that hardly fires still needs an amplitude. This is the smallest one, as a share of
  // the layer's amplitude.
  constexpr double kFinest = 1.0 / 16;
  std::vector<double> largest;
  for (const ActivationHistogram& channel : calibration.channels[node]) {
    const double wanted = LargestOf(channel, settings, sum_of_weights);
    largest.push_back(std::clamp(wanted, tensor * kFinest, std::max(tensor, wanted)));
  }
  return largest;
}

// Of neurons that a quantized model rounds. With beta = 2 and enough steps a train carries the
// model's own integers: the amplitude is their step, and the train's limits are theirs unless every
// train has them. Other trains end at the largest magnitude.
void ChooseGrid(const SpikingNode& node, const CodeSettings& code, NodeCode& chosen) {
  const SpikingNode::Grid& grid = *node.grid;
  const auto most = static_cast<int64_t>(code.SumOfWeights());
  const bool carries = internal::IsSettled(code.beta, code.timesteps, code.silent_steps) &&
                       -most <= grid.lowest && grid.highest <= most;
  const int64_t lowest = node.rectify ? 0 : grid.lowest;
  const bool ends_by_itself = grid.highest == most && (node.rectify || lowest == -most);
  if (!carries || ends_by_itself) {
    chosen.amplitudes = {static_cast<double>(*node.cap) / code.SumOfWeights()};
    return;
  }
  chosen.amplitudes = {grid.step};
  chosen.lowest_level = static_cast<int32_t>(lowest);
  chosen.highest_level = static_cast<int32_t>(grid.highest);
}

// Whether a signed train has more levels than a byte, though a rectified one does not: then levels
// of bytes would not do for the layer, and its spikes would have to be taken one by one.
bool SignedLevelsExceedBytes(const CodeSettings& code) {
  return code.negative_spikes &&
         internal::IsSettled(code.beta, code.timesteps, code.silent_steps) &&
         code.SumOfWeights() <= kByte && 2 * code.SumOfWeights() > kByte;
}

// Of signed neurons: 256 levels from the lowest activation to the highest, as 8-bit models have
// them with a zero point.
void ChooseByte(const std::array<ActivationHistogram, 2>& sides, const AmplitudeSettings& settings,
                NodeCode& chosen) {
  double reach[2];
  if (settings.rule == AmplitudeRule::kLeastSquares) {
    const double largest = LeastSquares(sides, kByte);
    for (size_t s : {0, 1}) reach[s] = std::min(largest, sides[s].Maximum());
  } else {
    for (size_t s : {0, 1}) reach[s] = LargestOf(sides[s], settings, kByte);
  }
  const double step = (reach[0] + reach[1]) / kByte;
  const double below = std::clamp(std::round(reach[0] / step), 0.0, kByte - 1);
  chosen.amplitudes = {step};
  chosen.lowest_level = -static_cast<int32_t>(below);
  chosen.highest_level = static_cast<int32_t>(kByte - below);
}

}  // namespace

double NodeCode::Largest() const { return *std::max_element(amplitudes.begin(), amplitudes.end()); }

std::vector<NodeCode> ChooseAmplitudes(const SpikingNetwork& network,
                                       const Calibration& calibration, const InputFormat& input,
                                       const CodeSettings& code,
                                       const AmplitudeSettings& settings) {
  const double sum_of_weights = code.SumOfWeights();
  const std::vector<bool> touched = TouchedByIdentities(network);
  std::vector<NodeCode> codes;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const SpikingNode& node = network.nodes[i];
    NodeCode chosen;
    if (node.kind == NodeKind::Neurons) chosen.thresholds = code.Thresholds();
    if (node.kind == NodeKind::Encoder) {
      chosen.amplitudes = {LargestPixel(input) / sum_of_weights};
    } else if (node.kind == NodeKind::Readout) {
      chosen.amplitudes = {1};
    } else if (node.grid.has_value()) {
      ChooseGrid(node, code, chosen);
    } else if (!node.rectify && !settings.per_channel && SignedLevelsExceedBytes(code)) {
      ChooseByte(calibration.sides[i], settings, chosen);
    } else {
      const ActivationRange& range = calibration.ranges[i];
      double largest = range.percentile;
      if (settings.rule == AmplitudeRule::kMaximum) largest = range.maximum;
      if (settings.rule == AmplitudeRule::kLeastSquares) {
        largest = LeastSquares({&calibration.histograms[i], 1}, sum_of_weights);
      }
      std::vector<double> all = {largest};
      if (settings.per_channel && !touched[i] && !node.cap.has_value()) {
        all = LargestOfChannels(calibration, i, largest, settings, sum_of_weights);
      }
      for (const double one : all) {
        const double capped =
            node.cap.has_value() ? std::min(one, static_cast<double>(*node.cap)) : one;
        chosen.amplitudes.push_back(capped / sum_of_weights);
      }
    }
    codes.push_back(std::move(chosen));
  }
  return codes;
}

}  // namespace cssrun::converter
