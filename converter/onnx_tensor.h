// Reads tensors of an ONNX file: initializers, Constant nodes and attributes. Private to
// onnx_reader.cc.
#ifndef CSSRUN_CONVERTER_ONNX_TENSOR_H_
#define CSSRUN_CONVERTER_ONNX_TENSOR_H_

#include <onnx/onnx_pb.h>

#include <string>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Returns ONNX's name of an element type, for messages.
std::string OnnxTypeName(int type);

// Returns whether an element type is a number of some width; strings and complex numbers are not.
bool IsOnnxNumber(int type);
bool IsOnnxFloat(int type);

// Reads a tensor of numbers, including external data. `path` is the model's; `what` names the
// tensor in messages: "initializer conv1.weight". Errors begin with `path`: kIo for external data
// that cannot be read, kBadModel for everything else, including sizes that do not fit and numbers
// that are not finite.
Result<Tensor> ReadOnnxTensor(const onnx::TensorProto& proto, const std::string& path,
                              const std::string& what);

// Error: the tensor has a NaN, or an infinity that is not a lone scalar ("no limit" to a Clip).
Status CheckFinite(const Tensor& tensor, const std::string& path, const std::string& what);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ONNX_TENSOR_H_
