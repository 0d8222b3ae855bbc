// One axis of a convolution as a scatter: where the spikes of each source position go.
//
// A window gathers: target o reads source o * stride - pad + k * dilation. Read the other way
// round, source i reaches the targets o for which (i + pad - o * stride) / dilation is a tap. These
// targets are consecutive; which kernel taps they use depends only on the phase, (i + pad) modulo
// stride. With kernel 3, stride 2, pad 1, dilation 1 (taps in the order of targets):
//
//     source 0 (phase 1): targets 0        kernel index 1
//     source 1 (phase 0): targets 0, 1     kernel indices 2, 0
//     source 2 (phase 1): targets 1        kernel index 1
#ifndef CSSRUN_RUNTIME_GEOMETRY_SCATTER_AXIS_H_
#define CSSRUN_RUNTIME_GEOMETRY_SCATTER_AXIS_H_

#include <cstdint>
#include <vector>

#include "runtime/geometry/source_view.h"
#include "runtime/geometry/window_axis.h"

namespace cssrun::internal {

struct ScatterAxis {
  struct Place {
    int64_t phase = 0;  // which set of taps
    int64_t first = 0;  // target position of tap 0; the taps go to consecutive positions
  };

  // The kernel index that a tap of a phase uses, or -1 where the tap does not exist.
  int64_t KernelIndexOf(int64_t phase, int64_t tap) const;
  // Taps of one place that exist and fall on a map of `targets` positions.
  int64_t CountReaders(const Place& place, int64_t targets) const;

  int64_t taps = 1;  // of the largest set
  int64_t phases = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t reach = 1;          // source positions from a window's first tap to its last
  std::vector<Place> places;  // by position of the source's view
};

// `sources` positions of the view, `targets` positions of the map.
ScatterAxis MakeScatterAxis(int64_t sources, int64_t targets, const WindowAxis& window);

// By source position (not view position): how many of `targets` map positions it reaches.
std::vector<uint32_t> CountReaders(const ScatterAxis& axis, const SourceAxis& view, size_t sources,
                                   int64_t targets);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_GEOMETRY_SCATTER_AXIS_H_
