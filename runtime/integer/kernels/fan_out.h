// How many synapses each spike of a source reaches: counts synaptic operations (SyOPs).
//
// A spike of source neuron (row y, column x, channel c) reaches
//
//     row_readers[y] * (target columns that read x) * target_channels
//
// membranes; borders count only synapses that exist. Nearly all columns reach equally many target
// columns, so a row counts the number of its spikes times `usual_columns`, and `exceptions` correct
// this word by word.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_FAN_OUT_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_FAN_OUT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/integer/neurons/level_rule.h"

namespace cssrun::internal {

struct FanOut {
  // Neurons of a word that reach more or fewer target columns than usual.
  struct Exception {
    uint32_t word = 0;
    int32_t difference = 0;
    uint64_t mask = 0;  // both signs

    // Whether one correction does for the spikes of both.
    bool CountsWith(const Exception& other) const {
      return difference == other.difference && mask == other.mask;
    }
  };

  uint64_t synapses = 0;              // all that exist
  uint32_t target_channels = 0;       // that each target position has for one spike
  uint32_t usual_columns = 0;         // target columns that most neurons reach
  std::vector<uint32_t> row_readers;  // by source row: target rows that it reaches
  std::vector<Exception> exceptions;  // those that are counted together follow one another
};

// Sets `usual_columns` and `exceptions`. `columns_reached`: by neuron of a row, whole words.
void SetColumns(const std::vector<int32_t>& columns_reached, FanOut& fan_out);

// SyOPs of the spikes of source rows [first, last).
uint64_t CountSynops(const FanOut& fan_out, const SpikeFrame& frame, size_t first, size_t last);

// Levels whose spikes are not written, and the number of spikes that they stand for.
struct CountedLevels {
  const LevelFrame* levels = nullptr;
  const LevelRule* rule = nullptr;
  std::span<const uint32_t> row_spikes;  // by row
};

// Counts the spikes of rows of `neurons` levels, of all steps: of row `first` and as many as
// `row_spikes` has room for.
void CountLevelSpikes(const LevelFrame& levels, const LevelRule& rule, size_t neurons,
                      std::span<uint32_t> row_spikes, size_t first = 0);

// CountSynops() of all steps.
uint64_t CountLevelSynops(const FanOut& fan_out, const CountedLevels& source, size_t first,
                          size_t last);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_FAN_OUT_H_
