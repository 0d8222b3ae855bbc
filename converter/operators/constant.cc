// Constant and ConstantOfShape: numbers that a model holds or fills in.
#include <memory>
#include <string>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kConstantVersions[] = {
    {1, "the attribute value"},
    {9, "all types"},
    {11, "sparse_value, which is not read"},
    {12, "numbers and lists of them as attributes"},
    {13, "bfloat16"},
    {19, "floats of 8 bits"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

constexpr OperatorVersion kOfShapeVersions[] = {
    {9, "the first"},
    {20, "floats of 8 bits"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

Inferred InferConstantOfShape(const Graph& graph, const Node& node, const Shape&) {
  const std::vector<int64_t>* shape = ConstantInts(graph, node, 0);
  if (shape == nullptr) return Unknown();
  return Known(*shape);
}

Evaluated EvaluateConstantOfShape(const Graph&, const Node& node, const Shape& shape) {
  const auto size = static_cast<size_t>(ElementCount(shape));
  const AttributeValue* attribute = node.Find("value");
  const auto* given =
      attribute == nullptr ? nullptr : std::get_if<std::shared_ptr<const Tensor>>(attribute);
  if (given == nullptr) return Done({shape, std::vector<float>(size, 0.0F)});
  if (ElementCount((*given)->shape) != 1) {
    return NodeError(node, "its value has the shape " + ToString((*given)->shape) +
                               " instead of one element; export the model again");
  }
  if ((*given)->is_float()) return Done({shape, std::vector<float>(size, (*given)->floats()[0])});
  return Done({shape, std::vector<int64_t>(size, (*given)->ints()[0])});
}

}  // namespace

// The reader makes a constant value of it; one that holds a text is left.
constinit const Operator kConstantOperator = {
    .versions = kConstantVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = Absent::kRewritten,
    .evaluate = Absent::kRewritten,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kConstantOfShapeOperator = {
    .versions = kOfShapeVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferConstantOfShape,
    .evaluate = EvaluateConstantOfShape,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
