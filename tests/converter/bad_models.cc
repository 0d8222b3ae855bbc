#include "tests/converter/bad_models.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "tests/converter/graph_builder.h"
#include "tests/converter/onnx_models.h"

namespace cssrun::converter::testing {
namespace {

using onnx::AttributeProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

using Parts = std::vector<std::string>;

// SmallModel() is Conv1, Relu2, Flatten3, Gemm4 over image [N, 2, 4, 4].
enum Nodes { kConv, kRelu, kFlatten, kGemm };
enum Weights { kConvWeight, kConvBias, kGemmWeight };

NodeProto* NodeAt(ModelProto& model, int index) {
  return model.mutable_graph()->mutable_node(index);
}

TensorProto* WeightsAt(ModelProto& model, int index) {
  return model.mutable_graph()->mutable_initializer(index);
}

onnx::TypeProto_Tensor* InputType(ModelProto& model) {
  return model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
}

onnx::TensorShapeProto_Dimension* InputSize(ModelProto& model, int axis) {
  return InputType(model)->mutable_shape()->mutable_dim(axis);
}

void RemoveWeights(ModelProto& model, int index) {
  model.mutable_graph()->mutable_initializer()->DeleteSubrange(index, 1);
}

void AddInt(NodeProto* node, const std::string& name, int64_t value) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::INT);
  attribute->set_i(value);
}

void AddText(NodeProto* node, const std::string& name, const std::string& value) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::STRING);
  attribute->set_s(value);
}

void AddConstant(ModelProto& model, const TensorProto& tensor) {
  *model.mutable_graph()->add_initializer() = tensor;
}

// Puts a node between Relu2 and Flatten3; its inputs follow "relu". Its name is OP5.
NodeProto* Insert(ModelProto& model, const std::string& op, const Parts& more = {}) {
  Parts inputs = {"relu"};
  inputs.insert(inputs.end(), more.begin(), more.end());
  NodeProto* node = AddNode(model, op, inputs, "inserted");
  NodeAt(model, kFlatten)->set_input(0, "inserted");
  return node;
}

NodeProto* InsertPool(ModelProto& model, const std::string& op) {
  NodeProto* pool = Insert(model, op);
  AddInts(pool, "kernel_shape", {2, 2});
  return pool;
}

// Makes Gemm4 fit a map of so many features.
void TakeFeatures(ModelProto& model, int64_t features) {
  *WeightsAt(model, kGemmWeight) =
      FloatTensor("fc.weight", {features, 3}, RandomFloats(static_cast<size_t>(features) * 3, 1));
}

