#include "runtime/python/images.h"

#include <array>
#include <span>

namespace cssrun::python {
namespace py = pybind11;

namespace {

using Shape = std::array<py::ssize_t, 3>;

Shape ShapeOf(const InputFormat& format, PixelOrder order) {
  const auto channels = static_cast<py::ssize_t>(format.channels);
  const auto height = static_cast<py::ssize_t>(format.height);
  const auto width = static_cast<py::ssize_t>(format.width);
  if (order == PixelOrder::kPlanar) return {channels, height, width};
  return {height, width, channels};
}

std::string Text(const Shape& shape) {
  return "(" + std::to_string(shape[0]) + ", " + std::to_string(shape[1]) + ", " +
         std::to_string(shape[2]) + ")";
}

// The order of the array's last three dimensions: that of `layout`, or the only one that fits the
// shape. Throws ValueError if none or both fit.
PixelOrder NamedOrder(const py::array& array, const InputFormat& format,
                      const std::optional<std::string>& layout) {
  if (layout.has_value() && *layout != "HWC" && *layout != "CHW") {
    throw py::value_error("layout is \"HWC\" or \"CHW\", not \"" + *layout + "\"");
  }
  const Shape interleaved = ShapeOf(format, PixelOrder::kInterleaved);
  const Shape planar = ShapeOf(format, PixelOrder::kPlanar);
  const auto fits = [&](const Shape& shape) {
    if (array.ndim() < 3 || array.ndim() > 4) return false;
    for (py::ssize_t i = 0; i < 3; ++i) {
      if (array.shape(array.ndim() - 3 + i) != shape[static_cast<size_t>(i)]) return false;
    }
    return true;
  };
  const bool may_interleave = layout != "CHW" && fits(interleaved);
  const bool may_be_planar = layout != "HWC" && fits(planar);
  if (may_interleave && may_be_planar) {
    throw py::value_error("images of shape " + Text(planar) +
                          " may be either: say layout=\"HWC\" or layout=\"CHW\"");
  }
  if (may_interleave) return PixelOrder::kInterleaved;
  if (may_be_planar) return PixelOrder::kPlanar;
  std::string takes;
  if (layout != "CHW") takes += Text(interleaved);
  if (!layout.has_value()) takes += " or ";
  if (layout != "HWC") takes += Text(planar);
  throw py::value_error("an array of shape " + py::str(array.attr("shape")).cast<std::string>() +
                        "; the network takes images of " + takes + ", one or a batch of them");
}

// The strides of height, width and channels, in numbers, of one contiguous image in that order.
Shape StridesOf(const InputFormat& format, PixelOrder order) {
  const auto channels = static_cast<py::ssize_t>(format.channels);
  const auto height = static_cast<py::ssize_t>(format.height);
  const auto width = static_cast<py::ssize_t>(format.width);
  if (order == PixelOrder::kPlanar) return {width, 1, width * height};
  return {width * channels, channels, 1};
}

// Whether each image of the array is contiguous in memory in `order`. `named` is the order of the
// array's dimensions, which may differ: a transposed view has the shape of one and the memory of
// the other.
bool LiesIn(const py::array& array, PixelOrder named, const InputFormat& format, PixelOrder order) {
  const py::ssize_t first = array.ndim() - 3;
  // The indices of height, width and channels among the array's dimensions.
  const Shape place = named == PixelOrder::kPlanar ? Shape{first + 1, first + 2, first}
                                                   : Shape{first, first + 1, first + 2};
  const Shape strides = StridesOf(format, order);
  for (size_t i = 0; i < 3; ++i) {
    // The stride of a dimension of size 1 does not matter.
    if (array.shape(place[i]) > 1 && array.strides(place[i]) != strides[i] * array.itemsize()) {
      return false;
    }
  }
  return true;
}

}  // namespace

ImageBatch ViewImages(const py::object& images, const InputFormat& format,
                      const std::optional<std::string>& layout) {
  ImageBatch batch;
  batch.array = py::module_::import("numpy").attr("asarray")(images);
  batch.floats = py::isinstance<py::array_t<float>>(batch.array);
  if (!batch.floats && !py::isinstance<py::array_t<uint8_t>>(batch.array)) {
    throw py::type_error("images of " + py::str(batch.array.dtype()).cast<std::string>() +
                         "; the network takes uint8, or float32 from 0 to 1");
  }
  const PixelOrder named = NamedOrder(batch.array, format, layout);
  const bool aligned = (batch.array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  batch.order = named;
  if (aligned && LiesIn(batch.array, named, format, PixelOrder::kInterleaved)) {
    batch.order = PixelOrder::kInterleaved;
  } else if (aligned && LiesIn(batch.array, named, format, PixelOrder::kPlanar)) {
    batch.order = PixelOrder::kPlanar;
  } else {
    batch.array = py::module_::import("numpy").attr("array")(batch.array, py::arg("order") = "C",
                                                             py::arg("copy") = true);
    batch.copied = true;
  }
  batch.batched = batch.array.ndim() == 4;
  batch.count = batch.batched ? static_cast<size_t>(batch.array.shape(0)) : 1;
  batch.stride = batch.batched ? batch.array.strides(0) : 0;
  batch.values = size_t{format.channels} * format.height * format.width;
  batch.first = static_cast<const std::byte*>(batch.array.data());
  return batch;
}

Status ImageBatch::Run(Session& session, size_t index, Answer& answer) const {
  const std::byte* image = first + stride * static_cast<py::ssize_t>(index);
  if (floats) {
    return session.Run(std::span(reinterpret_cast<const float*>(image), values), answer, order);
  }
  return session.Run(std::span(reinterpret_cast<const uint8_t*>(image), values), answer, order);
}

Status ImageBatch::Next(Stream& stream, StreamAnswer& answer) const {
  if (floats) {
    return stream.Next(std::span(reinterpret_cast<const float*>(first), values), answer, order);
  }
  return stream.Next(std::span(reinterpret_cast<const uint8_t*>(first), values), answer, order);
}

}  // namespace cssrun::python
