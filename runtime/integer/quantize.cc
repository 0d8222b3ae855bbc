#include "runtime/integer/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "runtime/assert.h"
#include "runtime/integer/whole_scale.h"
#include "runtime/neuron/power.h"
#include "runtime/neuron/settled.h"
#include "runtime/rounding.h"

namespace cssrun::internal {
namespace {

constexpr double kLargestMembrane = std::numeric_limits<int16_t>::max();
// With fewer units to an amplitude, the rounding of a membrane is no longer small compared with it.
constexpr double kSmallestUnit = 48;
// An amplitude before the silent period has at least so many units: with fewer, logits drift from
// the float engine's (ResNet-20, T = 6, beta = 2: error 5.4 % at 512 units, 5.6 % at 256, 7.7 % at
// 128, 28 % at 32).
constexpr double kSmallestInputUnit = 192;

int16_t ToInt16(double value) {
  return static_cast<int16_t>(
      std::clamp(std::nearbyint(value), -kLargestMembrane, kLargestMembrane));
}

// Calls visit(lane, channel) for each parameter lane; the channel may be one that does not exist.
template <class Visit>
void ForEachParameter(const LaneLayout& layout, Visit visit) {
  for (uint32_t block = 0; block < layout.blocks; ++block) {
    for (uint32_t lane = 0; lane < kLineLanes; ++lane) {
      visit(size_t{block} * kLineLanes + lane, block * kLineLanes + lane % layout.lanes);
    }
  }
}

// Sets a parameter of all lanes: value(channel), or `missing` where there is no channel.
template <class T, class Value>
void SetParameter(const LaneLayout& layout, uint32_t channels, T missing, T* out, Value value) {
  ForEachParameter(layout, [&](size_t lane, uint32_t channel) {
    out[lane] = channel < channels ? value(channel) : missing;
  });
}

// The smallest and the largest weight, and 0.
struct WeightRange {
  double least = 0;
  double most = 0;