class List {
 public:
  void Add(const std::string& name, const Parts& parts,
           const std::function<void(ModelProto&)>& spoil) {
    ModelProto model = SmallModel();
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

void AddFiles(List& list) {
  const std::string bytes = SmallModel().SerializeAsString();
  list.AddFile("Empty", {"empty"}, "");
  list.AddFile("Text", {"not an ONNX model", "export"}, "This is no model.\n");
  list.AddFile("Truncated", {"cut off", "copy it again"}, bytes.substr(0, bytes.size() / 2));
  list.AddFile("LastByteMissing", {"cut off"}, bytes.substr(0, bytes.size() - 1));
  list.AddFile("TrailingBytes", {"not an ONNX model"}, bytes + std::string(7, '\xff'));
  list.Add("NoGraph", {"not an ONNX model"}, [](ModelProto& m) { m.clear_graph(); });
}

void AddOpsets(List& list) {
  for (const int64_t version : {1, 8, 18}) {
    list.Add("Opset" + std::to_string(version),
             {"opset " + std::to_string(version), "export it again"},
             [=](ModelProto& m) { m.mutable_opset_import(0)->set_version(version); });
  }
  list.Add("NoOpset", {"no opset", "export it again"},
           [](ModelProto& m) { m.clear_opset_import(); });
}

void AddInputsAndOutputs(List& list) {
  static constexpr const char* kAxes[] = {"batch", "channels", "height", "width"};
  for (const int axis : {1, 2, 3}) {
    list.Add(std::string("Dynamic_") + kAxes[axis],
             {"input image", kAxes[axis], "export with a fixed image size"},
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
  list.Add("IntegerImage", {"input image", "INT64", "float image"},
           [](ModelProto& m) { InputType(m)->set_elem_type(TensorProto::INT64); });
  list.Add("TwoInputs", {"2 inputs (image, mask)", "one input"},
           [](ModelProto& m) { m.mutable_graph()->add_input()->set_name("mask"); });
  list.Add("NoInput", {"0 inputs"}, [](ModelProto& m) { m.mutable_graph()->clear_input(); });
  list.Add("TwoOutputs", {"2 outputs (logits, relu)", "one output"},
           [](ModelProto& m) { m.mutable_graph()->add_output()->set_name("relu"); });
  list.Add("NoOutput", {"0 outputs"}, [](ModelProto& m) { m.mutable_graph()->clear_output(); });
  list.Add("OutputOfNoNode", {"output nowhere", "produced by no node"},
           [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("nowhere"); });
  list.Add("ConstantOutput", {"output fc.weight", "does not depend on the image"},
           [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("fc.weight"); });
  list.Add("OutputIsTheInput", {"output image", "does not depend on the image"},
           [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("image"); });
}

void AddStructure(List& list) {
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

void AddTensors(List& list) {
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

void AddLayers(List& list) {
  list.Add(
      "ConvOfOtherChannels", {"node Conv1 (Conv)", "[3, 5, 3, 3]", "[1, 2, 4, 4]"},
      [](ModelProto& m) {
        *WeightsAt(m, kConvWeight) = FloatTensor("conv.weight", {3, 5, 3, 3}, RandomFloats(135, 1));
      });
  list.Add("ConvBiasOfOtherLength", {"node Conv1 (Conv)", "bias [4]"}, [](ModelProto& m) {
    *WeightsAt(m, kConvBias) = FloatTensor("conv.bias", {4}, {1, 1, 1, 1});
  });
  list.Add("GroupsThatDoNotDivide", {"node Conv1 (Conv)", "in 5 groups"},
           [](ModelProto& m) { AddInt(NodeAt(m, kConv), "group", 5); });
  list.Add("GroupsBelowOne", {"node Conv1 (Conv)", "in 0 groups"},
           [](ModelProto& m) { AddInt(NodeAt(m, kConv), "group", 0); });
  list.Add("OtherKernelShape", {"node Conv1 (Conv)", "kernel_shape", "[5, 5]"}, [](ModelProto& m) {
    AddInts(NodeAt(m, kConv), "kernel_shape", {5, 5});
  });
  list.Add("StrideOfZero", {"node Conv1 (Conv)", "strides", "[0, 1]"}, [](ModelProto& m) {
    AddInts(NodeAt(m, kConv), "strides", {0, 1});
  });
  list.Add("ThreeStrides", {"node Conv1 (Conv)", "strides", "[1, 1, 1]"}, [](ModelProto& m) {
    AddInts(NodeAt(m, kConv), "strides", {1, 1, 1});
  });
  list.Add("DilationOfZero", {"node Conv1 (Conv)", "dilations"}, [](ModelProto& m) {
    AddInts(NodeAt(m, kConv), "dilations", {1, 0});
  });
  list.Add("NegativePads", {"node Conv1 (Conv)", "pads"}, [](ModelProto& m) {
    AddInts(NodeAt(m, kConv), "pads", {-1, 0, 0, 0});
  });
  list.Add("UnknownAutoPad", {"node Conv1 (Conv)", "auto_pad", "AROUND"},
           [](ModelProto& m) { AddText(NodeAt(m, kConv), "auto_pad", "AROUND"); });
  list.Add("KernelLargerThanTheImage", {"node Conv1 (Conv)", "does not fit", "larger image size"},
           [](ModelProto& m) {
             AddInts(NodeAt(m, kConv), "dilations", {2, 2});
           });
  list.Add("VariableWeights", {"Conv1", "weights are not constant"}, [](ModelProto& m) {
    AddNode(m, "Relu", {"conv.weight"}, "variable");
    NodeAt(m, kConv)->set_input(1, "variable");
  });
  list.Add("GemmOfOtherLength", {"node Gemm4 (Gemm)", "[1, 12]", "[11, 3]", "image size"},
           [](ModelProto& m) {
             *WeightsAt(m, kGemmWeight) = FloatTensor("fc.weight", {11, 3}, RandomFloats(33, 1));
           });
  list.Add("GemmOfAMap", {"node Gemm4 (Gemm)", "not matrices", "flatten"},
           [](ModelProto& m) { NodeAt(m, kGemm)->set_input(0, "relu"); });
  list.Add("GemmBiasOfOtherLength", {"node Gemm4 (Gemm)", "bias [2]"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("fc.bias", {2}, {1, 1}));
    NodeAt(m, kGemm)->add_input("fc.bias");
  });
  list.Add("BatchNormOfOtherChannels", {"BatchNormalization5", "[4]", "[1, 3, 2, 2]"},
           [](ModelProto& m) {
             AddConstant(m, FloatTensor("p", {4}, {1, 1, 1, 1}));
             Insert(m, "BatchNormalization", {"p", "p", "p", "p"});
           });
  list.Add("PoolOfPaddingAlone", {"MaxPool5", "padding", "not smaller"}, [](ModelProto& m) {
    AddInts(InsertPool(m, "MaxPool"), "pads", {2, 2, 2, 2});
  });
  list.Add("PoolWithoutKernel", {"MaxPool5", "kernel_shape"},
           [](ModelProto& m) { Insert(m, "MaxPool"); });
  list.Add("PoolLargerThanItsMap", {"AveragePool5", "does not fit"}, [](ModelProto& m) {
    AddInts(Insert(m, "AveragePool"), "kernel_shape", {3, 3});
  });
  list.Add("DilatedPool", {"MaxPool5", "dilated", "dilation 1"}, [](ModelProto& m) {
    NodeProto* pool = InsertPool(m, "MaxPool");
    AddInts(pool, "dilations", {2, 2});
    AddInts(pool, "pads", {1, 1, 1, 1});
  });
}

void AddLayersOfOtherKinds(List& list) {
  list.Add(
      "ConvOfOneDimension", {"node Conv1 (Conv)", "no two-dimensional window"}, [](ModelProto& m) {
        *WeightsAt(m, kConvWeight) = FloatTensor("conv.weight", {3, 2, 3}, RandomFloats(18, 1));
      });
  list.Add(
      "ConvOfOneDimensionOfTheUnknown", {"2 nodes", "Tanh5", "Conv1", "[3, 2, 3]"},
      [](ModelProto& m) {
        AddNode(m, "Tanh", {"image"}, "tanh");
        NodeAt(m, kConv)->set_input(0, "tanh");
        *WeightsAt(m, kConvWeight) = FloatTensor("conv.weight", {3, 2, 3}, RandomFloats(18, 1));
      });
  list.Add("PoolOfNoMap", {"MaxPool5", "[1, 12]", "two-dimensional"}, [](ModelProto& m) {
    AddInts(AddNode(m, "MaxPool", {"flat"}, "pooled"), "kernel_shape", {1, 1});
    NodeAt(m, kGemm)->set_input(0, "pooled");
  });
  list.Add("DilatedAveragePool", {"AveragePool5", "dilated", "dilation 1"}, [](ModelProto& m) {
    NodeProto* pool = InsertPool(m, "AveragePool");
    AddInts(pool, "dilations", {2, 2});
    AddInts(pool, "pads", {1, 1, 1, 1});
  });
  list.Add("MatMulOfOtherLength", {"MatMul5", "[1, 12]", "[11, 3]", "image size"},
           [](ModelProto& m) {
             AddConstant(m, FloatTensor("matrix", {11, 3}, RandomFloats(33, 1)));
             AddNode(m, "MatMul", {"flat", "matrix"}, "product");
             m.mutable_graph()->mutable_output(0)->set_name("product");
           });
  list.Add("ScaledGemmOfVariables", {"Gemm4", "weights are not constant"}, [](ModelProto& m) {
    AddNode(m, "Relu", {"fc.weight"}, "variable");
    NodeAt(m, kGemm)->set_input(1, "variable");
  });
}

void AddShapes(List& list) {
  list.Add("ImpossibleReshape", {"Reshape5", "[1, 3, 2, 2]", "[1, 5]"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("shape", {2}, {1, 5}));
    Insert(m, "Reshape", {"shape"});
  });
  list.Add("SqueezeOfThree", {"Squeeze5", "axis 1", "is not 1"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("axes", {1}, {1}));
    Insert(m, "Squeeze", {"axes"});
  });
  list.Add("UnsqueezeOutside", {"Unsqueeze5", "axis 9"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("axes", {1}, {9}));
    Insert(m, "Unsqueeze", {"axes"});
  });
  list.Add("PermTwice", {"Transpose5", "comes twice"}, [](ModelProto& m) {
    AddInts(Insert(m, "Transpose"), "perm", {0, 1, 2, 2});
  });
  list.Add("ShortPerm", {"Transpose5", "perm"}, [](ModelProto& m) {
    AddInts(Insert(m, "Transpose"), "perm", {1, 0});
  });
  list.Add("ConcatOfOtherSizes", {"Concat5", "cannot be joined"},
           [](ModelProto& m) { AddInt(Insert(m, "Concat", {"image"}), "axis", 1); });
  list.Add("ConcatOutside", {"Concat5", "axis 7"},
           [](ModelProto& m) { AddInt(Insert(m, "Concat", {"relu"}), "axis", 7); });
  list.Add("ConcatAlongRows", {"Concat5", "channels", "axis 1"}, [](ModelProto& m) {
    AddInt(Insert(m, "Concat", {"relu"}), "axis", 2);
    TakeFeatures(m, 24);
  });
  list.Add("FlattenOutside", {"Flatten3", "axis 6"},
           [](ModelProto& m) { AddInt(NodeAt(m, kFlatten), "axis", 6); });
  list.Add("AddOfOtherSizes", {"Add5", "do not fit"},
           [](ModelProto& m) { Insert(m, "Add", {"image"}); });
  list.Add("EmptySlice", {"Slice5", "nothing"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("zero", {1}, {0}));
    AddConstant(m, IntTensor("two", {1}, {2}));
    Insert(m, "Slice", {"zero", "zero", "two"});
    m.mutable_graph()->mutable_output(0)->set_name("inserted");
  });
  list.Add("SliceWithoutAStep", {"Slice5", "step is 0"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("zero", {1}, {0}));
    AddConstant(m, IntTensor("two", {1}, {2}));
    Insert(m, "Slice", {"zero", "two", "two", "zero"});
  });
  list.Add("ReflectingPad", {"Pad5", "reflect", "pad with zeros"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("pads", {8}, {0, 0, 1, 1, 0, 0, 1, 1}));
    AddText(Insert(m, "Pad", {"pads"}), "mode", "reflect");
    TakeFeatures(m, 48);
  });
  list.Add("ShortPads", {"Pad5", "pads", "do not fit"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("pads", {2}, {1, 1}));
    Insert(m, "Pad", {"pads"});
  });
  list.Add("GatherOutside", {"Gather5", "index 9"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("nine", {1}, {9}));
    AddNode(m, "Gather", {"conv.bias", "nine"}, "gathered");
    AddNode(m, "Add", {"relu", "gathered"}, "sum");
    NodeAt(m, kFlatten)->set_input(0, "sum");
  });
  list.Add("EndlessConstant", {"Expand5", "[4000, 4000, 4000]"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("shape", {3}, {4000, 4000, 4000}));
    AddConstant(m, FloatTensor("zero", {1}, {0}));
    AddNode(m, "Expand", {"zero", "shape"}, "filled");
    AddNode(m, "Add", {"relu", "filled"}, "sum");
    NodeAt(m, kFlatten)->set_input(0, "sum");
  });
  list.Add("PadOfLessThanNothing", {"Pad5", "cuts more off", "[1, 3, 2, 2]"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("pads", {8}, {0, 0, -2, 0, 0, 0, -1, 0}));
    Insert(m, "Pad", {"pads"});
  });
  list.Add("PadOfUnknownSize", {"Pad6", "padding is not constant", "fixed image size"},
           [](ModelProto& m) {
             AddConstant(m, IntTensor("pads", {8}, std::vector<int64_t>(8)));
             AddNode(m, "Relu", {"pads"}, "variable");
             Insert(m, "Pad", {"variable"});
           });
  list.Add("ReshapeToAnUnknownShape", {"Reshape6", "shape cannot be known", "fixed image size"},
           [](ModelProto& m) {
             AddConstant(m, IntTensor("shape", {2}, {1, 12}));
             AddNode(m, "Relu", {"shape"}, "variable");
             Insert(m, "Reshape", {"variable"});
           });
  list.Add("SliceOfOddLengths", {"Slice5", "differ in length"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("zero", {1}, {0}));
    AddConstant(m, IntTensor("ends", {2}, {1, 1}));
    Insert(m, "Slice", {"zero", "ends"});
  });
  list.Add("SplitOfOtherLengths", {"Split5", "[1, 1]", "2 outputs", "3"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("lengths", {2}, {1, 1}));
    NodeProto* split = Insert(m, "Split", {"lengths"});
    split->add_output("rest");
    AddInt(split, "axis", 1);
  });
  list.Add("SplitOfUnknownLengths", {"Split6", "not supported"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("lengths", {2}, {1, 2}));
    AddNode(m, "Relu", {"lengths"}, "variable");
    NodeProto* split = Insert(m, "Split", {"variable"});
    split->add_output("rest");
    AddInt(split, "axis", 1);
  });
  list.Add("SplitOfThreeInTwo", {"Split5", "2 outputs", "3"}, [](ModelProto& m) {
    NodeProto* split = Insert(m, "Split");
    split->add_output("rest");
    AddInt(split, "axis", 1);
  });
  list.Add("ChannelsLast", {"Relu5", "channels last", "channels-first"}, [](ModelProto& m) {
    for (const auto& [axis, size] : {std::pair{1, 4}, {2, 4}, {3, 2}}) {
      InputSize(m, axis)->set_dim_value(size);
    }
    AddNode(m, "Relu", {"image"}, "as_it_is");
    AddInts(AddNode(m, "Transpose", {"image"}, "turned"), "perm", {0, 3, 1, 2});
    NodeAt(m, kConv)->set_input(0, "turned");
    AddInts(AddNode(m, "GlobalAveragePool", {"as_it_is"}, "mean"), "unused", {});
    AddNode(m, "Flatten", {"mean"}, "flat_mean");
    AddInt(AddNode(m, "Concat", {"flat", "flat_mean"}, "joined"), "axis", 1);
    NodeAt(m, kGemm)->set_input(0, "joined");
    TakeFeatures(m, 16);
  });
  list.Add("DivisionByZero", {"Div5", "divides by zero"}, [](ModelProto& m) {
    AddConstant(m, IntTensor("zero", {1}, {0}));
    AddConstant(m, IntTensor("one", {1}, {1}));
    AddNode(m, "Div", {"one", "zero"}, "quotient");
    Insert(m, "Reshape", {"quotient"});
  });
}

