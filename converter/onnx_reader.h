// Reading an ONNX file into our graph. onnx_reader.cc and its onnx_tensor.cc are the only files
// that see ONNX and protobuf.
#ifndef CSSRUN_CONVERTER_ONNX_READER_H_
#define CSSRUN_CONVERTER_ONNX_READER_H_

#include <string>

#include "converter/graph.h"
#include "cssrun/limits.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Reads `path`: opset 9 to 17, one image [batch, channels, height, width] of known size in, one
// value out. The batch becomes 1, initializers and Constant nodes become constant values, nodes are
// sorted topologically; operators we do not know are kept, for FindUnsupported() to list. Trusts
// nothing in the file, prints nothing and does not throw.
// Errors begin with `path`: kIo when a file cannot be read, kBadModel for everything else, an image
// beyond `limits` included.
Result<Graph> ReadOnnx(const std::string& path, const NetworkLimits& limits = {});

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ONNX_READER_H_
