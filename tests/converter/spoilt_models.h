// Makes lists of bad models: SmallModel(), spoilt in one way each.
#ifndef CSSRUN_TESTS_CONVERTER_SPOILT_MODELS_H_
#define CSSRUN_TESTS_CONVERTER_SPOILT_MODELS_H_

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/converter/bad_models.h"
#include "tests/converter/onnx_models.h"

namespace cssrun::converter::testing {

using Parts = std::vector<std::string>;

// The nodes of SmallModel(): Conv1, Relu2, Flatten3, Gemm4 over image [N, 2, 4, 4].
enum Nodes { kConv, kRelu, kFlatten, kGemm };
enum Weights { kConvWeight, kConvBias, kGemmWeight };

class SpoiltModels {
 public:
  // Adds a model that `spoil` has made bad. The message about it must contain `parts`.
  void Add(const std::string& name, const Parts& parts,
           const std::function<void(onnx::ModelProto&)>& spoil) {
    onnx::ModelProto model = SmallModel();
    spoil(model);
    AddFile(name, parts, model.SerializeAsString());
  }
  void AddFile(const std::string& name, const Parts& parts, std::string bytes) {
    models_.push_back({name, std::move(bytes), parts});
  }
  std::vector<BadModel> Take() { return std::move(models_); }

 private:
  std::vector<BadModel> models_;
};

// The following functions spoil a small model.
onnx::NodeProto* NodeAt(onnx::ModelProto& model, int index);
onnx::TensorProto* WeightsAt(onnx::ModelProto& model, int index);
onnx::TypeProto_Tensor* InputType(onnx::ModelProto& model);
onnx::TensorShapeProto_Dimension* InputSize(onnx::ModelProto& model, int axis);
void RemoveWeights(onnx::ModelProto& model, int index);
void AddInt(onnx::NodeProto* node, const std::string& name, int64_t value);
void AddFloat(onnx::NodeProto* node, const std::string& name, float value);
void AddText(onnx::NodeProto* node, const std::string& name, const std::string& value);
void AddConstant(onnx::ModelProto& model, const onnx::TensorProto& tensor);
// Puts a node between Relu2 and Flatten3; its inputs follow "relu". Its name is OP5.
onnx::NodeProto* Insert(onnx::ModelProto& model, const std::string& op, const Parts& more = {});
onnx::NodeProto* InsertPool(onnx::ModelProto& model, const std::string& op);
// Makes Gemm4 fit a map with this many features.
void TakeFeatures(onnx::ModelProto& model, int64_t features);

// Adds the models of bad_layers.cc: windows, weights and operators that do not fit or are not
// supported.
void AddBadLayers(SpoiltModels& models);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_SPOILT_MODELS_H_
