// Views the images of a NumPy array in the form that the runtime takes. Nothing is copied if each
// image is contiguous in memory, with interleaved channels (HWC) or plane by plane (CHW).
#ifndef CSSRUN_RUNTIME_PYTHON_IMAGES_H_
#define CSSRUN_RUNTIME_PYTHON_IMAGES_H_

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/stream.h"

namespace cssrun::python {

struct ImageBatch {
  pybind11::array array;  // owns the memory
  const std::byte* first = nullptr;
  pybind11::ssize_t stride = 0;  // bytes from one image to the next; may be negative
  size_t count = 0;              // images
  size_t values = 0;             // numbers of one image
  bool floats = false;           // float32; otherwise uint8
  bool batched = false;          // whether the array has a dimension of images
  bool copied = false;           // whether `array` is a copy of the caller's
  PixelOrder order = PixelOrder::kInterleaved;

  // Runs image `index` < count. Needs no GIL.
  Status Run(Session& session, size_t index, Answer& answer) const;
  // Runs the first image as the next frame of a stream. Needs no GIL.
  Status Next(Stream& stream, StreamAnswer& answer) const;
};

// `images`: anything that numpy.asarray accepts, of type uint8 or float32 and shape [height, width,
// channels] or [channels, height, width], with or without a first dimension of images. `layout`:
// "HWC" or "CHW"; nothing: the one that fits the shape. Throws TypeError or ValueError, whose
// message says what the network takes. The caller holds the GIL.
ImageBatch ViewImages(const pybind11::object& images, const InputFormat& format,
                      const std::optional<std::string>& layout);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_IMAGES_H_
