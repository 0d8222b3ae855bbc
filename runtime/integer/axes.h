// One axis of what lies between a source layer and its target: a mean, a window, a pool.
#ifndef CSSRUN_RUNTIME_INTEGER_AXES_H_
#define CSSRUN_RUNTIME_INTEGER_AXES_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"

namespace cssrun::internal {

// What a window sees of a source: its positions, or those of a mean over them.
struct SeenAxis {
  int64_t size = 0;
  // Source positions of one seen position where they are apart and in order; 0 where means overlap
  // or are padded.
  int64_t divisor = 1;
  std::vector<std::vector<uint32_t>> sources;  // by seen position
};

struct Seen {
  SeenAxis y, x;

  bool apart() const { return y.divisor != 0 && x.divisor != 0; }
};

Seen SeenThrough(const format::Synapses& synapses, const format::Extent& source);

// One axis of a convolution as a scatter: where the taps of each source position go.
struct Axis {
  struct Place {
    int64_t phase = 0;  // which of the tap sets
    int64_t first = 0;  // target position of tap 0; taps go to consecutive positions
  };

  // The kernel index of a tap, or -1.
  int64_t KernelOf(int64_t phase, int64_t tap) const;
  // Taps of one place that exist and fall on a map of `targets` positions.
  int64_t ReadersOf(const Place& place, int64_t targets) const;

  int64_t taps = 1;  // of the largest set
  int64_t phases = 1;
  int64_t stride = 1, dilation = 1, reach_of_kernel = 1;
  std::vector<Place> places;  // by seen position
};

Axis MakeAxis(int64_t seen, int64_t targets, int64_t kernel, int64_t stride, int64_t pad,
              int64_t dilation);

// The membranes of a pooled layer: those of a pool lie side by side. Where pools overlap, a
// position of the map has a membrane in each of them, since each pool subtracts what it sends
// itself.
struct PoolAxis {
  uint32_t members = 1;            // of one pool
  uint32_t stride = 1;             // membranes from one pool to the next
  uint32_t size = 0;               // membranes
  bool apart = true;               // each membrane is the position of the same number
  std::vector<int64_t> positions;  // by membrane; -1: beyond the map, never the largest
};

PoolAxis MakePoolAxis(int64_t map, int64_t pools, int64_t kernel, int64_t stride, int64_t pad,
                      int64_t dilation);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_AXES_H_
