// What the integer engine decided about a network: plain data, for tests and for `cssinspect`.
//
// It contains everything that the answer's arithmetic depends on (scales, bits, which sums are
// exact) and nothing about memory layout. It is made on request; a run never uses it.
#ifndef CSSRUN_RUNTIME_INTEGER_PLAN_H_
#define CSSRUN_RUNTIME_INTEGER_PLAN_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/integer/kernels/kernel_traits.h"

namespace cssrun::internal {

struct LoadedNetwork;

// Of the readouts, which have code of their own.
inline constexpr KernelTraits kVectorReadout = {.name = "readout", .nanoseconds = 0.012};
// By the float engine's kernels.
inline constexpr KernelTraits kMapReadout = {.name = "map_readout", .nanoseconds = 0.012};

enum class PoolName : uint8_t {
  kNone,
  kDisjoint,     // a position of the map is in one pool at most
  kOverlapping,  // in several; event neurons have a membrane there for each of them
};

// The synapses that carry one source's spikes to a layer.
struct SynapsesPlan {
  uint32_t source = 0;  // layer index
  KernelTraits kernel;
  WeightType weights = WeightType::kInt8;
  uint64_t weight_bytes = 0;     // as laid out, padding and repetitions included
  std::vector<double> scales;    // of its own, by target channel; empty: those of the layer
  bool winograd = false;         // of level_conv: two columns take four products, not six
  bool aligned = false;          // a shortcut of a settled layer that joins the sums in registers
  bool copied = false;           // another one, which does so after its levels were copied
  uint64_t synapses = 0;         // that exist; of the readout, weights
  uint32_t target_channels = 0;  // that a spike reaches at one position; not of the readout
  // Expected operations per image. Level kernels: products, which do not depend on the image. Event
  // kernels and the readout: additions if kExpectedRate of the neurons fire at each step.
  double operations = 0;
};

// Spikes per neuron and step, on average: 0.128 in ResNet-20, 0.134 in VGG-16-slim, both at T = 12,
// beta = 1.5 (`cssrun --summary`, the mean of `rate`).
constexpr double kExpectedRate = 0.13;

struct LayerPlan {
  // Layout of membranes and spikes: lanes per position in a block of channels, and blocks.
  uint32_t lanes = 0;
  uint32_t blocks = 0;
  PoolName pool = PoolName::kNone;
  bool settled = false;  // all input is there when the first spike leaves
  bool fused = false;    // of a settled layer: its 32-bit sums are rounded in registers
  // Units per amplitude by target channel, before the silent period: weights are multiplied by it
  // and rounded to whole units. Empty for the encoder and the readout.
  std::vector<double> scales;
  uint32_t pixel_synapses = 0;  // that see pixels not coded in spikes; added in float,
  uint32_t pixel_planes = 0;    // or, where pixels are bytes, by products with so many planes
  std::vector<SynapsesPlan> synapses;  // all others, in the file's order
};

struct IntegerPlan {
  std::vector<LayerPlan> layers;  // by layer index: the encoder first, the readout last
};

// `network` is one that the integer engine runs.
IntegerPlan DescribePlan(const LoadedNetwork& network);

std::string_view ToString(WeightType weights);
std::string_view ToString(PoolName pool);

// Bits of one weight.
int BitsOf(WeightType weights);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_PLAN_H_
