#include "runtime/integer/cost.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include "format/geometry.h"
#include "runtime/dot_products.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/plan.h"
#include "runtime/network/loaded_network.h"
#include "runtime/simd_variant.h"

namespace cssrun::internal {
namespace {

// Nanoseconds with 512-bit vectors and byte products, on one core of Zen 4, fitted to whole
// networks (bench/cost.py); kernels have theirs in KernelTraits. They hold for layers of usual
// shapes; a layer of few channels takes longer.
constexpr double kPixelMac = 0.05;
constexpr double kSettledNeuron = 0.3;  // once an image
constexpr double kEventNeuron = 0.2;    // at each step
constexpr double kEncodedPixel = 0.3;   // at each step
constexpr double kLayer = 1000;         // once an image: tasks, clearing
constexpr double kReadout = 6000;       // once an image

// The float engine adds events, too, in four bytes per lane and with its own lists.
constexpr double kFloatAddition = 0.27;

// The constants that depend on the instruction set.
struct Machine {
  // Nanoseconds per product of bytes with up to 5 steps, with 6, 7 and 8. Without VNNI, the
  // larger the levels, the fewer products 16 bits hold (runs-inl.h).
  std::array<double, 4> level_product = {};
  double slowness = 1;  // how much longer everything else takes than with 512 bits
};

Machine ThisMachine() {
  const SimdVariant variant = RunningVariant();
  if (variant.target == HWY_SCALAR) return {{0.3, 0.3, 0.3, 0.3}, 32};
  // No ARM core was timed: estimated from the instructions of its kernels, compared with SSE4's.
  if (HasDotProducts()) return {{0.012, 0.012, 0.012, 0.012}, 3.2};
  if (variant.byte_products && variant.target != HWY_AVX2) return {{0.005, 0.005, 0.005, 0.005}, 1};
  if (variant.target <= HWY_AVX3) return {{0.0075, 0.008, 0.01, 0.015}, 1.2};
  if (variant.byte_products) return {{0.006, 0.006, 0.006, 0.006}, 1.7};
  if (variant.target <= HWY_AVX2) return {{0.0075, 0.009, 0.012, 0.0175}, 1.7};
  return {{0.0155, 0.0175, 0.0245, 0.036}, 3.2};
}

// Of the time of a layer's products without Winograd's: two thirds, and what their factors take.
constexpr double kWinogradShare = 0.72;

constexpr uint32_t kStepsOfByte = 8;  // of levels as large as pixels

double LevelProduct(const Machine& machine, uint32_t timesteps) {
  const size_t at = std::clamp<uint32_t>(timesteps, 5, kStepsOfByte) - 5;
  return machine.level_product[at];
}

// Lanes that events are added to, with or without a target, by kernels with `takes_lines`.
double LanesOf(const LayerPlan& layer, const SynapsesPlan& synapses) {
  const bool fills_lanes = synapses.target_channels >= layer.lanes;
  const double line = std::max(1U, synapses.target_channels);
  return fills_lanes ? synapses.operations : synapses.operations * kLineLanes / line;
}

// The work of a layer that does not depend on its input.
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
         kFloatAddition * ThisMachine().slowness / 1e6;
}

}  // namespace

std::vector<double> ExpectedLayerMilliseconds(const LoadedNetwork& network) {
  const IntegerPlan plan = DescribePlan(network);
  const Machine machine = ThisMachine();
  const double level_product = LevelProduct(machine, network.timesteps);
  std::vector<double> milliseconds;
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    double nanoseconds = NeuronNanoseconds(network, layer, plan.layers[i]);
    double products = 0;
    for (const DirectSynapses& direct : layer.direct) {
      const auto macs = static_cast<double>(direct.macs);
      if (plan.layers[i].pixel_planes > 0) {
        products += plan.layers[i].pixel_planes * macs * LevelProduct(machine, kStepsOfByte);
      } else {
        nanoseconds += macs * kPixelMac;
      }
    }
    for (const SynapsesPlan& synapses : plan.layers[i].synapses) {
      if (!synapses.kernel.nanoseconds.has_value()) {
        products += synapses.operations * level_product * (synapses.winograd ? kWinogradShare : 1);
        continue;
      }
      const bool lines = synapses.kernel.takes_lines;
      nanoseconds += (lines ? LanesOf(plan.layers[i], synapses) : synapses.operations) *
                     *synapses.kernel.nanoseconds;
    }
    milliseconds.push_back((nanoseconds * machine.slowness + products + kLayer) / 1e6);
  }
  return milliseconds;
}

double ExpectedMilliseconds(const LoadedNetwork& network) {
  if (network.engine() == EngineKind::kFloat) return FloatMilliseconds(network);
  const std::vector<double> layers = ExpectedLayerMilliseconds(network);
  return std::accumulate(layers.begin(), layers.end(), 0.0);
}

}  // namespace cssrun::internal
