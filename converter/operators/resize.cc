// Resize and Upsample to the nearest position; Repeat, which Normalize() makes of them where each
// position comes a whole number of times.
#include "converter/operators/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/pool.h"
#include "converter/passes/normalize.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kResizeVersions[] = {
    {10, "scales are input 1; positions are asymmetric and rounded down"},
    {11, "roi, scales and sizes are inputs 1 to 3; modes of coordinates and rounding"},
    {13, "bfloat16"},
    {18, "axes, antialias, keep_aspect_ratio_policy"},
    {19, "half_pixel_symmetric"},
};

constexpr OperatorVersion kUpsampleVersions[] = {
    {7, "scales are an attribute"},
    {9, "scales are input 1"},
    {10, "deprecated; read as the version before"},
};

// How an axis of the output lies over that of the input.
struct ResizedAxis {
  double scale = 1;
  int64_t size = 1;  // of the output
};

// Reads scales or sizes, an axis each; nothing where they are not constant.
Result<std::optional<std::vector<ResizedAxis>>> AxesOf(const Graph& graph, const Node& node,
                                                       const Shape& input) {
  using Axes = std::optional<std::vector<ResizedAxis>>;
  std::vector<ResizedAxis> axes;
  for (const int64_t size : input) axes.push_back({1, size});
  const bool has_roi = node.op == OpKind::kResize && graph.opset >= 11;
  const std::vector<float>* scales = ConstantFloats(graph, node, has_roi ? 2 : 1);
  const std::vector<int64_t>* sizes = has_roi ? ConstantInts(graph, node, 3) : nullptr;
  std::vector<float> attribute;
  for (const Attribute& a : node.attributes) {
    if (a.name != "scales") continue;
    if (const auto* values = std::get_if<std::vector<float>>(&a.value)) attribute = *values;
    scales = &attribute;
  }
  const bool by_sizes = sizes != nullptr && !sizes->empty();
  if (!by_sizes && scales == nullptr) return Axes();
  Result<std::vector<size_t>> resized =
      NormalizeAxes(node, node.Ints("axes", {0, 1, 2, 3}), input.size());
  if (!resized.ok()) return resized.status();
  const size_t count = by_sizes ? sizes->size() : scales->size();
  if (count != resized.value().size()) {
    return NodeError(node, "it resizes " + std::to_string(count) + " axes of its input " +
                               ToString(input) + "; export the model again");
  }
  for (size_t i = 0; i < count; ++i) {
    const size_t axis = resized.value()[i];
    const auto size = static_cast<double>(input[axis]);
    const double scale =
        by_sizes ? static_cast<double>((*sizes)[i]) / size : static_cast<double>((*scales)[i]);
    if (!(scale > 0) || !(size * scale >= 1) || size * scale > double{kMaximumWindow}) {
      return NodeError(node, "it resizes axis " + std::to_string(axis) + " of its input " +
                                 ToString(input) +
                                 " to nothing, or beyond all bounds; export "
                                 "the model again");
    }
    axes[axis] = {scale, by_sizes ? (*sizes)[i] : static_cast<int64_t>(std::floor(size * scale))};
  }
  return Axes(std::move(axes));
}

// The modes of coordinates and of rounding, with the defaults of the version.
struct Modes {
  std::string coordinates = "asymmetric";
  std::string rounding = "floor";
};

Modes ModesOf(const Graph& graph, const Node& node) {
  if (node.op == OpKind::kUpsample || graph.opset < 11) return {};
  return {node.String("coordinate_transformation_mode", "half_pixel"),
          node.String("nearest_mode", "round_prefer_floor")};
}

// The input position that output position `to` takes, by ONNX's definition; -1 in unknown modes.
int64_t NearestOf(const Modes& modes, const ResizedAxis& axis, int64_t size, int64_t to) {
  const auto at = static_cast<double>(to);
  double from = 0;
  if (modes.coordinates == "asymmetric") {
    from = at / axis.scale;
  } else if (modes.coordinates == "half_pixel") {
    from = (at + 0.5) / axis.scale - 0.5;
  } else if (modes.coordinates == "pytorch_half_pixel") {
    from = axis.size > 1 ? (at + 0.5) / axis.scale - 0.5 : 0;
  } else if (modes.coordinates == "half_pixel_symmetric") {
    const double exact = axis.scale * static_cast<double>(size);
    const double centre = static_cast<double>(size) / 2;
    const double offset = centre * (1 - static_cast<double>(axis.size) / exact);
    from = offset + (at + 0.5) / axis.scale - 0.5;
  } else if (modes.coordinates == "tf_half_pixel_for_nn") {
    from = (at + 0.5) / axis.scale;
  } else if (modes.coordinates == "align_corners") {
    from =
        axis.size > 1 ? at * static_cast<double>(size - 1) / static_cast<double>(axis.size - 1) : 0;
  } else {
    return -1;
  }
  double nearest = 0;
  if (modes.rounding == "floor") {
    nearest = std::floor(from);
  } else if (modes.rounding == "ceil") {
    nearest = std::ceil(from);
  } else if (modes.rounding == "round_prefer_floor") {
    nearest = std::ceil(from - 0.5);
  } else if (modes.rounding == "round_prefer_ceil") {
    nearest = std::floor(from + 0.5);
  } else {
    return -1;
  }
  return std::clamp<int64_t>(static_cast<int64_t>(nearest), 0, size - 1);
}

