// The dead zone of a stream: a neuron keeps what it sends while its potential stays near.
//
// A neuron that sends level v sends it again while its new potential z, in whole settled units,
// stays within
//
//     |z - v 2^fraction| <= limit
//
// Its potential is then replaced by one that sends the same, so levels and digits are written as
// usual. If levels leave the kernel that sums, no potential is in memory: the kernel then writes
// the lowest and highest level that would stay, see LevelBounds.
#ifndef CSSRUN_RUNTIME_INTEGER_NEURONS_DEAD_ZONE_H_
#define CSSRUN_RUNTIME_INTEGER_NEURONS_DEAD_ZONE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/neurons/settled.h"

namespace cssrun::internal {

// What a layer sent last.
struct DeadZone {
  // In settled units; less than 0: nothing was sent before.
  int16_t limit = -1;
  uint32_t timesteps = 0;
  bool negative_spikes = true;
  size_t columns = 0;  // positions of a row that is sent
  // For a layer that sends levels alone: these.
  const LevelFrame* levels = nullptr;
  // For any other layer: by neuron, [row][word of spikes][lane], the potential with which it last
  // sent something new, and what its digits carried, in settled units.
  int16_t* potentials = nullptr;
  int16_t* carried = nullptr;
};

// Replaces the potentials, in row `row` of the membranes, of those neurons of row `sent_row` that
// keep what they sent; for columns that fill whole lines.
void KeepLevels(const SettledRow& settled, const DeadZone& zone, size_t row, size_t sent_row,
                const ColumnRange& columns);

// The limit of a dead zone of so many levels, but at most all levels, plus the half that rounding
// takes.
int16_t DeadZoneLimit(double levels, uint32_t timesteps);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_DEAD_ZONE_H_
