// Tests the versions of every operator: they must be exactly those that ONNX's own registry has for
// the opsets that we read, and each must be read as it is written.
#include <gtest/gtest.h>
#include <onnx/defs/schema.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operators/operator.h"
#include "converter/passes/fold_constants.h"
#include "converter/passes/normalize.h"
#include "converter/passes/replace_splits.h"
#include "tests/converter/graph_builder.h"

namespace cssrun::converter {
namespace {

using testing::FloatAttribute;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::TextAttribute;

// The newest opset that the installed ONNX library has schemas of. What comes after it was taken
// from ONNX's docs/Changelog.md by hand.
int64_t NewestSchema() {
  return std::min<int64_t>(
      kNewestOpset, onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second);
}

std::vector<OpKind> OnnxKinds() {
  std::vector<OpKind> kinds;
  for (size_t i = 0; i < kKnownOperators; ++i) {
    const auto kind = static_cast<OpKind>(i);
    if (!std::holds_alternative<NotInOnnx>(OperatorOf(kind).versions)) kinds.push_back(kind);
  }
  return kinds;
}

const onnx::OpSchema* SchemaOf(OpKind kind, int64_t opset) {
  return onnx::OpSchemaRegistry::Schema(Op(kind).name(), static_cast<int>(opset), "");
}

class OperatorVersionsTest : public ::testing::TestWithParam<OpKind> {
 protected:
  std::span<const OperatorVersion> versions() const {
    return std::get<std::span<const OperatorVersion>>(OperatorOf(GetParam()).versions);
  }
};

TEST_P(OperatorVersionsTest, AreThoseOfOnnx) {
  std::set<int64_t> expected;
  for (int64_t opset = kOldestOpset; opset <= NewestSchema(); ++opset) {
    const onnx::OpSchema* schema = SchemaOf(GetParam(), opset);
    const OperatorVersion* version = VersionAt(GetParam(), opset);
    ASSERT_EQ(version != nullptr, schema != nullptr) << "opset " << opset;
    if (schema == nullptr) continue;
    EXPECT_EQ(version->since, schema->SinceVersion()) << "opset " << opset;
    expected.insert(schema->SinceVersion());
  }
  std::set<int64_t> known;
  for (const OperatorVersion& version : versions()) {
    EXPECT_LE(version.since, kNewestOpset);
    if (version.since <= NewestSchema()) known.insert(version.since);
    EXPECT_FALSE(std::string(version.change).empty());
  }
  EXPECT_EQ(known, expected);
}

// Makes constants and activations of a graph in which one node is the operator in question.
class Sample {
 public:
  explicit Sample(int64_t opset) : b_(1, opset), opset_(opset) {}

  Graph Of(OpKind kind);

 private:
  // Adds input `i` as an attribute before opset `since`, and as a constant input from then on.
  ValueId IntsSince(int64_t since, OpKind kind, const std::string& attribute,
                    std::vector<int64_t> values, ValueId x) {
    const std::string name = Op(kind).name();
    if (opset_ < since) return b_.Op(name, {x}, {IntsAttribute(attribute, std::move(values))});
    return b_.Op(name, {x, b_.Ints(std::move(values))});
  }
  ValueId Image() { return b_.Image(4, 6, 8); }

