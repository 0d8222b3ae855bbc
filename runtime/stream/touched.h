// From the positions that changed in a layer to those that see them in the next.
#ifndef CSSRUN_RUNTIME_STREAM_TOUCHED_H_
#define CSSRUN_RUNTIME_STREAM_TOUCHED_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/geometry/reach.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/neurons/event_neurons.h"
#include "runtime/stream/position_bits.h"

namespace cssrun::internal {

// Sets the positions that see what changed.
void Touch(const PositionBits& changed, const Reach& reach, PositionBits& touched);

// What a layer computes of a frame: ranges of touched positions.
class TouchedRanges {
 public:
  TouchedRanges() = default;
  // Room for the layer's ranges. `whole_rows`: its kernels know nothing less.
  TouchedRanges(const MembraneLayout& membranes, const LayerPools& pools, bool whole_rows,
                bool whole_lines);

  // Returns whether anything is touched.
  bool Set(const PositionBits& touched);

  // Positions of what is sent.
  uint64_t positions() const;
  // By row of what is sent, and by row of membranes.
  const RowRanges& sent() const { return sent_; }
  const RowRanges& membranes() const { return pooled_ ? membranes_ : sent_; }

 private:
  void SetRow(const PositionBits& touched, size_t row);

  uint32_t rows_ = 0;  // of what is sent
  uint32_t columns_ = 0;
  uint32_t membrane_rows_ = 0;
  uint32_t membrane_columns_ = 0;
  uint32_t stride_y_ = 1, stride_x_ = 1, members_y_ = 1, members_x_ = 1;
  uint32_t align_ = 1;  // columns that are computed together
  bool pooled_ = false;
  bool whole_rows_ = false;
  RowRanges sent_, membranes_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_TOUCHED_H_
