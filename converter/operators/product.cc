#include "converter/operators/product.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

// A matrix of `outputs` rows, and one number or one for each of them that is added.
struct Matrix {
  int64_t inputs = 0;
  int64_t outputs = 0;
  std::vector<float> weights;  // [outputs][inputs]
  std::vector<float> bias;     // empty: none
};

// The matrix that a node multiplies its input `activation` with; nothing where it is not constant.
std::optional<Matrix> MatrixOf(const Graph& graph, const Node& node, size_t activation) {
  const std::vector<float>* constant = ConstantFloats(graph, node, 1 - activation);
  if (constant == nullptr || node.Int("transA", 0) != 0) return std::nullopt;
  const Shape& shape = graph.ConstantInput(node, 1 - activation)->shape;
  if (shape.size() != 2) return std::nullopt;
  // A matrix on the left has a row for each output.
  const bool by_output = activation == 1 || node.Int("transB", 0) != 0;
  Matrix matrix;
  matrix.outputs = by_output ? shape[0] : shape[1];
  matrix.inputs = by_output ? shape[1] : shape[0];
  const float alpha = node.Float("alpha", 1);
  for (int64_t o = 0; o < matrix.outputs; ++o) {
    for (int64_t i = 0; i < matrix.inputs; ++i) {
      const int64_t at = by_output ? o * matrix.inputs + i : i * matrix.outputs + o;
      matrix.weights.push_back(alpha * (*constant)[static_cast<size_t>(at)]);
    }
  }
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) return matrix;
  const std::vector<float>* bias = ConstantFloats(graph, node, 2);
  if (bias == nullptr) return std::nullopt;
  const Shape& of_bias = graph.ConstantInput(node, 2)->shape;
  const auto numbers = static_cast<int64_t>(bias->size());
  const bool last = numbers == 1 || (!of_bias.empty() && of_bias.back() == numbers);
  if (!last || (numbers != 1 && numbers != matrix.outputs)) return std::nullopt;
  for (int64_t o = 0; o < matrix.outputs; ++o) {
    matrix.bias.push_back(node.Float("beta", 1) *
                          (*bias)[numbers == 1 ? 0 : static_cast<size_t>(o)]);
  }
  return matrix;
}

// A view as a table of the base's channels by its positions.
struct Table {
  std::vector<int64_t> channels;   // of the base, in the order of the matrix's inputs
  std::vector<int64_t> positions;  // of the base
};

// Element (c, p) of the view is element c * channel_step + p * position_step. Nothing where the
// elements are not the same channels of all positions.
std::optional<Table> TableOf(const View& view, int64_t base_positions, int64_t channels,
                             int64_t channel_step, int64_t position_step) {
  Table table;
  const auto count = static_cast<int64_t>(view.elements.size()) / channels;
  const auto at = [&](int64_t c, int64_t p) {
    return view.elements[static_cast<size_t>(c * channel_step + p * position_step)];
  };
  for (int64_t c = 0; c < channels; ++c) table.channels.push_back(at(c, 0) / base_positions);
  for (int64_t p = 0; p < count; ++p) table.positions.push_back(at(0, p) % base_positions);
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t p = 0; p < count; ++p) {
      const int64_t element = table.channels[static_cast<size_t>(c)] * base_positions +
                              table.positions[static_cast<size_t>(p)];
      if (at(c, p) != element) return std::nullopt;
    }
  }
  return table;
}

}  // namespace

bool FollowProduct(Views& views, const Node& node) {
  if (node.inputs.size() < 2) return false;
  const size_t activation = views.IsActivation(node.inputs[0]) ? 0 : 1;
  if (!views.IsActivation(node.inputs[activation])) return false;
  const View* found = views.ViewOf(node.inputs[activation]);
  if (found == nullptr) return false;
  const Shape shape = views.ShapeOf(node.inputs[activation]);
  const Shape base = views.ShapeOf(found->base);
  // One row: a Gemm, which reorders its weights.
  if (base.size() != 4 || shape.size() < 2 || (shape.size() == 2 && shape[0] == 1)) return false;
  std::optional<Matrix> matrix = MatrixOf(views.graph(), node, activation);
  if (!matrix.has_value() || matrix->inputs < 1 || matrix->outputs < 1) return false;
  const auto size = static_cast<int64_t>(found->elements.size());
  const int64_t rows = size / matrix->inputs;
  // On the right of a matrix, the channels are rows of the only matrix.
  if (rows < 1 || (activation == 1 && shape[shape.size() - 2] * shape.back() != size)) return false;
  const int64_t positions = base[2] * base[3];
  const std::optional<Table> table =
      activation == 0 ? TableOf(*found, positions, matrix->inputs, 1, matrix->inputs)
                      : TableOf(*found, positions, matrix->inputs, rows, 1);
  if (!table.has_value() || matrix->outputs > kMostViewedElements / positions ||
      matrix->outputs > kMostViewedElements / base[1]) {
    return false;
  }
  const ValueId from = found->base;
  std::vector<float> weights(static_cast<size_t>(matrix->outputs * base[1]), 0.0F);
  const float* weight = matrix->weights.data();
  for (int64_t o = 0; o < matrix->outputs; ++o) {
    for (const int64_t c : table->channels)
      weights[static_cast<size_t>(o * base[1] + c)] += *weight++;
  }
  const std::string name = views.graph().value(node.outputs[0]).name;
  Node conv{OpKind::kConv, node.name, {}, node.outputs, {}};
  conv.attributes = {{"kernel_shape", std::vector<int64_t>{1, 1}},
                     {"strides", std::vector<int64_t>{1, 1}},
                     {"dilations", std::vector<int64_t>{1, 1}},
                     {"pads", std::vector<int64_t>{0, 0, 0, 0}},
                     {"group", int64_t{1}}};
  std::vector<ValueId> inputs = {
      from, AddFloats(views.graph(), name + ".weights", {matrix->outputs, base[1], 1, 1},
                      std::move(weights))};
  if (!matrix->bias.empty()) {
    inputs.push_back(
        AddFloats(views.graph(), name + ".bias", {matrix->outputs}, std::move(matrix->bias)));
  }
  View view;
  view.base =
      views.Emit(std::move(conv), std::move(inputs), {1, matrix->outputs, base[2], base[3]});
  const int64_t outer = activation == 0 ? rows : matrix->outputs;
  const int64_t inner = activation == 0 ? matrix->outputs : rows;
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t k = 0; k < inner; ++k) {
      const int64_t channel = activation == 0 ? k : i;
      const int64_t row = activation == 0 ? i : k;
      view.elements.push_back(channel * positions + table->positions[static_cast<size_t>(row)]);
    }
  }
  return views.Set(node, std::move(view));
}

}  // namespace cssrun::converter
