#include "converter/operators/reshape.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kReshapeVersions[] = {
    {5, "the shape is input 1"}, {13, "bfloat16"},           {14, "allowzero"},
    {19, "floats of 8 bits"},    {21, "integers of 4 bits"}, {23, "floats of 4 bits"},
};

constexpr OperatorVersion kSqueezeVersions[] = {
    {1, "axes are an attribute"}, {11, "negative axes"},    {13, "axes are input 1"},
    {21, "integers of 4 bits"},   {23, "floats of 4 bits"},
};

Inferred InferReshape(const Graph& graph, const Node& node, const Shape& input) {
  const std::vector<int64_t>* wanted = ConstantInts(graph, node, 1);
  if (wanted == nullptr) return Unknown();
  Shape output = *wanted;
  const bool keeps_zero = node.Int("allowzero", 0) != 0;
  int64_t known = 1;
  size_t open = output.size();  // the -1
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i] == 0 && !keeps_zero && i < input.size()) output[i] = input[i];
    if (output[i] == -1 && open == output.size()) {
      open = i;
    } else if (output[i] < 0 || __builtin_mul_overflow(known, output[i], &known)) {
      known = -1;
      break;
    }
  }
  const int64_t elements = ElementCount(input);
  if (known > 0 && open < output.size() && elements % known == 0) {
    output[open] = elements / known;
    known = elements;
  }
  if (known == elements &&
      std::all_of(output.begin(), output.end(), [](auto d) { return d >= 0; })) {
    return Known(std::move(output));
  }
  // With a batch of one, an exporter's fixed batch size in the shape is the usual cause.
  return NodeError(node, "its input " + ToString(input) + " cannot take the shape " +
                             ToString(*wanted) +
                             "; export with batch size 1 or a dynamic batch, and this image size");
}

Inferred InferSqueeze(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<std::vector<int64_t>> given = AxesOf(graph, node);
  if (!given.has_value()) return Unknown();
  Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, input.size());
  if (!axes.ok()) return axes.status();
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool listed =
        std::find(axes.value().begin(), axes.value().end(), i) != axes.value().end();
    if (listed && input[i] != 1) {
      return NodeError(node, "axis " + std::to_string(i) + " of its input " + ToString(input) +
                                 " is not 1; export the model again");
    }
    if (given->empty() ? input[i] != 1 : !listed) output.push_back(input[i]);
  }
  return Known(std::move(output));
}

Inferred InferUnsqueeze(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<std::vector<int64_t>> given = AxesOf(graph, node);
  if (!given.has_value()) return Unknown();
  const size_t rank = input.size() + given->size();
  Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, rank);
  if (!axes.ok()) return axes.status();
  Shape output;
  for (size_t i = 0, next = 0; i < rank; ++i) {
    const bool listed =
        std::find(axes.value().begin(), axes.value().end(), i) != axes.value().end();
    output.push_back(listed ? 1 : input[next++]);
  }
  return Known(std::move(output));
}

}  // namespace

bool FollowReshape(Views& views, const Node& node) {
  std::optional<View> view = views.Look(node.inputs[0]);
  return view.has_value() && views.Set(node, std::move(*view));
}

constinit const Operator kReshapeOperator = {
    .versions = kReshapeVersions,
    .elements = ElementRule::kReshaped,
    .map = MapRule::kOwn,
    .infer_shape = InferReshape,
    .evaluate = EvaluateReshaped,
    .follow = FollowReshape,
    .reorder_weights = Absent::kNoWeights,
    .check = kReordersMap,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kSqueezeOperator = {
    .versions = kSqueezeVersions,
    .elements = ElementRule::kReshaped,
    .map = MapRule::kOwn,
    .infer_shape = InferSqueeze,
    .evaluate = EvaluateReshaped,
    .follow = FollowReshape,
    .reorder_weights = Absent::kNoWeights,
    .check = kReordersMap,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kUnsqueezeOperator = {
    .versions = kSqueezeVersions,
    .elements = ElementRule::kReshaped,
    .map = MapRule::kOwn,
    .infer_shape = InferUnsqueeze,
    .evaluate = EvaluateReshaped,
    .follow = FollowReshape,
    .reorder_weights = Absent::kNoWeights,
    .check = kReordersMap,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