void AddOperators(List& list) {
  list.Add("UnknownDomain", {"Conv1", "com.acme.Conv", "standard operators"},
           [](ModelProto& m) { NodeAt(m, kConv)->set_domain("com.acme"); });
  list.Add("UnknownOperator", {"Frobnicate5", "not supported", "replace it"},
           [](ModelProto& m) { Insert(m, "Frobnicate"); });
  for (const char* op : {"Sigmoid", "Tanh", "LeakyRelu", "Elu", "HardSwish", "Erf"}) {
    list.Add(op, {std::string(op) + "5", "ReLU"}, [=](ModelProto& m) { Insert(m, op); });
  }
  for (const char* op : {"Loop", "LSTM", "InstanceNormalization", "LRN"}) {
    list.Add(op, {std::string(op) + "5", op}, [=](ModelProto& m) { Insert(m, op); });
  }
  list.Add("Resize", {"Resize5", "before the network"}, [](ModelProto& m) { Insert(m, "Resize"); });
  list.Add("SoftmaxInside", {"Softmax5", "all values at once"},
           [](ModelProto& m) { AddInt(Insert(m, "Softmax"), "axis", 1); });
  list.Add("ProductOfActivations", {"Mul5", "otherwise than by addition"},
           [](ModelProto& m) { Insert(m, "Mul", {"relu"}); });
  list.Add("ClipAboveZero", {"Clip5", "Clip(0, max)"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("half", {}, {0.5F}));
    AddConstant(m, FloatTensor("six", {}, {6}));
    Insert(m, "Clip", {"half", "six"});
  });
  list.Add("ManyAtOnce", {"3 nodes", "Tanh5", "Erf6", "com.acme.Relu"}, [](ModelProto& m) {
    AddNode(m, "Tanh", {"relu"}, "tanh");
    AddNode(m, "Erf", {"tanh"}, "erf");
    NodeAt(m, kFlatten)->set_input(0, "erf");
    NodeAt(m, kRelu)->set_domain("com.acme");
  });
}

}  // namespace

