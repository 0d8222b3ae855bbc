// A network that takes events, laid out for the event engine: immutable, shared by threads.
//
// Neurons lie [row][column][channel], channels last: what a spike adds to the channels of one
// position, or of consecutive ones, is contiguous. The channels of a position take `lanes` numbers.
#ifndef CSSRUN_RUNTIME_EVENTS_EVENT_NETWORK_H_
#define CSSRUN_RUNTIME_EVENTS_EVENT_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "hwy/aligned_allocator.h"
#include "network_generated.h"
#include "runtime/events/event_axis.h"

namespace cssrun::internal {

// From one node's spikes to another node's inputs.
struct EventConnection {
  size_t source = 0;
  bool delayed = false;  // the spikes of the step before
  bool valued = false;   // the source sends values, not spikes
  uint32_t groups = 1;
  uint32_t group_sources = 0;  // channels
  uint32_t group_targets = 0;
  // Numbers per tap: with one group, the lanes of the target, so that the taps of consecutive
  // positions are contiguous; else group_targets.
  size_t tap_size = 0;
  EventAxis rows;
  EventAxis columns;
  // [source channel][row tap][column tap][tap_size], in units of the target (SpikingLayer::unit).
  hwy::AlignedFreeUniquePtr<int32_t[]> weights;
  // If there is one target position and every source position reaches it once: by source position,
  // where its weights begin within a channel, in taps. Otherwise empty.
  std::vector<uint32_t> taps_of_one;
  // Bounds of a target's sum at a step, in units: the sum of its absolute weights; by source
  // channel the most that a single spike adds; and the largest of these.
  double largest_sum = 0;
  std::vector<double> largest_of_spike;
  double largest_of_any = 0;
};

// Neurons whose potentials are whole multiples of the unit of their weights, and stay so: they
// neither leak nor multiply, and thresholds, resets, floors and drives are whole multiples, too.
// Then 32 bits hold what double precision would compute, as long as nothing leaves their range.
struct WholeNeurons {
  // The parameters of a position lie together, one row of lanes for each, in units.
  // kInverse: of the threshold, as a float.
  enum Row : uint8_t { kHighest, kFloor, kThreshold, kInverse, kResetValue, kDrive, kRows };

  // A potential within this and an input within that: their sum fits 32 bits.
  int32_t largest_potential = 0;
  double largest_input = 0;
  bool drives = false;  // some drive is not 0
  size_t pitch = 0;     // of the parameters of positions; 0 where all share them
  // A potential above kHighest fires.
  hwy::AlignedFreeUniquePtr<int32_t[]> parameters;
};

// The neurons of a node; or the input, which has no parameters.
struct SpikingLayer {
  size_t positions() const { return size_t{extent.height()} * extent.width(); }
  size_t size() const { return positions() * lanes; }
  // Where the numbers of a position begin in the parameters.
  size_t ParametersAt(size_t position) const { return position * pitch; }

  std::string name;
  format::Extent extent;
  format::EventSending sending = format::EventSending::Spikes;
  size_t lanes = 0;        // of a position: the channels, rounded up
  size_t pitch = 0;        // of the parameters: `lanes`, or 0 where all positions share them
  bool leaks = false;      // some decay is neither 1 nor 0
  bool forgets = false;    // some decay is not 1
  bool stepped = false;    // must be brought up to date at every step
  bool several = false;    // may send several spikes at one step
  bool subtracts = false;  // reset
  bool delays = false;     // a delayed connection reads its spikes
  // Lanes beyond the channels are never above their threshold.
  hwy::AlignedFreeUniquePtr<double[]> decay;
  hwy::AlignedFreeUniquePtr<double[]> gain;
  hwy::AlignedFreeUniquePtr<double[]> drive;
  hwy::AlignedFreeUniquePtr<double[]> current_decay;  // unset: no currents
  hwy::AlignedFreeUniquePtr<double[]> threshold;
  hwy::AlignedFreeUniquePtr<double[]> reset_value;
  hwy::AlignedFreeUniquePtr<double[]> floor;
  // A power of two: weights are whole multiples of it. Sums of weights times numbers of spikes are
  // then exact, in any order.
  double unit = 1;
  std::optional<WholeNeurons> whole;  // unset: potentials are kept in double precision
  std::vector<EventConnection> connections;
};

struct EventNetwork {
  EventReading reading;
  std::vector<SpikingLayer> nodes;  // the input first
  uint64_t fingerprint = 0;         // of all that saved states depend on
};

// Throws std::bad_alloc.
EventNetwork LayOutEvents(const format::EventNetwork& file);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EVENTS_EVENT_NETWORK_H_
