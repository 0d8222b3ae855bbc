#include "converter/round_weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "runtime/assert.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/winograd.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/whole_scale.h"
#include "runtime/neuron/settled.h"
#include "runtime/rounding.h"

namespace cssrun::converter {
namespace {

using internal::kWinogradTaps;

constexpr double kLargest = internal::kLargestNarrowWeight;

double LargestOf(std::span<const float> weights) {
  double largest = 0;
  for (const float weight : weights) {
    largest = std::max(largest, std::abs(static_cast<double>(weight)));
  }
  return largest;
}

// The largest scale at which the sums that Winograd's products take are bytes, however the three
// weights of a kernel row are rounded.
double WinogradScale(std::span<const float> weights) {
  constexpr double kRounding = kWinogradTaps * 0.5;
  double largest = 0;
  for (size_t i = 0; i < weights.size(); i += kWinogradTaps) {
    const double outer = static_cast<double>(weights[i]) + static_cast<double>(weights[i + 2]);
    const auto middle = static_cast<double>(weights[i + 1]);
    largest = std::max(largest, std::abs(outer) + std::abs(middle));
  }
  return largest > 0 ? (kLargest - kRounding) / largest : std::numeric_limits<double>::infinity();
}

// 0: nothing to round.
double ScaleOf(WeightRounding rounding, std::span<const float> weights) {
  const double largest = LargestOf(weights);
  const bool whole =
      largest == 0 || internal::WholeScale(weights, largest, internal::kLargestWeightSpread) > 0;
  if (whole) return 0;
  const double scale = kLargest / largest;
  return rounding == WeightRounding::kWinograd ? std::min(scale, WinogradScale(weights)) : scale;
}

}  // namespace

WeightRounding RoundingOf(const SpikingNetwork& network, const SpikingNode& node,
                          const SpikingSynapses& synapses, const CodeSettings& code,
                          bool knows_pixels) {
  constexpr uint32_t kLongestTrain = 7;  // whose levels are at most 127
  const SpikingNode& source = network.nodes[synapses.source];
  const bool dense = synapses.kind == format::SynapseKind::Convolution &&
                     !synapses.average.has_value() && synapses.spread_y == 1 &&
                     synapses.spread_x == 1;
  if (!internal::SumsAreWide(code.Settled(), code.timesteps) || !dense ||
      node.kind != format::NodeKind::Neurons || source.grid.has_value() || node.grid.has_value()) {
    return WeightRounding::kNone;
  }
  if (source.kind == format::NodeKind::Encoder) {
    const bool rounds =
        knows_pixels && node.synapses.size() == 1 && code.timesteps <= kLongestTrain;
    return rounds ? WeightRounding::kBytes : WeightRounding::kNone;
  }
  if (source.kind != format::NodeKind::Neurons || synapses.groups == source.extent.channels()) {
    return WeightRounding::kNone;
  }
  const bool winograd =
      code.timesteps <= kLongestTrain && source.rectify &&
      internal::SuitsWinograd(synapses.window, source.extent.channels() / synapses.groups,
                              node.potential.height(), node.potential.width());
  return winograd ? WeightRounding::kWinograd : WeightRounding::kBytes;
}

std::vector<double> RoundWeights(WeightRounding rounding, const SentBy& sources,
                                 format::SynapsesT& synapses) {
  CSSRUN_ASSERT(rounding != WeightRounding::kNone);
  CSSRUN_ASSERT(sources.steps.empty() || sources.steps.size() == sources.means.size());
  const auto taps = static_cast<size_t>(synapses.window->kernel_y()) *
                    static_cast<size_t>(synapses.window->kernel_x());
  const size_t seen = sources.means.size() / synapses.groups;  // channels, by a target
  const size_t fan_in = seen * taps;
  const size_t targets = synapses.weights.size() / fan_in;
  const auto step = [&](size_t channel) {
    return sources.steps.empty() ? 1 : sources.steps[channel];
  };
  std::vector<double> lost;
  std::vector<float> of_steps(fan_in);
  for (size_t target = 0; target < targets; ++target) {
    const std::span<float> weights = std::span(synapses.weights).subspan(target * fan_in, fan_in);
    const size_t first = target / (targets / synapses.groups) * seen;
    for (size_t i = 0; i < fan_in; ++i) {
      const double weight = static_cast<double>(weights[i]) * step(first + i / taps);
      of_steps[i] = static_cast<float>(weight);
    }
    const double scale = ScaleOf(rounding, of_steps);
    double& loss = lost.emplace_back(0);
    if (scale == 0) continue;
    for (size_t i = 0; i < fan_in; ++i) {
      const size_t channel = first + i / taps;
      const auto exact = static_cast<double>(weights[i]);
      const double whole = internal::RoundToWhole(static_cast<double>(of_steps[i]) * scale);
      weights[i] = static_cast<float>(whole / scale / step(channel));
      loss += (exact - static_cast<double>(weights[i])) * sources.means[channel];
    }
  }
  return lost;
}

}  // namespace cssrun::converter