  GraphBuilder b_;
  int64_t opset_;
};

Graph Sample::Of(OpKind kind) {
  const std::string name = Op(kind).name();
  switch (kind) {
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
    case OpKind::kDiv:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 1, 3}), b_.Positive({4, 1})}));
    case OpKind::kSum:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 3}), b_.Positive({2, 3})}));
    case OpKind::kMax:
    case OpKind::kMin:
      return b_.Finish(
          b_.Op(name, {Image(), b_.Floats({1, 4, 6, 8}, std::vector<float>(192, 0.0F))}));
    case OpKind::kMatMul:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 3}), b_.Weights({3, 4})}));
    case OpKind::kGemm: {
      std::vector<ValueId> inputs = {b_.Op("Flatten", {Image()}), b_.Weights({192, 4})};
      if (opset_ < 11) inputs.push_back(b_.Weights({4}));
      return b_.Finish(b_.Op(name, std::move(inputs)));
    }
    case OpKind::kConv:
      return b_.Finish(b_.Conv(Image(), 4, 6, 3, {IntsAttribute("strides", {2, 1})}));
    case OpKind::kConvTranspose:
      return b_.Finish(b_.Op(name, {Image(), b_.Weights({4, 3, 2, 3})},
                             {IntsAttribute("strides", {2, 1}), IntsAttribute("dilations", {1, 1}),
                              IntsAttribute("output_padding", {1, 0})}));
    case OpKind::kResize: {
      std::vector<ValueId> inputs = {Image()};
      if (opset_ >= 11) inputs.push_back(b_.Floats({0}, {}));
      inputs.push_back(b_.Floats({4}, {1, 1, 2, 3}));
      std::vector<Attribute> modes = {TextAttribute("mode", "nearest")};
      if (opset_ >= 11) {
        modes.push_back(TextAttribute("coordinate_transformation_mode", "asymmetric"));
        modes.push_back(TextAttribute("nearest_mode", "floor"));
      }
      return b_.Finish(b_.Op(name, std::move(inputs), std::move(modes)));
    }
    case OpKind::kUpsample:
      if (opset_ < 9) {
        return b_.Finish(b_.Op(name, {Image()}, {{"scales", std::vector<float>{1, 1, 2, 3}}}));
      }
      return b_.Finish(b_.Op(name, {Image(), b_.Floats({4}, {1, 1, 2, 3})}));
    case OpKind::kMaxPool:
    case OpKind::kAveragePool:
      return b_.Finish(
          b_.Op(name, {Image()},
                {IntsAttribute("kernel_shape", {3, 2}), IntsAttribute("strides", {2, 2})}));
    case OpKind::kBatchNormalization:
      return b_.Finish(b_.BatchNorm(Image(), 4));
    case OpKind::kGlobalAveragePool:
    case OpKind::kGlobalMaxPool:
    case OpKind::kSoftmax:
    case OpKind::kLogSoftmax:
    case OpKind::kFlatten:
    case OpKind::kAbs:
    case OpKind::kHardSigmoid:
    case OpKind::kShape:
      return b_.Finish(b_.Op(name, {Image()}));
    case OpKind::kRelu:
    case OpKind::kIdentity:
    case OpKind::kNeg:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 3})}));
    case OpKind::kSqrt:
      return b_.Finish(b_.Op(name, {b_.Positive({2, 3})}));
    case OpKind::kSpaceToDepth:
    case OpKind::kDepthToSpace:
      return b_.Finish(b_.Op(name, {Image()}, {IntAttribute("blocksize", 2)}));
    case OpKind::kTranspose:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 3, 4})}, {IntsAttribute("perm", {2, 0, 1})}));
    case OpKind::kReshape:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 6}), b_.Ints({3, -1})}));
    case OpKind::kExpand:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 1}), b_.Ints({2, 3})}));
    case OpKind::kTile:
      return b_.Finish(b_.Op(name, {b_.Weights({2, 3}), b_.Ints({2, 1})}));
    case OpKind::kEqual:
      return b_.Finish(b_.Op(name, {b_.Ints({1, 2}), b_.IntScalar(2)}));
    case OpKind::kWhere:
      return b_.Finish(b_.Op(name, {b_.Ints({1, 0}), b_.Ints({5, 6}), b_.IntScalar(7)}));
    case OpKind::kGather:
      return b_.Finish(
          b_.Op(name, {b_.Weights({3, 2}), b_.Ints({2, 0})}, {IntAttribute("axis", 0)}));
    case OpKind::kLeakyRelu:
      return b_.Finish(b_.Op(name, {Image()}, {FloatAttribute("alpha", 0.1F)}));
    case OpKind::kPRelu:
      return b_.Finish(b_.Op(name, {Image(), b_.Weights({4, 1, 1})}));
    case OpKind::kConcat:
      return b_.Finish(
          b_.Op(name, {b_.Weights({2, 1}), b_.Weights({2, 3})}, {IntAttribute("axis", 1)}));
    case OpKind::kConstant:
      // The reader turns the node into a value (onnx_reader_test.cc); this sample begins with the
      // value.
      return b_.Finish(b_.Weights({2, 3}));
    case OpKind::kConstantOfShape:
      return b_.Finish(b_.Op(name, {b_.Ints({2, 3})}));
    case OpKind::kRange:
      return b_.Finish(b_.Op(name, {b_.IntScalar(2), b_.IntScalar(9), b_.IntScalar(3)}));
    case OpKind::kCast:
      return b_.Finish(b_.Op(name, {b_.Ints({1, 2})}, {IntAttribute("to", 1)}));
    case OpKind::kCastLike:
      return b_.Finish(b_.Op(name, {b_.Ints({1, 2}), b_.Floats({}, {1})}));
    case OpKind::kQuantizeLinear:
      return b_.Finish(
          b_.Op(name, {b_.Weights({2, 3}), b_.Floats({}, {0.01F}), b_.ZeroPoint(3, true)}));
    case OpKind::kDequantizeLinear:
      return b_.Finish(
          b_.Op(name, {b_.Ints({1, 2, 3}), b_.Floats({}, {0.5F}), b_.ZeroPoint(3, true)}));
    case OpKind::kDropout:
      if (opset_ < 12) {
        return b_.Finish(b_.Op(name, {b_.Weights({2, 3})}, {FloatAttribute("ratio", 0.5F)}));
      }
      return b_.Finish(b_.Op(name, {b_.Weights({2, 3}), b_.Floats({}, {0.5F})}));
    case OpKind::kClip:
      if (opset_ < 11) {
        return b_.Finish(
            b_.Op(name, {Image()}, {FloatAttribute("min", 0), FloatAttribute("max", 6)}));
      }
      return b_.Finish(b_.Op(name, {Image(), b_.Floats({}, {0}), b_.Floats({}, {6})}));
    case OpKind::kPad:
      if (opset_ >= 18) {
        return b_.Finish(
            b_.Op(name, {Image(), b_.Ints({0, 1, 2, 0}), b_.Floats({}, {0}), b_.Ints({3, -2})}));
      }
      return b_.Finish(IntsSince(11, kind, "pads", {0, 0, 1, 0, 0, 0, 0, 2}, Image()));
    case OpKind::kReduceSum:
      return b_.Finish(IntsSince(13, kind, "axes", {2, 3}, Image()));
    case OpKind::kReduceMax:
    case OpKind::kReduceMean:
      return b_.Finish(IntsSince(18, kind, "axes", {2, 3}, Image()));
    case OpKind::kSqueeze:
      return b_.Finish(IntsSince(13, kind, "axes", {0, 2}, b_.Weights({1, 2, 1, 3})));
    case OpKind::kUnsqueeze:
      return b_.Finish(IntsSince(13, kind, "axes", {0, 2}, b_.Weights({2, 3})));
    case OpKind::kSplit: {
      const ValueId first = IntsSince(13, kind, "split", {4, 2}, b_.Weights({6, 2}));
      b_.graph.nodes.back().outputs.push_back(b_.graph.AddValue("second", {}));
      return b_.Finish(first);
    }
    case OpKind::kSlice: {
      const ValueId x = b_.Weights({5, 4});
      if (opset_ < 10) {
        return b_.Finish(b_.Op(name, {x},
                               {IntsAttribute("starts", {1}), IntsAttribute("ends", {-1}),
                                IntsAttribute("axes", {0})}));
      }
      return b_.Finish(b_.Op(name, {x, b_.Ints({1}), b_.Ints({-1}), b_.Ints({0})}));
    }
    case OpKind::kDeconvolution:
    case OpKind::kQuantize:
    case OpKind::kRepeat:
    case OpKind::kScale:
    case OpKind::kUnknown:
      break;
  }
  ADD_FAILURE() << "no sample of " << name;
  return b_.graph;
}