  double largest() const { return std::max(most, -least); }
};

// In several chains, since a minimum waits for the one before: a quarter of a network's time to
// load otherwise.
WeightRange RangeOf(std::span<const float> weights) {
  constexpr size_t kChains = 8;
  std::array<float, kChains> least = {};
  std::array<float, kChains> most = {};
  size_t i = 0;
  for (; i + kChains <= weights.size(); i += kChains) {
    for (size_t k = 0; k < kChains; ++k) {
      least[k] = std::min(least[k], weights[i + k]);
      most[k] = std::max(most[k], weights[i + k]);
    }
  }
  for (; i < weights.size(); ++i) {
    least[0] = std::min(least[0], weights[i]);
    most[0] = std::max(most[0], weights[i]);
  }
  return {std::ranges::min(least), std::ranges::max(most)};
}

// For settled layers: takes a scale at which one convolution's weights are whole numbers, if any.
void MakeScalesWhole(const CodeOf& code, std::span<const Connection> connections,
                     std::span<const KernelChoice> choices, std::vector<double>& scales) {
  const Connection* only = nullptr;
  double most = std::numeric_limits<double>::infinity();  // that shortcuts through means allow
  for (size_t i = 0; i < connections.size(); ++i) {
    if (TraitsOf(choices[i].kind).role == KernelRole::kAddsLevels) continue;  // added in float
    if (connections[i].identity()) {
      most = std::min(most,
                      kLargestIdentity / std::abs(static_cast<double>(*connections[i].weights())));
      continue;
    }
    if (only != nullptr) return;  // of several, each has a scale of its own
    only = &connections[i];
  }
  if (only == nullptr) return;
  const size_t fan_in = only->synapses->weights()->size() / scales.size();
  // Weights that are so small compared with theta hardly ever add up to a full train: an eighth of
  // the range is enough.
  const double fits = std::min(most, 8 * kLargestMembrane / std::exp2(code.timesteps));
  for (size_t channel = 0; channel < scales.size(); ++channel) {
    const std::span<const float> weights(only->weights() + channel * fan_in, fan_in);
    const double whole = WholeScale(weights, RangeOf(weights).largest(), kLargestNarrowWeight);
    if (whole > 0 && whole <= fits) scales[channel] = whole;
  }
}

// Lowers each scale until the largest weight of its channel fits the width that its kernel keeps.
void LimitByWeights(const Connection& connection, const KernelChoice& choice,
                    std::vector<double>& scales) {
  const float* weights = connection.weights();
  if (connection.identity()) {
    const double weight = std::abs(static_cast<double>(weights[0]));
    for (double& scale : scales) scale = std::min(scale, kLargestIdentity / weight);
    return;
  }
  const size_t fan_in = connection.synapses->weights()->size() / scales.size();
  for (size_t channel = 0; channel < scales.size(); ++channel) {
    const double largest = RangeOf({weights + channel * fan_in, fan_in}).largest();
    const double limit = LargestWeight(choice.width);
    if (largest > 0) scales[channel] = std::min(scales[channel], limit / largest);
  }
}

}  // namespace

CodeOf::CodeOf(const format::Code& code)
    : beta(static_cast<double>(code.beta())),
      gain(PowerOf(code.beta(), code.silent_steps())),
      timesteps(code.timesteps()),
      settled(IsSettled(code.beta(), code.timesteps(), code.silent_steps())),
      wide_sums(SumsAreWide(settled, timesteps)) {}

bool FitsSixteenBits(const CodeOf& code) {
  return code.settled || kLargestMembrane / kHeadroom / code.gain >= kSmallestInputUnit;
}

std::vector<double> ChooseScales(const CodeOf& code, const TargetLayer& target,
                                 std::span<const Connection> connections,
                                 std::span<const KernelChoice> choices, std::string& reason) {
  const double largest_scale = code.settled
                                   ? kLargestMembrane / (kSettledHeadroom << code.timesteps)
                                   : kLargestMembrane / kHeadroom / code.gain;
  std::vector<double> scales(target.channels(), largest_scale);
  for (size_t i = 0; i < connections.size(); ++i) {
    const KernelTraits& kernel = TraitsOf(choices[i].kind);
    if (kernel.role == KernelRole::kAddsLevels) continue;  // added in float
    if (code.wide_sums && kernel.sums_levels()) continue;  // has scales of its own
    LimitByWeights(connections[i], choices[i], scales);
  }
  if (code.wide_sums) return scales;
  if (code.settled) {
    MakeScalesWhole(code, connections, choices, scales);
    return scales;
  }
  for (double& scale : scales) {
    // s is chosen so that u is a whole number.
    const double unit = std::floor(scale * code.gain);
    if (unit < kSmallestUnit) {
      reason = "weights that are too large beside the amplitude for 16 bits";
      return {};
    }
    scale = unit / code.gain;
  }
  return scales;
}

std::vector<double> ChooseLevelScales(const TargetLayer& target, const Connection& connection,
                                      const KernelChoice& choice) {
  const format::Window& window = connection.level_window();
  const bool depthwise = IsKind<LevelDepthwise>(choice.kind);
  const std::span<const float> all = connection.level_weights();
  const size_t fan_in = all.size() / target.channels();
  std::vector<double> scales;
  for (size_t channel = 0; channel < target.channels(); ++channel) {
    const std::span<const float> weights = all.subspan(channel * fan_in, fan_in);
    const WeightRange range = RangeOf(weights);
    const double largest = range.largest();
    // Nothing but zeros is whole at any scale.
    const int fits = depthwise ? LargestDepthwiseWeight(window) : kLargestNarrowWeight;
    double scale = largest > 0 ? fits / largest : 1;
    const double whole = WholeScale(weights, largest, kLargestWeightSpread);
    const double spread = range.most - range.least;
    if (whole > 0 && (depthwise || whole * spread < kLargestWeightSpread + 0.5)) scale = whole;
    scales.push_back(scale);
  }
  return scales;
}

PixelScales ChoosePixelScales(std::span<const float> weights, size_t targets,
                              std::span<const double> zeros) {
  constexpr double kLargestSum = 1 << 30;
  constexpr double kPixels = 256;
  // The most that the second plane of all weights adds.
  constexpr double kSecondPlane = 64 * kPixels;
  const size_t fan_in = weights.size() / targets;
  CSSRUN_ASSERT(zeros.size() == weights.size());
  PixelScales chosen;
  if (static_cast<double>(fan_in) * kSecondPlane > kLargestSum) return chosen;
  for (size_t target = 0; target < targets; ++target) {
    const std::span<const float> own = weights.subspan(target * fan_in, fan_in);
    double largest = 0;
    double reach = 0;
    for (size_t i = 0; i < fan_in; ++i) {
      const double weight = std::abs(static_cast<double>(own[i]));
      largest = std::max(largest, weight);
      reach += weight * (kPixels + std::abs(zeros[target * fan_in + i]));
    }
    if (!std::isfinite(reach)) return {};
    const double fits = std::min(kLargestPlanesWeight / largest, kLargestSum / reach);
    if (largest > 0 && fits * largest < kLargestNarrowWeight) return {};  // no longer small errors
    // Nothing but zeros is whole at any scale.
    const double whole = largest > 0 ? WholeScale(own, largest, kLargestWeightSpread) : 1;
    chosen.scales.push_back(whole > 0 && whole <= fits ? whole : fits);
    if (whole <= 0 || whole > fits || whole * largest > kLargestNarrowWeight + 0.5) {
      chosen.planes = 2;
    }
  }
  return chosen;
}

hwy::AlignedFreeUniquePtr<float[]> FloatScale(const CodeOf& code, std::span<const double> scales,
                                              const MembraneLayout& layout) {
  if (scales.empty()) return nullptr;
  const auto channels = static_cast<uint32_t>(scales.size());
  const double amplitude = std::exp2(SettledFraction(code.timesteps));
  auto scale = AllocateAligned<float>(layout.parameter_lanes());
  SetParameter(layout.lanes, channels, 0.0F, scale.get(),
               [&](uint32_t c) { return static_cast<float>(amplitude / scales[c]); });
  return scale;
}

void QuantizeEventNeurons(const CodeOf& code, const format::Node& node, bool takes_pixels,
                          IntegerLayer& layer) {
  const LaneLayout& layout = layer.membranes.lanes;
  const std::vector<double>& scales = layer.scales;
  const auto channels = static_cast<uint32_t>(scales.size());
  const uint32_t lanes = layer.membranes.parameter_lanes();
  CSSRUN_ASSERT(!code.settled && channels == node.bias()->size());
  EventNeurons neurons;
  neurons.unit = AllocateAligned<int16_t>(lanes);
  neurons.thresholds = AllocateAligned<int16_t>(size_t{lanes} * code.timesteps);
  neurons.biases = AllocateAligned<int16_t>(size_t{lanes} * code.timesteps);
  layer.start = AllocateAligned<int16_t>(lanes);
  const auto unit = [&](uint32_t c) { return std::nearbyint(scales[c] * code.gain); };
  const auto bias = [&](uint32_t c) { return static_cast<double>(node.bias()->Get(c)); };
  SetParameter(layout, channels, int16_t{0}, neurons.unit.get(),
               [&](uint32_t c) { return ToInt16(unit(c)); });
  const auto initial = static_cast<double>(node.initial_potential());
  SetParameter(layout, channels, int16_t{0}, layer.start.get(),
               [&](uint32_t c) { return ToInt16((code.beta * initial + bias(c)) * scales[c]); });
  if (takes_pixels) {
    layer.pixel_scale = AllocateAligned<float>(lanes);
    SetParameter(layout, channels, 0.0F, layer.pixel_scale.get(),
                 [&](uint32_t c) { return static_cast<float>(scales[c]); });
  }
  std::vector<double> carry(channels, 0);  // the remainder of rounding so far
  std::vector<int16_t> biases(channels);
  for (uint32_t i = 0; i < code.timesteps; ++i) {
    const auto threshold = static_cast<double>(node.thresholds()->Get(i));
    // Lanes without a channel never reach their threshold.
    SetParameter(layout, channels, std::numeric_limits<int16_t>::max(),
                 neurons.thresholds.get() + size_t{lanes} * i, [&](uint32_t c) {
                   const int16_t reached = std::max<int16_t>(1, ToInt16(threshold * unit(c)));
                   return static_cast<int16_t>(reached - 1);
                 });
    for (uint32_t c = 0; c < channels; ++c) {
      const double wanted = code.beta * carry[c] + bias(c) * scales[c];
      biases[c] = ToInt16(wanted);
      carry[c] = std::clamp(wanted - biases[c], -1.0, 1.0);
    }
    SetParameter(layout, channels, int16_t{0}, neurons.biases.get() + size_t{lanes} * i,
                 [&](uint32_t c) { return biases[c]; });
  }
  layer.neurons = std::move(neurons);
}

void QuantizeSettledNeurons(const CodeOf& code, const format::Node& node, bool takes_pixels,
                            IntegerLayer& layer) {
  const LaneLayout& layout = layer.membranes.lanes;
  const auto channels = static_cast<uint32_t>(layer.scales.size());
  const uint32_t lanes = layer.membranes.parameter_lanes();
  const double train = std::exp2(code.timesteps);
  const double amplitude = std::exp2(SettledFraction(code.timesteps));  // in settled units
  const double all_steps = (train - 1) * amplitude;
  const double start = static_cast<double>(node.initial_potential()) * train * amplitude;
  CSSRUN_ASSERT(code.settled && channels == node.bias()->size());
  SettledNeurons neurons;
  neurons.scale = AllocateAligned<float>(lanes);
  neurons.bias = AllocateAligned<float>(lanes);
  SetParameter(layout, channels, 0.0F, neurons.scale.get(),
               [&](uint32_t c) { return static_cast<float>(amplitude / layer.scales[c]); });
  SetParameter(layout, channels, 0.0F, neurons.bias.get(), [&](uint32_t c) {
    return static_cast<float>(static_cast<double>(node.bias()->Get(c)) * all_steps + start);
  });
  if (takes_pixels) {
    layer.pixel_scale = AllocateAligned<float>(lanes);
    SetParameter(layout, channels, 0.0F, layer.pixel_scale.get(),
                 [&](uint32_t) { return static_cast<float>(all_steps); });
  }
  for (uint32_t k = 0; k < code.timesteps; ++k) {
    const double share = node.thresholds()->Get(k);
    const double threshold = share * std::exp2(code.timesteps - 1 - k) * amplitude;
    neurons.thresholds.push_back(ToInt16(std::max(1.0, std::nearbyint(threshold)) - 1));
  }
  if (node.highest_level() != 0 || node.lowest_level() != 0) {
    neurons.lowest = ToInt16(node.lowest_level() * amplitude);
    neurons.highest = ToInt16(node.highest_level() * amplitude);
  }
  layer.start = AllocateAligned<int16_t>(lanes);
  std::fill_n(layer.start.get(), lanes, int16_t{0});
  layer.neurons = std::move(neurons);
}

}  // namespace cssrun::internal
