// How a convolution of stride 1 rolls over a row of spikes.
//
// Source positions are taken group by group, as many as a chunk of targets has positions, so that
// the chunks that a group reaches begin one chunk after those of the group before. Their sums roll
// along in registers: a group's first chunk has got all of the row's spikes when the group is done,
// and is the only one that joins the membranes. Spikes need no list: each is a bit, and all that it
// adds to, every tap of the kernel, lies in one row of weights.
#ifndef CSSRUN_RUNTIME_INTEGER_ROLL_H_
#define CSSRUN_RUNTIME_INTEGER_ROLL_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "runtime/integer/lane_layout.h"

namespace cssrun::internal {

struct RollPlan {
  uint32_t groups = 0;      // of a source row
  uint32_t neurons = 0;     // of a group
  uint32_t tap_rows = 1;    // target rows that a source row reaches at most
  uint32_t run = 1;         // chunks that a group reaches in each of them
  uint32_t first_lane = 0;  // where the first group's run begins in a row of membranes
  // The run of the first group begins, and that of the last one ends, in the guards.
  bool ends_outside = false;

  uint32_t tap_row_size() const { return run * kChunkLanes; }
  uint32_t spike_size() const { return tap_rows * tap_row_size(); }
  // Neurons of a group that share a word.
  uint32_t word_neurons() const { return neurons < kChunkLanes ? neurons : kChunkLanes; }
  // Weights of one block of targets, [word][sign][neuron of the word][tap row][run][lane]: those of
  // negative spikes negated.
  uint64_t block_size() const { return uint64_t{2} * neurons * spike_size(); }
  // One beyond the last lane of a row of membranes that is written.
  uint32_t end_lane() const { return first_lane + (groups - 1 + run) * kChunkLanes; }
};

// What a plan is made for; `window` has stride and dilation 1 and pads of 0 or more.
struct RollShape {
  uint32_t source_channels = 0;
  uint32_t source_columns = 0;
  LaneLayout source;
  uint32_t target_channels = 0;
  uint32_t target_columns = 0;
  LaneLayout target;
  const format::Window* window = nullptr;
};

// `guard` lanes lie before the first column of membranes.
RollPlan PlanRoll(const RollShape& shape, uint32_t guard);

// Whether no sum in registers can exceed 16 bits, whichever spikes arrive. Scales are units per
// amplitude, by target channel.
bool SumsFit(const RollShape& shape, const float* weights, const std::vector<double>& scales);

// Writes the weights of all blocks into `wide` or, if null, into `narrow`.
void FillRoll(const RollShape& shape, const RollPlan& plan, const float* weights,
              const std::vector<double>& scales, uint32_t guard, int16_t* wide, int8_t* narrow);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_ROLL_H_
