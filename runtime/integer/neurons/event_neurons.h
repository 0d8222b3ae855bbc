// Neurons that integrate, fire and grow step by step, in 16 bits.
//
// State of a neuron: the residual M (its input minus what it sent) and G (what it sent); this is
// the residual form of TSA-ReLU (appendix A.7):
//
//     o = max(M, -G)           without rectification o = M
//     spike where |o| reaches the threshold:  M -= u, G += u (with the spike's sign)
//     M = beta M + bias, G = beta G
//
// Everything saturates. A pool's members share G; since the maximum over members of max(h, 0) - G
// is max(max M, -G), every member loses what the pool sends.
#ifndef CSSRUN_RUNTIME_INTEGER_NEURONS_EVENT_NEURONS_H_
#define CSSRUN_RUNTIME_INTEGER_NEURONS_EVENT_NEURONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "hwy/aligned_allocator.h"
#include "runtime/geometry/pool_axis.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

// Parameters by parameter lane (MembraneLayout), in units of each target channel.
struct EventNeurons {
  hwy::AlignedFreeUniquePtr<int16_t[]> unit;        // what a spike takes off
  hwy::AlignedFreeUniquePtr<int16_t[]> thresholds;  // [spike index][lane]; to be exceeded
  hwy::AlignedFreeUniquePtr<int16_t[]> biases;      // [input index][lane]; their rounding cancels
};

// How a membrane grows from step to step.
struct Growth {
  float beta = 1.5F;
  int whole = 1;
  int16_t fraction = 0;  // beta - whole, in 1/32768: for betas that are neither 1.5 nor 2

  static Growth Of(float beta);
};

// The windows of the pools of settled neurons.
struct PoolWindows {
  WindowAxis y, x;
};

// Max pools of a layer; both axes are trivial without pools. Settled neurons subtract nothing when
// they send, so a map position has one membrane, however many pools see it: their axes are trivial
// as well, and `windows` is set.
struct LayerPools {
  PoolAxis y, x;
  uint32_t rows = 0;  // of spikes: pools
  uint32_t columns = 0;
  std::optional<PoolWindows> windows;

  bool pooled() const {
    return windows.has_value() || y.members * x.members > 1 || y.stride > 1 || x.stride > 1;
  }
  // Each membrane is the map position of the same number.
  bool disjoint() const { return y.disjoint && x.disjoint; }
};

// One step of a part of a layer.
struct NeuronStep {
  // What only a firing step has; unset in the silent period.
  struct Firing {
    SpikeFrame* spikes = nullptr;
    const int16_t* unit = nullptr;
    const int16_t* thresholds = nullptr;  // of this spike index
  };

  const MembraneLayout* layout = nullptr;
  const LayerPools* pools = nullptr;
  bool rectify = false;
  bool negative_spikes = true;
  bool round_up = false;  // beta 1.5: halves are rounded down and up in turn
  Growth growth;
  LayerPart part;
  int16_t* membranes = nullptr;
  int16_t* sent = nullptr;  // G, [spike row][neuron]; null where the layer does not rectify
  std::optional<Firing> firing;
  const int16_t* biases = nullptr;  // of the next input index; null after the last
};

// Fires and grows row `row` of the membranes; pools fire with the last row of their members. Looked
// up once per step, called once per row, in order.
using FireRowFunction = void (*)(const NeuronStep& step, size_t row);
FireRowFunction ResolveFireRow();

// What pixels add to event neurons at each step, in units, and the remainder of its rounding:
// [block][row][map lanes].
struct PixelPotentials {
  const float* potentials = nullptr;
  float* carry = nullptr;
};

// Adds the pixels' potentials, rounded to whole units; the remainder, at most a unit, grows as
// membranes do and is added at the next step.
void AddPixels(const PixelPotentials& pixels, const MembraneLayout& layout, const LayerPart& part,
               float beta, int16_t* membranes);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_EVENT_NEURONS_H_
