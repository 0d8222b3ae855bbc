// From the positions that changed in a layer to the positions of the next layer that see them.
#ifndef CSSRUN_RUNTIME_STREAM_TOUCHED_H_
#define CSSRUN_RUNTIME_STREAM_TOUCHED_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/geometry/reach.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/position_bits.h"

namespace cssrun::internal {

// Sets the positions that see what changed.
void Touch(const PositionBits& changed, const Reach& reach, PositionBits& touched);

// What a layer computes of a frame: ranges of touched positions.
class TouchedRanges {
 public:
  TouchedRanges() = default;
  struct Rule {
    bool whole_rows = false;  // kernels can compute nothing less
    uint32_t align = 1;       // columns that are computed together
    uint32_t gap = 0;         // ranges at most so far apart are computed as one
  };
  // Room for the ranges of a map.
  TouchedRanges(size_t rows, size_t columns, const Rule& rule);

  // Returns whether anything is touched.
  bool Set(const PositionBits& touched);
  const RowRanges& ranges() const { return ranges_; }

  uint64_t positions() const;

 private:
  void SetRow(const PositionBits& touched, size_t row);

  uint32_t rows_ = 0;
  uint32_t columns_ = 0;
  Rule rule_;
  RowRanges ranges_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_TOUCHED_H_
