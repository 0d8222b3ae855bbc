#include "tests/converter/bad_models.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "tests/converter/graph_builder.h"
#include "tests/converter/spoilt_models.h"

namespace cssrun::converter::testing {
namespace {

using onnx::ModelProto;
using onnx::TensorProto;

void AddFiles(SpoiltModels& list) {
  const std::string bytes = SmallModel().SerializeAsString();
  list.AddFile("Empty", {"empty"}, "");
  list.AddFile("Text", {"not an ONNX model", "export"}, "This is no model.\n");
  list.AddFile("Truncated", {"cut off", "copy it again"}, bytes.substr(0, bytes.size() / 2));
  list.AddFile("LastByteMissing", {"cut off"}, bytes.substr(0, bytes.size() - 1));
  list.AddFile("TrailingBytes", {"not an ONNX model"}, bytes + std::string(7, '\xff'));
  list.Add("NoGraph", {"not an ONNX model"}, [](ModelProto& m) { m.clear_graph(); });
}

void AddOpsets(SpoiltModels& list) {
  for (const int64_t version : {1, 6, 24}) {
    list.Add("Opset" + std::to_string(version),
             {"opset " + std::to_string(version),
              version < 7 ? "onnx.version_converter" : "export it again"},
             [=](ModelProto& m) { m.mutable_opset_import(0)->set_version(version); });
  }
  list.Add("NoOpset", {"no opset", "export it again"},
           [](ModelProto& m) { m.clear_opset_import(); });
}

void AddInputsAndOutputs(SpoiltModels& list) {
  static constexpr const char* kAxes[] = {"batch", "channels", "height", "width"};
  for (const int axis : {1, 2, 3}) {
    list.Add(std::string("Dynamic_") + kAxes[axis],
             {"input image", kAxes[axis], axis == 1 ? "" : "--input-size",
              "export with a fixed image size"},
             [=](ModelProto& m) { InputSize(m, axis)->set_dim_param("S"); });
  }
  list.Add("NoHeightAtAll", {"input image", "height"},
           [](ModelProto& m) { InputSize(m, 2)->Clear(); });
  for (const int64_t size : {int64_t{0}, int64_t{-4}, int64_t{1} << 20}) {
    list.Add("WidthOf" + std::string(size < 0 ? "Minus" : "") + std::to_string(std::abs(size)),
             {"input image", "size " + std::to_string(size)},
             [=](ModelProto& m) { InputSize(m, 3)->set_dim_value(size); });
  }
  list.Add("NoShape", {"input image", "0 dimensions"},
           [](ModelProto& m) { InputType(m)->clear_shape(); });
  list.Add("Sequence", {"input image", "3 dimensions"},
           [](ModelProto& m) { InputType(m)->mutable_shape()->mutable_dim()->RemoveLast(); });
  list.Add("IntegerImage", {"input image", "INT64", "float or uint8"},
           [](ModelProto& m) { InputType(m)->set_elem_type(TensorProto::INT64); });
  list.Add("TwoInputs", {"2 inputs (image, mask)", "one input"},
           [](ModelProto& m) { m.mutable_graph()->add_input()->set_name("mask"); });
  list.Add("NoInput", {"0 inputs"}, [](ModelProto& m) { m.mutable_graph()->clear_input(); });
  list.Add("NoOutput", {"no output"}, [](ModelProto& m) { m.mutable_graph()->clear_output(); });
  list.Add("OutputOfNoNode", {"output nowhere", "produced by no node"},
           [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("nowhere"); });
  list.Add("ConstantOutput", {"output fc.weight", "does not depend on the image"},
           [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("fc.weight"); });
  list.Add("OutputIsTheInput", {"output image", "does not depend on the image"},
           [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("image"); });
}

void AddStructure(SpoiltModels& list) {
  list.Add("MissingInitializer", {"node Conv1", "conv.weight", "initializer missing"},
           [](ModelProto& m) { RemoveWeights(m, kConvWeight); });
  list.Add("MissingBias", {"node Conv1", "conv.bias", "initializer missing"},
           [](ModelProto& m) { RemoveWeights(m, kConvBias); });
  list.Add("Cycle", {"node Conv1", "depends on its own output", "loops"}, [](ModelProto& m) {
    AddNode(m, "Add", {"image", "relu"}, "loop");
    NodeAt(m, kConv)->set_input(0, "loop");
  });
  list.Add("SelfLoop", {"node Relu2", "depends on its own output"},
           [](ModelProto& m) { NodeAt(m, kRelu)->set_input(0, "relu"); });
  list.Add("DefinedTwice", {"value relu", "twice"},
           [](ModelProto& m) { AddNode(m, "Relu", {"conv"}, "relu"); });
  list.Add("InitializerTwice", {"value conv.bias", "twice"},
           [](ModelProto& m) { AddConstant(m, FloatTensor("conv.bias", {1}, {1})); });
  list.Add("InputIsComputed", {"value image", "twice"},
           [](ModelProto& m) { AddNode(m, "Relu", {"conv"}, "image"); });
  list.Add("NamelessInitializer", {"has no name"},
           [](ModelProto& m) { WeightsAt(m, kConvBias)->clear_name(); });
  list.Add("NodeWithoutInputs", {"node Conv1 (Conv)", "no input", "export"},
           [](ModelProto& m) { NodeAt(m, kConv)->clear_input(); });
  list.Add("NodeWithoutItsFirstInput", {"node Relu2 (Relu)", "no input"},
           [](ModelProto& m) { NodeAt(m, kRelu)->set_input(0, ""); });
  list.Add("ConvWithoutWeights", {"Conv1", "weights are not constant"},
           [](ModelProto& m) { NodeAt(m, kConv)->mutable_input()->DeleteSubrange(1, 2); });
}

void AddTensors(SpoiltModels& list) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  list.Add("NaNWeights", {"initializer conv.bias", "NaN"}, [=](ModelProto& m) {
    *WeightsAt(m, kConvBias) = FloatTensor("conv.bias", {3}, {0, nan, 0});
  });
  list.Add("InfiniteWeights", {"initializer conv.bias", "infinity"}, [=](ModelProto& m) {
    *WeightsAt(m, kConvBias) = FloatTensor("conv.bias", {3}, {0, infinity, 0});
  });
  for (const uint16_t half : {0x7C00, 0x7E00}) {
    list.Add(half == 0x7C00 ? "HalfInfinity" : "HalfNaN",
             {"initializer conv.bias", "NaN or infinity"}, [=](ModelProto& m) {
               TensorProto* bias = WeightsAt(m, kConvBias);
               bias->Clear();
               bias->set_name("conv.bias");
               bias->set_data_type(TensorProto::FLOAT16);
               bias->add_dims(3);
               for (const int number : {0, int{half}, 0}) bias->add_int32_data(number);
             });
  }
  list.Add("TooFewNumbers", {"initializer conv.bias", "[3]", "12", "8"}, [](ModelProto& m) {
    *WeightsAt(m, kConvBias) = FloatTensor("conv.bias", {3}, {0, 0});
  });
  list.Add("TooManyNumbers", {"initializer conv.bias", "[3]", "12", "16"}, [](ModelProto& m) {
    *WeightsAt(m, kConvBias) = FloatTensor("conv.bias", {3}, {0, 0, 0, 0});
  });
  list.Add("NegativeSize", {"initializer conv.bias", "[-3]"},
           [](ModelProto& m) { WeightsAt(m, kConvBias)->set_dims(0, -3); });
  list.Add("OverflowingSize", {"initializer conv.bias", "impossible shape"}, [](ModelProto& m) {
    for (int i = 0; i < 4; ++i) WeightsAt(m, kConvBias)->add_dims(int64_t{1} << 31);
  });
  list.Add("Texts", {"initializer conv.bias", "STRING"},
           [](ModelProto& m) { WeightsAt(m, kConvBias)->set_data_type(TensorProto::STRING); });
  list.Add("UnknownType", {"initializer conv.bias", "77"},
           [](ModelProto& m) { WeightsAt(m, kConvBias)->set_data_type(77); });
  list.Add("Segments", {"initializer conv.bias", "segments", "onnx.save"},
           [](ModelProto& m) { WeightsAt(m, kConvBias)->mutable_segment()->set_begin(0); });
  list.Add("Sparse", {"initializer thin", "sparse"}, [](ModelProto& m) {
    m.mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("thin");
  });
  list.Add("ExternalDataElsewhere", {"initializer conv.bias", "../", "model's folder"},
           [](ModelProto& m) {
             TensorProto* bias = WeightsAt(m, kConvBias);
             bias->clear_raw_data();
             bias->set_data_location(TensorProto::EXTERNAL);
             auto* entry = bias->add_external_data();
             entry->set_key("location");
             entry->set_value("../secret.bin");
           });
  list.Add("NegativeVariance", {"not finite", "train or export"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("one", {3}, {1, 1, 1}));
    AddConstant(m, FloatTensor("negative", {3}, {-1, -1, -1}));
    AddNode(m, "BatchNormalization", {"conv", "one", "one", "one", "negative"}, "norm");
    NodeAt(m, kRelu)->set_input(0, "norm");
  });
}

}  // namespace