std::vector<BadModel> BadModels() {
  List list;
  AddFiles(list);
  AddOpsets(list);
  AddInputsAndOutputs(list);
  AddStructure(list);
  AddTensors(list);
  AddLayers(list);
  AddLayersOfOtherKinds(list);
  AddShapes(list);
  AddOperators(list);
  return list.Take();
}

std::vector<BadModel> ModelsBadOnImages() {
  List list;
  list.Add("MapInsteadOfLogits", {"output relu", "is a map", "pool or a fully connected layer"},
           [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("relu"); });
  list.Add("NeverFires", {"node Conv1", "zero", "--mean and --std"}, [](ModelProto& m) {
    *WeightsAt(m, kConvWeight) = FloatTensor("conv.weight", {3, 2, 3, 3}, std::vector<float>(54));
    *WeightsAt(m, kConvBias) = FloatTensor("conv.bias", {3}, {-1, -1, -1});
  });
  list.Add("Overflows", {"node Conv1", "not finite"}, [](ModelProto& m) {
    *WeightsAt(m, kConvWeight) =
        FloatTensor("conv.weight", {3, 2, 3, 3}, std::vector<float>(54, 3e38F));
  });
  list.Add("AnswerOverflows", {"value logits", "answer to image 1 is not finite"},
           [](ModelProto& m) {
             *WeightsAt(m, kGemmWeight) =
                 FloatTensor("fc.weight", {12, 3}, std::vector<float>(36, 3e38F));
           });
  return list.Take();
}

}  // namespace cssrun::converter::testing
