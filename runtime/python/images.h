// Images in a NumPy array, seen as the runtime takes them: without a copy wherever each image lies
// in one piece, row by row with its channels interleaved or plane by plane.
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

namespace cssrun::python {

struct ImageBatch {
  pybind11::array array;  // holds the memory
  const std::byte* first = nullptr;
  pybind11::ssize_t stride = 0;  // bytes from image to image
  size_t count = 0;
  size_t values = 0;     // of an image
  bool floats = false;   // else bytes
  bool batched = false;  // whether there was a dimension of images
  bool copied = false;
  PixelOrder order = PixelOrder::kInterleaved;

  // May be called without the GIL.
  Status Run(Session& session, size_t index, Answer& answer) const;
};

// `images`: whatever numpy.asarray takes, of uint8 or float32 and shape [height, width, channels]
// or [channels, height, width], with a dimension of images before it or without. `layout`: "HWC" or
// "CHW"; nothing: whichever fits the shape. Throws TypeError or ValueError saying what the network
// takes.
ImageBatch ViewImages(const pybind11::object& images, const InputFormat& format,
                      const std::optional<std::string>& layout);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_IMAGES_H_
