// Replaces calls of model-local functions by the functions' nodes. Like the other onnx_*.cc files,
// onnx_functions.cc includes ONNX; nothing else does.
#ifndef CSSRUN_CONVERTER_ONNX_FUNCTIONS_H_
#define CSSRUN_CONVERTER_ONNX_FUNCTIONS_H_

#include <onnx/onnx_pb.h>

#include <string>

#include "cssrun/status.h"

namespace cssrun::converter {

// Inlines every call in the graph of `model`, which PyTorch's dynamo exporter writes for modules
// and for ATen's operators. A value of a function gets the name of the call before its own. Errors
// begin with `path` and are kBadModel: functions that call each other in a circle, or that would
// become more nodes or bytes than a model can have.
Status InlineFunctions(const std::string& path, onnx::ModelProto& model);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ONNX_FUNCTIONS_H_
