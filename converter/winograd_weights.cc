#include "converter/winograd_weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/winograd.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/whole_scale.h"
#include "runtime/neuron/settled.h"
#include "runtime/rounding.h"

namespace cssrun::converter {
namespace {

using internal::kWinogradTaps;

// The largest scale at which weights are bytes, and the sums of a kernel row, too, however its
// weights are rounded. 0: nothing to round, since all are whole numbers of some unit already.
double ScaleOf(std::span<const float> weights) {
  constexpr double kLargest = internal::kLargestNarrowWeight;
  constexpr double kRounding = kWinogradTaps * 0.5;
  double weight = 0;
  double sum = 0;
  for (size_t i = 0; i < weights.size(); i += kWinogradTaps) {
    const auto left = static_cast<double>(weights[i]);
    const auto middle = static_cast<double>(weights[i + 1]);
    const auto right = static_cast<double>(weights[i + 2]);
    weight = std::max({weight, std::abs(left), std::abs(middle), std::abs(right)});
    sum = std::max(sum, std::abs(left + right) + std::abs(middle));
  }
  if (weight == 0 || internal::WholeScale(weights, weight, internal::kLargestWeightSpread) > 0) {
    return 0;
  }
  return std::min(kLargest / weight, (kLargest - kRounding) / sum);
}

}  // namespace

bool TakesWinograd(const SpikingNetwork& network, const SpikingNode& node,
                   const SpikingSynapses& synapses, const CodeSettings& code) {
  constexpr uint32_t kLongestTrain = 7;  // sums of two levels fit bytes
  const SpikingNode& source = network.nodes[synapses.source];
  return internal::SumsAreWide(code.Settled(), code.timesteps) && code.timesteps <= kLongestTrain &&
         synapses.kind == format::SynapseKind::Convolution &&
         source.kind == format::NodeKind::Neurons && node.kind == format::NodeKind::Neurons &&
         source.rectify && !source.grid.has_value() && !node.grid.has_value() &&
         !synapses.average.has_value() && synapses.spread_y == 1 && synapses.spread_x == 1 &&
         internal::SuitsWinograd(synapses.window, source.extent.channels() / synapses.groups,
                                 node.potential.width());
}

std::vector<double> RoundForWinograd(std::span<const double> means, format::SynapsesT& synapses) {
  const auto taps = static_cast<size_t>(synapses.window->kernel_y()) * kWinogradTaps;
  const size_t sources = means.size() / synapses.groups;  // of a target
  const size_t fan_in = sources * taps;
  const size_t targets = synapses.weights.size() / fan_in;
  std::vector<double> lost;
  for (size_t target = 0; target < targets; ++target) {
    const std::span<float> weights = std::span(synapses.weights).subspan(target * fan_in, fan_in);
    const double scale = ScaleOf(weights);
    const size_t first = target / (targets / synapses.groups) * sources;
    double& loss = lost.emplace_back(0);
    if (scale == 0) continue;
    for (size_t i = 0; i < fan_in; ++i) {
      const auto exact = static_cast<double>(weights[i]);
      weights[i] = static_cast<float>(internal::RoundToWhole(exact * scale) / scale);
      loss += (exact - static_cast<double>(weights[i])) * means[first + i / taps];
    }
  }
  return lost;
}

}  // namespace cssrun::converter
