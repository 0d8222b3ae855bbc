// From the positions that changed in a layer to those that see them in the next.
#ifndef CSSRUN_RUNTIME_STREAM_TOUCHED_H_
#define CSSRUN_RUNTIME_STREAM_TOUCHED_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/geometry/reach.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/stream/position_bits.h"

namespace cssrun::internal {

// Sets the positions that see what changed.
void Touch(const PositionBits& changed, const Reach& reach, PositionBits& touched);

// What a layer computes of a frame: ranges of touched positions.
class TouchedRanges {
 public:
  TouchedRanges() = default;
  // Room for the ranges of a map. `whole_rows`: kernels know nothing less. `align`: columns that
  // are computed together.
  TouchedRanges(size_t rows, size_t columns, bool whole_rows, uint32_t align);

  // Returns whether anything is touched.
  bool Set(const PositionBits& touched);
  const RowRanges& ranges() const { return ranges_; }

  uint64_t positions() const;

 private:
  void SetRow(const PositionBits& touched, size_t row);

  uint32_t rows_ = 0;
  uint32_t columns_ = 0;
  bool whole_rows_ = false;
  uint32_t align_ = 1;
  RowRanges ranges_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_TOUCHED_H_
