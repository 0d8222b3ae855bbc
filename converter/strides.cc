#include "converter/strides.h"

namespace cssrun::converter {

std::vector<int64_t> StridesOf(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::vector<int64_t> BroadcastStrides(const Shape& shape, const Shape& output) {
  const std::vector<int64_t> own = StridesOf(shape);
  std::vector<int64_t> strides(output.size(), 0);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) strides[output.size() - shape.size() + i] = own[i];
  }
  return strides;
}

std::vector<int64_t> TransposedStrides(const Shape& from, const std::vector<size_t>& axes) {
  const std::vector<int64_t> own = StridesOf(from);
  std::vector<int64_t> strides;
  strides.reserve(axes.size());
  for (const size_t axis : axes) strides.push_back(own[axis]);
  return strides;
}

Strided SlicedStrides(const Shape& from, const std::vector<AxisRange>& ranges) {
  Strided sliced{0, StridesOf(from)};
  for (size_t axis = 0; axis < ranges.size(); ++axis) {
    sliced.offset += ranges[axis].start * sliced.strides[axis];
    // If the axis has one position, its step is never used, and the product could overflow.
    sliced.strides[axis] = ranges[axis].count > 1 ? sliced.strides[axis] * ranges[axis].step : 0;
  }
  return sliced;
}

}  // namespace cssrun::converter
