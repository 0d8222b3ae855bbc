// Reads tensors in another order: element p of a box lies at offset + sum of p[axis] *
// strides[axis].
#ifndef CSSRUN_CONVERTER_STRIDES_H_
#define CSSRUN_CONVERTER_STRIDES_H_

#include <cstdint>
#include <vector>

#include "converter/graph.h"
#include "converter/operator_attributes.h"

namespace cssrun::converter {

// The place where a box of a tensor begins, and the distance of a step along each of its axes.
struct Strided {
  int64_t offset = 0;
  std::vector<int64_t> strides;
};

// Returns the strides of a whole tensor: [2, 3, 4] has strides 12, 4, 1.
std::vector<int64_t> StridesOf(const Shape& shape);

// Returns strides that read `shape` as if it had been broadcast to `output`: 0 along repeated axes.
std::vector<int64_t> BroadcastStrides(const Shape& shape, const Shape& output);

// Returns strides that read a tensor of shape `from` with its axes in the order of `axes`.
std::vector<int64_t> TransposedStrides(const Shape& from, const std::vector<size_t>& axes);

// Returns the box that a Slice reads of a tensor of shape `from`.
Strided SlicedStrides(const Shape& from, const std::vector<AxisRange>& ranges);

// Returns the elements of `values` that a box of shape `box` reads, in the box's order.
template <typename T>
std::vector<T> ReadBox(const std::vector<T>& values, const Shape& box, const Strided& from) {
  const int64_t count = ElementCount(box);
  std::vector<T> read;
  read.reserve(static_cast<size_t>(count));
  std::vector<int64_t> position(box.size(), 0);
  int64_t offset = from.offset;
  for (int64_t i = 0; i < count; ++i) {
    read.push_back(values[static_cast<size_t>(offset)]);
    // Step along the last axis; at its end, go back and step along the axis before it.
    for (size_t axis = box.size(); axis-- > 0;) {
      offset += from.strides[axis];
      if (++position[axis] < box[axis]) break;
      offset -= position[axis] * from.strides[axis];
      position[axis] = 0;
    }
  }
  return read;
}

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_STRIDES_H_