// What an axis does: positions repeated `times`, or every `step`-th from `start` on.
struct Rule {
  int64_t times = 1;
  int64_t start = 0;
  int64_t step = 1;
};

std::optional<Rule> RuleOf(const Modes& modes, const ResizedAxis& axis, int64_t size) {
  const auto all = [&](const auto& expected) {
    for (int64_t to = 0; to < axis.size; ++to) {
      if (NearestOf(modes, axis, size, to) != expected(to)) return false;
    }
    return true;
  };
  Rule rule;
  if (axis.size >= size && axis.size % size == 0) {
    rule.times = axis.size / size;
    if (all([&](int64_t to) { return to / rule.times; })) return rule;
    return std::nullopt;
  }
  rule.start = NearestOf(modes, axis, size, 0);
  rule.step = axis.size > 1 ? NearestOf(modes, axis, size, 1) - rule.start : 1;
  if (rule.start >= 0 && rule.step >= 1 &&
      all([&](int64_t to) { return rule.start + to * rule.step; })) {
    return rule;
  }
  return std::nullopt;
}

std::vector<int64_t> FactorsOf(const Node& node) { return node.Ints("factors", {}); }

Inferred InferRepeat(const Graph&, const Node& node, const Shape& input) {
  const std::vector<int64_t> factors = FactorsOf(node);
  if (input.size() != 4 || factors.size() != 2) return Unknown();
  return Known({input[0], input[1], input[2] * factors[0], input[3] * factors[1]});
}

Inferred InferResize(const Graph& graph, const Node& node, const Shape& input) {
  if (input.size() != 4) return Unknown();
  if (node.String("keep_aspect_ratio_policy", "stretch") != "stretch") return Unknown();
  Result<std::optional<std::vector<ResizedAxis>>> axes = AxesOf(graph, node, input);
  if (!axes.ok()) return axes.status();
  if (!axes.value().has_value()) return Unknown();
  Shape output;
  for (const ResizedAxis& axis : *axes.value()) output.push_back(axis.size);
  return Known(std::move(output));
}

constexpr const char* kNearest =
    "use nearest with a whole factor (PyTorch: nn.Upsample(scale_factor=2), Keras: UpSampling2D), "
    "or a ConvTranspose";

Problem ProblemOfResize(const Graph& graph, const Node& node) {
  if (std::optional<Problem> found = NotAMap(graph, node)) return *found;
  const std::string mode = node.String("mode", "nearest");
  if (mode != "nearest") return {"it interpolates (mode " + mode + ")", kNearest};
  const Modes modes = ModesOf(graph, node);
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || graph.value(node.outputs[0]).shape.empty()) {
    return {"its size is not constant", "export with a fixed image size"};
  }
  const Shape& output = graph.value(node.outputs[0]).shape;
  if (output[0] != (*input)[0] || output[1] != (*input)[1]) {
    return {"it resizes channels", "resize rows and columns alone"};
  }
  return {"from " + ToString(*input) + " to " + ToString(output) +
              ", it does not repeat rows and columns a whole number of times (" +
              modes.coordinates + ", " + modes.rounding + ")",
          kNearest};
}

std::optional<Problem> CheckRepeat(const Graph& graph, const Node& node, const Maps&) {
  return NotAMap(graph, node);
}

