// Gives a model another size of image than it was exported with.
//
// A network whose last map is pooled is fully convolutional: it runs on pictures larger than those
// it was trained on. Means over its whole map grow with the map.
#ifndef CSSRUN_CONVERTER_INPUT_SIZE_H_
#define CSSRUN_CONVERTER_INPUT_SIZE_H_

#include <cstdint>

#include "converter/graph.h"
#include "cssrun/limits.h"
#include "cssrun/status.h"

namespace cssrun::converter {

struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};

// Returns the graph, as it was read, for images of this size, and runs the passes over it. Error:
// kBadModel that says which part of the model fixes the size, or that it exceeds `limits`.
Result<Graph> WithInputSize(const Graph& read, const ImageSize& size, const NetworkLimits& limits);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_INPUT_SIZE_H_
