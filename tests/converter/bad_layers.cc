// Makes layers that do not fit each other, or that cannot be converted.
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "tests/converter/graph_builder.h"
#include "tests/converter/spoilt_models.h"

namespace cssrun::converter::testing {
namespace {

using onnx::ModelProto;
using onnx::NodeProto;

void AddLayers(SpoiltModels& list) {
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
}

void AddLayersOfOtherKinds(SpoiltModels& list) {
  list.Add(
      "ConvOfOneDimension", {"node Conv1 (Conv)", "no two-dimensional window"}, [](ModelProto& m) {
        *WeightsAt(m, kConvWeight) = FloatTensor("conv.weight", {3, 2, 3}, RandomFloats(18, 1));
      });
  list.Add(
      "ConvOfOneDimensionOfTheUnknown", {"1 node ", "Resize5", "fixed image size"},
      [](ModelProto& m) {
        AddNode(m, "Resize", {"image"}, "resized");
        NodeAt(m, kConv)->set_input(0, "resized");
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
  list.Add("MatMulOfPositions", {"MatMul5", "but positions", "flatten the map"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("matrix", {2, 2}, RandomFloats(4, 1)));
    Insert(m, "MatMul", {"matrix"});
  });
  list.Add("MatMulOfActivations", {"MatMul5", "activations by activations"},
           [](ModelProto& m) { Insert(m, "MatMul", {"conv"}); });
  list.Add("ScaledGemmOfVariables", {"Gemm4", "weights are not constant"}, [](ModelProto& m) {
    AddNode(m, "Relu", {"fc.weight"}, "variable");
    NodeAt(m, kGemm)->set_input(1, "variable");
  });
}

void AddShapes(SpoiltModels& list) {
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
    AddInt(Insert(m, "Concat", {"conv"}), "axis", 2);
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

void AddOperators(SpoiltModels& list) {
  list.Add("UnknownDomain", {"Conv1", "com.acme.Conv", "standard operators"},
           [](ModelProto& m) { NodeAt(m, kConv)->set_domain("com.acme"); });
  list.Add("UnknownOperator", {"Frobnicate5", "not supported", "replace it"},
           [](ModelProto& m) { Insert(m, "Frobnicate"); });
  for (const char* op : {"Sigmoid", "Tanh", "Elu", "HardSwish", "Erf"}) {
    list.Add(op, {std::string(op) + "5", "ReLU"}, [=](ModelProto& m) { Insert(m, op); });
  }
  for (const char* op : {"Loop", "LSTM", "InstanceNormalization", "LRN"}) {
    list.Add(op, {std::string(op) + "5", op}, [=](ModelProto& m) { Insert(m, op); });
  }
  list.Add("PReluOfPositions", {"PRelu5", "from position to position", "shared_axes"},
           [](ModelProto& m) {
             AddConstant(m, FloatTensor("slopes", {2, 4, 4}, std::vector<float>(32, 0.5F)));
             Insert(m, "PRelu", {"slopes"});
           });
  list.Add("PReluOfTheLastAxis", {"PRelu5", "do not fit", "[3, 1, 1]"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("slopes", {3}, {0.1F, 0.2F, 0.3F}));
    Insert(m, "PRelu", {"slopes"});
  });
  list.Add("LeakyReluOfNothing", {"LeakyRelu5", "not a finite number"}, [](ModelProto& m) {
    AddFloat(Insert(m, "LeakyRelu"), "alpha", std::numeric_limits<float>::infinity());
  });
  list.Add("ResizeOfUnknownSize", {"Resize5", "not constant"},
           [](ModelProto& m) { Insert(m, "Resize"); });
  const auto resize = [](std::vector<float> scales, const char* mode, const char* coordinates,
                         int64_t features = 3) {
    return [=](ModelProto& m) {
      AddConstant(m, FloatTensor("scales", {static_cast<int64_t>(scales.size())}, scales));
      NodeProto* node = Insert(m, "Resize", {"", "scales"});
      AddText(node, "mode", mode);
      AddText(node, "coordinate_transformation_mode", coordinates);
      AddText(node, "nearest_mode", "floor");
      AddNode(m, "GlobalAveragePool", {node->output(0)}, "pooled");
      NodeAt(m, kFlatten)->set_input(0, "pooled");
      TakeFeatures(m, features);
    };
  };
  list.Add("ResizeThatInterpolates", {"Resize5", "mode linear", "UpSampling2D"},
           resize({1, 1, 2, 2}, "linear", "half_pixel"));
  list.Add("ResizeByThreeHalves", {"Resize5", "a whole number of times", "asymmetric"},
           resize({1, 1, 1.5F, 1.5F}, "nearest", "asymmetric"));
  list.Add("ResizeFromTheMiddles", {"Resize5", "a whole number of times", "half_pixel, floor"},
           resize({1, 1, 2, 2}, "nearest", "half_pixel"));
  list.Add("ResizeOfChannels", {"Resize5", "resizes channels"},
           resize({1, 2, 2, 2}, "nearest", "asymmetric", 6));
  list.Add("ResizeOfThreeAxes", {"Resize5", "3 axes"}, resize({1, 2, 2}, "nearest", "asymmetric"));
  list.Add("ResizeToNothing", {"Resize5", "to nothing"},
           resize({1, 1, 0, 2}, "nearest", "asymmetric"));
  list.Add("ConvTransposeOfOtherChannels", {"ConvTranspose5", "do not fit"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("kernel", {4, 2, 2, 2}, RandomFloats(32, 1)));
    Insert(m, "ConvTranspose", {"kernel"});
  });
  list.Add("ConvTransposeOfNoStride", {"ConvTranspose5", "strides", "[0, 2]"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("kernel", {3, 2, 2, 2}, RandomFloats(24, 1)));
    AddInts(Insert(m, "ConvTranspose", {"kernel"}), "strides", {0, 2});
  });
  list.Add("ConvTransposePaddedAway", {"ConvTranspose5", "leaves nothing"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("kernel", {3, 2, 2, 2}, RandomFloats(24, 1)));
    AddInts(Insert(m, "ConvTranspose", {"kernel"}), "pads", {2, 2, 2, 2});
  });
  list.Add("ConvTransposeOfVariableWeights", {"ConvTranspose6", "not constant"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("kernel", {3, 3, 1, 1}, RandomFloats(9, 1)));
    AddNode(m, "Relu", {"kernel"}, "variable");
    Insert(m, "ConvTranspose", {"variable"});
  });
  list.Add("SoftmaxInside", {"Softmax5", "all values at once"},
           [](ModelProto& m) { AddInt(Insert(m, "Softmax"), "axis", 1); });
  list.Add("ProductOfActivations", {"Mul5", "otherwise than by addition"},
           [](ModelProto& m) { Insert(m, "Mul", {"relu"}); });
  list.Add("ClipToNothing", {"Clip5", "Clip(0, max)"}, [](ModelProto& m) {
    AddConstant(m, FloatTensor("six", {}, {6}));
    Insert(m, "Clip", {"six", "six"});
  });
  list.Add("ManyAtOnce", {"3 nodes", "Tanh5", "Erf6", "com.acme.Relu"}, [](ModelProto& m) {
    AddNode(m, "Tanh", {"relu"}, "tanh");
    AddNode(m, "Erf", {"tanh"}, "erf");
    NodeAt(m, kFlatten)->set_input(0, "erf");
    NodeAt(m, kRelu)->set_domain("com.acme");
  });
}

}  // namespace

void AddBadLayers(SpoiltModels& models) {
  AddLayers(models);
  AddLayersOfOtherKinds(models);
  AddShapes(models);
  AddOperators(models);
}

}  // namespace cssrun::converter::testing