// oneDNN takes the middles of positions, which for whole factors is the same.
Status AddRepeat(DenseBuilder& builder, const Node& node) {
  const size_t from = builder.AnySlot(node.inputs[0]);
  const dnnl::resampling_forward::desc desc(kDenseInference, dnnl::algorithm::resampling_nearest,
                                            builder.SlotDesc(from),
                                            AnyDesc(builder.Dims(node.outputs[0])));
  const dnnl::resampling_forward::primitive_desc primitive(desc, builder.engine());
  const size_t to = builder.NewSlot(primitive.dst_desc());
  builder.AddOperation(dnnl::resampling_forward(primitive),
                       {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
  builder.Make(node.outputs[0], to);
  builder.FinishRead(node.inputs[0]);
  return Status::Ok();
}

// Identities whose positions come several times, after their means. Where they come many times, as
// those of a mean over the whole map, neurons repeat them: in a sum of other channels, weights
// would be a matrix for each time.
Status LowerRepeat(Lowering& lowering, const Node& node) {
  constexpr int64_t kMany = 16;
  const std::vector<int64_t> factors = FactorsOf(node);
  const auto are_many = [&](const SpikingSynapses& term) {
    return term.repeat_y * term.repeat_x * factors[0] * factors[1] > kMany;
  };
  const Form& input = lowering.Fitting(node.inputs[0], [&](const Form& form) {
    return form.AllTerms([&](const SpikingSynapses& term) {
      const bool all_channels =
          term.channel_offset == 0 &&
          lowering.NodeAt(term.source).extent.channels() == form.extent.channels();
      return IsIdentityTerm(term) && IsUnit(term.window) &&
             (!are_many(term) || (all_channels && !IsRepeated(term)));
    });
  });
  Form output = input;
  output.name = node.name;
  output.extent = ExtentOf(lowering.graph().value(node.outputs[0]).shape);
  const bool many = std::ranges::any_of(input.terms, are_many);
  for (SpikingSynapses& term : output.terms) {
    term.repeat_y *= static_cast<int32_t>(factors[0]);
    term.repeat_x *= static_cast<int32_t>(factors[1]);
  }
  if (many) output = lowering.MakeNeurons(std::move(output), node.outputs[0], false);
  lowering.SetForm(node, std::move(output));
  return Status::Ok();
}

// Resize and Upsample.
constexpr Operator ResizingOf(std::span<const OperatorVersion> versions) {
  return {
      .versions = versions,
      .elements = ElementRule::kComputed,
      .map = MapRule::kOwn,
      .infer_shape = InferResize,
      .evaluate = Absent::kNotInModels,
      .follow = Absent::kRewritten,
      .reorder_weights = Absent::kNoWeights,
      .check = ProblemOfResize,
      .dense = Absent::kRefused,
      .lower = Absent::kRefused,
  };
}

}  // namespace

Status NormalizeResize(Graph& graph, Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || input->size() != 4 || node.String("mode", "nearest") != "nearest" ||
      node.String("keep_aspect_ratio_policy", "stretch") != "stretch") {
    return Status::Ok();
  }
  Result<std::optional<std::vector<ResizedAxis>>> axes = AxesOf(graph, node, *input);
  if (!axes.ok()) return axes.status();
  if (!axes.value().has_value()) return Status::Ok();
  std::vector<Rule> rules;
  std::vector<AxisRange> ranges;
  for (size_t i = 0; i < 4; ++i) {
    const ResizedAxis& axis = (*axes.value())[i];
    const std::optional<Rule> rule = RuleOf(ModesOf(graph, node), axis, (*input)[i]);
    if (!rule.has_value() || (i < 2 && axis.size != (*input)[i])) return Status::Ok();
    rules.push_back(*rule);
    ranges.push_back({rule->start, rule->step, axis.size});
  }
  const bool repeats = rules[2].times > 1 || rules[3].times > 1;
  const bool skips = ranges[2].count < (*input)[2] || ranges[3].count < (*input)[3];
  if (repeats && skips) return Status::Ok();
  if (!repeats) {
    node.op = skips ? OpKind::kSlice : OpKind::kIdentity;
    node.inputs.resize(1);
    node.attributes.clear();
    if (skips) SetSlice(graph, ranges, node);
    return Status::Ok();
  }
  node.op = OpKind::kRepeat;
  node.inputs.resize(1);
  node.attributes = {{"factors", std::vector<int64_t>{rules[2].times, rules[3].times}}};
  return Status::Ok();
}

constinit const Operator kResizeOperator = ResizingOf(kResizeVersions);
constinit const Operator kUpsampleOperator = ResizingOf(kUpsampleVersions);

constinit const Operator kRepeatOperator = {
    .versions = NotInOnnx{"Normalize()"},
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferRepeat,
    .evaluate = Absent::kNotInModels,
    .follow = FollowPool,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckRepeat,
    .dense = DenseAlone{AddRepeat},
    .lower = LowerRepeat,
};

}  // namespace cssrun::converter
