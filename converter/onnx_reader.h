// Reads an ONNX file into our graph. onnx_reader.cc, onnx_tensor.cc and onnx_functions.cc are the
// only files that include ONNX and protobuf.
#ifndef CSSRUN_CONVERTER_ONNX_READER_H_
#define CSSRUN_CONVERTER_ONNX_READER_H_

#include <optional>
#include <string>

#include "converter/graph.h"
#include "converter/input_size.h"
#include "cssrun/limits.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Reads `path`: opset 7 to 23, with one image [batch, channels, height, width] as input (or [batch,
// height, width], a grey one), and one value as output. A height or width that the file leaves open
// is that of `size`. The batch becomes 1,
// initializers and Constant nodes become constant values, and nodes are sorted topologically.
// Unknown operators are kept, so that FindUnsupported() can list them. The function trusts nothing
// in the file, prints nothing and does not throw. Errors begin with `path`: kIo when a file cannot
// be read, kBadModel for everything else, including an image beyond `limits`.
Result<Graph> ReadOnnx(const std::string& path, const NetworkLimits& limits = {},
                       const std::optional<ImageSize>& size = {});

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ONNX_READER_H_
