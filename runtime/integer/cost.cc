#include "runtime/integer/cost.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "format/geometry.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/plan.h"
#include "runtime/network/loaded_network.h"
#include "runtime/simd_variant.h"

namespace cssrun::internal {
namespace {

// Nanoseconds with 512-bit vectors and byte products, on one core of Zen 4, fitted to whole
// networks (bench/cost.py). They hold for layers of usual shapes; a layer of few channels takes
// longer.
constexpr double kLevelProduct = 0.005;
constexpr double kLevelDepthwiseProduct = 0.03;
constexpr double kLevelShortcutProduct = 0.1;
// Of a lane, whether a target is in it or not.
constexpr double kTileGatherAddition = 0.031;
constexpr double kRowScatterAddition = 0.024;
constexpr double kDepthwiseAddition = 0.012;
constexpr double kEventShortcutAddition = 0.3;
constexpr double kReadoutAddition = 0.012;
constexpr double kPixelMac = 0.05;
constexpr double kSettledNeuron = 0.3;  // once an image
constexpr double kEventNeuron = 0.2;    // at each step
constexpr double kEncodedPixel = 0.3;   // at each step
constexpr double kLayer = 1000;         // once an image: tasks, clearing
constexpr double kReadout = 6000;       // once an image

// The float engine adds events, too, in four bytes a lane and with lists of its own.
constexpr double kFloatAddition = 0.5;

// By what other vectors take longer.
double Slowness() {
  const SimdVariant variant = RunningVariant();
  if (variant.byte_products) return 1;
  constexpr double kWidest = 64;
  const double bytes = variant.target <= HWY_AVX3 ? 64 : variant.target <= HWY_AVX2 ? 32 : 16;
  return kWidest / bytes;
}

// By what byte products take longer without the instruction that multiplies four at a time.
double ProductSlowness() { return RunningVariant().byte_products ? 1 : 2; }

// Lanes that events are added to, whether a target is in them or not: a spike that reaches one
// channel of a position takes a whole line of lanes.
double LanesOf(const LayerPlan& layer, const SynapsesPlan& synapses) {
  const bool fills_lanes = synapses.target_channels >= layer.lanes;
  const double line = std::max(1U, synapses.target_channels);
  return fills_lanes ? synapses.operations : synapses.operations * kLineLanes / line;
}

double Nanoseconds(const LayerPlan& layer, const SynapsesPlan& synapses) {
  switch (synapses.kernel) {
    case KernelName::kLevelConv:
      return synapses.operations * kLevelProduct * ProductSlowness();
    case KernelName::kLevelDepthwise:
      return synapses.operations * kLevelDepthwiseProduct;
    case KernelName::kLevelShortcut:
      return synapses.operations * kLevelShortcutProduct;
    case KernelName::kTileGather:
      return LanesOf(layer, synapses) * kTileGatherAddition;
    case KernelName::kRowScatter:
      return LanesOf(layer, synapses) * kRowScatterAddition;
    case KernelName::kDepthwise:
      return LanesOf(layer, synapses) * kDepthwiseAddition;
    case KernelName::kEventShortcut:
      return synapses.operations * kEventShortcutAddition;
    case KernelName::kReadout:
    case KernelName::kMapReadout:
      break;
  }
  return synapses.operations * kReadoutAddition;
}

// What a layer does whatever reaches it.
double NeuronNanoseconds(const LoadedNetwork& network, const Layer& layer, const LayerPlan& plan) {
  const auto steps = static_cast<double>(network.timesteps);
  const auto membranes = static_cast<double>(Neurons(layer.potential));
  switch (layer.kind) {
    case format::NodeKind::Encoder:
      if (network.direct_input.has_value()) return 0;
      return static_cast<double>(Neurons(layer.extent)) * steps * kEncodedPixel;
    case format::NodeKind::Neurons:
      return plan.settled ? membranes * kSettledNeuron : membranes * steps * kEventNeuron;
    case format::NodeKind::Readout:
      break;
  }
  return kReadout;
}

double FloatMilliseconds(const LoadedNetwork& network) {
  return static_cast<double>(network.macs_per_image) * network.timesteps * kExpectedRate *
         kFloatAddition * Slowness() / 1e6;
}

}  // namespace

std::vector<double> ExpectedLayerMilliseconds(const LoadedNetwork& network) {
  const IntegerPlan plan = DescribePlan(network);
  const double slowness = Slowness();
  std::vector<double> milliseconds;
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    double nanoseconds = NeuronNanoseconds(network, layer, plan.layers[i]);
    for (const DirectSynapses& direct : layer.direct) {
      const double mac =
          plan.layers[i].whole_pixels ? 2 * kLevelProduct * ProductSlowness() : kPixelMac;
      nanoseconds += static_cast<double>(direct.macs) * mac;
    }
    for (const SynapsesPlan& synapses : plan.layers[i].synapses) {
      nanoseconds += Nanoseconds(plan.layers[i], synapses);
    }
    milliseconds.push_back((nanoseconds * slowness + kLayer) / 1e6);
  }
  return milliseconds;
}

double ExpectedMilliseconds(const LoadedNetwork& network) {
  if (network.engine() == EngineKind::kFloat) return FloatMilliseconds(network);
  const std::vector<double> layers = ExpectedLayerMilliseconds(network);
  return std::accumulate(layers.begin(), layers.end(), 0.0);
}

}  // namespace cssrun::internal
