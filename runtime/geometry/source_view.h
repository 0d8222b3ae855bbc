// A source layer as its synapses see it: its map itself, or the means of windows over it, and
// either of them spread out.
//
// An average pool has no neurons of its own. Each spike of a source position counts 1 / k^2 in the
// mean of every window that the position belongs to, so the next convolution sees a map of means
// and each of its positions stands for several source positions. A view that is spread out also has
// positions that stand for no source position.
#ifndef CSSRUN_RUNTIME_GEOMETRY_SOURCE_VIEW_H_
#define CSSRUN_RUNTIME_GEOMETRY_SOURCE_VIEW_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"

namespace cssrun::internal {

// One axis of the view.
struct SourceAxis {
  int64_t size = 0;  // positions of the view
  // Source positions of one view position where the windows are disjoint and in order: view
  // position v is source positions [v * divisor, (v + 1) * divisor). 0 where windows overlap or are
  // padded, or positions are spread out; then only `sources` tells.
  int64_t divisor = 1;
  std::vector<std::vector<uint32_t>> sources;  // by view position
};

struct SourceView {
  SourceAxis y, x;

  // Every source position belongs to at most one view position.
  bool disjoint() const { return y.divisor != 0 && x.divisor != 0; }
};

SourceView ViewSource(const format::Synapses& synapses, const format::Extent& source);
// `mean`: the window of the means; null: none.
SourceView ViewSource(const format::Window* mean, int32_t spread_y, int32_t spread_x,
                      const format::Extent& source);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_GEOMETRY_SOURCE_VIEW_H_
