// What event kernels have in common: they add the spikes of one step to the membranes that the
// spikes reach, target row by target row.
//
// A kernel is a plain struct of weights and tables, made at load time, and two functions:
//
//     prepare(kernel, input, target)        once a step, before the first row
//     add_row(kernel, input, target, row)   adds all that target row `row` needs
//
// Rows come in ascending order, so that a row may fire as soon as all kernels have added to it,
// while its membranes are in the first-level cache. A kernel that scatters may also add to later
// rows when it adds the spikes that a row needs. Sums join the membranes by saturating additions in
// an order that the network alone decides, so every instruction set gives the same bits.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_KERNEL_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_KERNEL_H_

#include <cstddef>
#include <cstdint>

#include "runtime/integer/kernels/tile_gather/spike_lists.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

// Where spikes are added.
struct EventTarget {
  const MembraneLayout* layout = nullptr;
  LayerPart part;
  int16_t* membranes = nullptr;
};

// The spikes of one step, and what a kernel keeps from row to row.
struct EventInput {
  const SpikeFrame* spikes = nullptr;
  SpikeLists* lists = nullptr;  // room for what TileGather lists
  size_t next_source_row = 0;  // kernels that scatter: the first row whose spikes are not added yet
};

// The best variants for this machine of a kernel's two functions: looked up once a layer and step.
template <class Kernel>
struct EventFunctions {
  void (*prepare)(const Kernel& kernel, EventInput& input, const EventTarget& target);
  void (*add_row)(const Kernel& kernel, EventInput& input, const EventTarget& target, size_t row);
};

// For kernels that have nothing to prepare.
template <class Kernel>
void PrepareNothing(const Kernel&, EventInput&, const EventTarget&) {}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_KERNEL_H_