onnx::NodeProto ToProto(const Graph& graph, const Node& node) {
  onnx::NodeProto proto;
  proto.set_op_type(node.op.name());
  for (const ValueId id : node.inputs) proto.add_input(graph.value(id).name);
  for (const ValueId id : node.outputs) proto.add_output(graph.value(id).name);
  for (const Attribute& attribute : node.attributes) {
    onnx::AttributeProto& to = *proto.add_attribute();
    to.set_name(attribute.name);
    if (const auto* number = std::get_if<int64_t>(&attribute.value)) {
      to.set_type(onnx::AttributeProto::INT);
      to.set_i(*number);
    } else if (const auto* real = std::get_if<float>(&attribute.value)) {
      to.set_type(onnx::AttributeProto::FLOAT);
      to.set_f(*real);
    } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
      to.set_type(onnx::AttributeProto::STRING);
      to.set_s(*text);
    } else if (const auto* reals = std::get_if<std::vector<float>>(&attribute.value)) {
      to.set_type(onnx::AttributeProto::FLOATS);
      for (const float v : *reals) to.add_floats(v);
    } else {
      to.set_type(onnx::AttributeProto::INTS);
      for (const int64_t v : std::get<std::vector<int64_t>>(attribute.value)) to.add_ints(v);
    }
  }
  return proto;
}

// Checks a sample of each version: ONNX's registry allows it at that opset, and it means the same
// to us as the samples of other versions: the same shape, the same numbers where it is constant,
// and the same operators once normalized.
TEST_P(OperatorVersionsTest, AreReadAsTheyAreWritten) {
  std::string first;
  for (const OperatorVersion& version : versions()) {
    const int64_t opset = std::max(version.since, kOldestOpset);
    SCOPED_TRACE("opset " + std::to_string(opset));
    Graph graph = Sample(opset).Of(GetParam());
    for (const Node& node : graph.nodes) {
      if (opset > NewestSchema()) break;
      const onnx::OpSchema* schema = SchemaOf(node.op.kind(), opset);
      ASSERT_NE(schema, nullptr);
      if (schema->Deprecated()) continue;  // files have it nevertheless
      EXPECT_NO_THROW(schema->Verify(ToProto(graph, node)));
    }
    ASSERT_TRUE(ReplaceSplits(graph).ok());
    ASSERT_TRUE(FoldConstants(graph).ok());
    ASSERT_TRUE(Normalize(graph).ok());
    ASSERT_TRUE(InferShapes(graph).ok());
    const Value& output = graph.value(graph.outputs.front().value);
    std::string meaning = ToString(output.shape);
    for (const Node& node : graph.nodes) meaning.append(" ").append(node.op.name());
    if (output.constant != nullptr) {
      std::visit(
          [&](const auto& values) {
            for (const auto v : values) meaning.append(" ").append(std::to_string(v));
          },
          output.constant->data);
    }
    EXPECT_FALSE(output.shape.empty() && output.constant == nullptr) << meaning;
    if (first.empty()) first = meaning;
    EXPECT_EQ(meaning, first);
  }
}

INSTANTIATE_TEST_SUITE_P(All, OperatorVersionsTest, ::testing::ValuesIn(OnnxKinds()),
                         [](const auto& kind) { return Op(kind.param).name(); });

}  // namespace
}  // namespace cssrun::converter
