// Event kernel of narrow convolutions with stride 1: the spikes of a source row scatter to the
// target rows, and the sums slide along the row in registers.
//
// Source positions are taken one step after another, a step being as many positions as one line of
// targets holds (one with 32 lanes, two with 16). A step reaches `run` lines in each of the
// kernel's rows, and the next step's run begins one line later:
//
//     line of targets     0   1   2   3   4
//     step 0              *   *   *
//     step 1                  *   *   *
//     step 2                      *   *   *
//
// So the first line of a run has got all spikes of this source row when its step is done: it joins
// the membranes, and the others move up one register. Spikes need no list, because all that one
// spike adds, every tap of the kernel, is one row of weights:
//
//     weights of a block of targets: [word][sign][neuron of the word][tap row][line of the
//     run][lane]
//
// The sums in registers do not saturate, which SumsFit() makes sure of; they join the membranes
// saturating. Both signs of a word are one loop over weights of twice the room: its end cannot be
// predicted, and a second end costs more than weights that are farther away (59 instead of
// 38 GSyOP/s with 16 channels, 150 instead of 93 with 256).
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_ROW_SCATTER_ROW_SCATTER_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_ROW_SCATTER_ROW_SCATTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network_generated.h"
#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/scatter_rows.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/layout/lane_layout.h"

namespace cssrun::internal {

// How a source row slides over its targets.
struct SlidePlan {
  uint32_t steps = 0;         // of a source row
  uint32_t step_neurons = 0;  // neuron indices of one step
  uint32_t tap_rows = 1;      // target rows that a source row reaches at most
  uint32_t run = 1;           // lines that a step reaches in each of them
  uint32_t first_lane = 0;    // where the first step's run begins in a row of membranes
  // The run of the first step begins, and that of the last step ends, in the guards.
  bool ends_outside = false;

  uint32_t tap_row_size() const { return run * kLineLanes; }
  // Weights of one spike.
  uint32_t spike_size() const { return tap_rows * tap_row_size(); }
  // Neurons of a step that share a word.
  uint32_t word_neurons() const { return step_neurons < kLineLanes ? step_neurons : kLineLanes; }
  // Weights of one block of targets; those of negative spikes are negated.
  uint64_t block_size() const { return uint64_t{2} * step_neurons * spike_size(); }
  // One beyond the last lane of a row of membranes that is written.
  uint32_t end_lane() const { return first_lane + (steps - 1 + run) * kLineLanes; }
};

struct RowScatter {
  static constexpr KernelTraits kTraits = {
      .name = "row_scatter", .nanoseconds = 0.024, .takes_lines = true};
  static bool Takes(const Connection& connection, const TargetLayer& target);
  static std::optional<RowScatter> Build(const KernelRequest& request, std::string& reason);
  StoredWeights Stored(const LaneLayout& target) const;

  SlidePlan slide;
  std::vector<ScatterRow> rows;  // by source row
  Weights weights;               // [block][...], see above
};

// What a kernel is made for; `window` has stride and dilation 1 and pads of 0 or more.
struct RowScatterShape {
  uint32_t source_channels = 0;
  uint32_t source_columns = 0;
  LaneLayout source_lanes;
  uint32_t target_channels = 0;
  uint32_t target_columns = 0;
  LaneLayout target_lanes;
  format::Window window;
};

RowScatterShape RowScatterShapeOf(const Connection& connection, const TargetLayer& target);

// `guard` lanes lie before the first column of membranes.
SlidePlan PlanSlide(const RowScatterShape& shape, uint32_t guard);

// Whether no sum in registers can exceed 16 bits, whichever spikes arrive.
bool SumsFit(const RowScatterShape& shape, const ScaledWeights& weights);

// Lays the weights out for kernel.slide. Throws std::bad_alloc.
void FillRowScatter(const RowScatterShape& shape, const ScaledWeights& weights, uint32_t guard,
                    WeightWidth width, RowScatter& kernel);

EventFunctions<RowScatter> Resolve(const RowScatter& kernel);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_ROW_SCATTER_ROW_SCATTER_H_