std::vector<BadModel> BadModels() {
  SpoiltModels list;
  AddFiles(list);
  AddOpsets(list);
  AddInputsAndOutputs(list);
  AddStructure(list);
  AddTensors(list);
  AddBadLayers(list);
  return list.Take();
}

std::vector<BadModel> ModelsBadOnImages() {
  SpoiltModels list;
  list.Add("NeverFires", {"node Conv1", "zero", "--mean and --std"}, [](ModelProto& m) {
    *WeightsAt(m, kConvWeight) = FloatTensor("conv.weight", {3, 2, 3, 3}, std::vector<float>(54));
    *WeightsAt(m, kConvBias) = FloatTensor("conv.bias", {3}, {-1, -1, -1});
  });
  list.Add("Overflows", {"node Conv1", "not finite"}, [](ModelProto& m) {
    *WeightsAt(m, kConvWeight) =
        FloatTensor("conv.weight", {3, 2, 3, 3}, std::vector<float>(54, 3e38F));
  });
  list.Add("AnswerOverflows", {"output logits", "answer to image 1 is not finite"},
           [](ModelProto& m) {
             *WeightsAt(m, kGemmWeight) =
                 FloatTensor("fc.weight", {12, 3}, std::vector<float>(36, 3e38F));
           });
  return list.Take();
}

}  // namespace cssrun::converter::testing
