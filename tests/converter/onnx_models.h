// Builds small ONNX models with protobuf, for the reader's tests.
#ifndef CSSRUN_TESTS_CONVERTER_ONNX_MODELS_H_
#define CSSRUN_TESTS_CONVERTER_ONNX_MODELS_H_

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cssrun::converter::testing {

// Returns a model of Conv, Relu, Flatten and Gemm over an image [N, 2, 4, 4] to 3 logits; opset 13.
onnx::ModelProto SmallModel();

onnx::TensorProto FloatTensor(const std::string& name, const std::vector<int64_t>& dims,
                              const std::vector<float>& values);
onnx::TensorProto IntTensor(const std::string& name, const std::vector<int64_t>& dims,
                            const std::vector<int64_t>& values);
onnx::NodeProto* AddNode(onnx::ModelProto& model, const std::string& op,
                         const std::vector<std::string>& inputs, const std::string& output);
onnx::AttributeProto* AddInts(onnx::NodeProto* node, const std::string& name,
                              const std::vector<int64_t>& values);

// Writes bytes to a file in the test's temporary folder and returns its path.
std::string WriteFile(const std::string& name, const std::string& bytes);
std::string WriteModel(const std::string& name, const onnx::ModelProto& model);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_ONNX_MODELS_H_
