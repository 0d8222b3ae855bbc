#include "tests/converter/naive_functions.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace cssrun::converter::testing {
namespace {

// Copies each element of a map to where ONNX's definition of SpaceToDepth moves it, or back.
std::vector<double> Blocks(const Node& node, const Shape& deep, const Shape& wide,
                           const std::vector<double>& input) {
  const int64_t block = node.Int("blocksize", 0);
  const bool column_first = node.String("mode", "DCR") == "CRD";
  std::vector<double> output(input.size());
  for (int64_t c = 0; c < wide[1]; ++c) {
    for (int64_t y = 0; y < wide[2]; ++y) {
      for (int64_t x = 0; x < wide[3]; ++x) {
        const int64_t part = y % block * block + x % block;
        const int64_t channel = column_first ? c * block * block + part : part * wide[1] + c;
        const auto in_wide = static_cast<size_t>((c * wide[2] + y) * wide[3] + x);
        const auto in_deep =
            static_cast<size_t>((channel * deep[2] + y / block) * deep[3] + x / block);
        if (node.op == OpKind::kSpaceToDepth) {
          output[in_deep] = input[in_wide];
        } else {
          output[in_wide] = input[in_deep];
        }
      }
    }
  }
  return output;
}

}  // namespace

std::optional<std::vector<double>> NaiveFunction(const Graph& graph, const Node& node,
                                                 const std::vector<double>& input) {
  const std::string op = node.op.name();
  const Shape& from = graph.value(node.inputs[0]).shape;
  const Shape& to = graph.value(node.outputs[0]).shape;
  if (op == "SpaceToDepth") return Blocks(node, to, from, input);
  if (op == "DepthToSpace") return Blocks(node, from, to, input);
  std::vector<double> output = input;
  for (double& v : output) {
    if (op == "Neg") {
      v = -v;
    } else if (op == "Abs") {
      v = std::abs(v);
    } else if (op == "HardSigmoid") {
      const double alpha = node.Float("alpha", 0.2F);
      const double beta = node.Float("beta", 0.5F);
      v = std::clamp(alpha * v + beta, 0.0, 1.0);
    } else {
      return std::nullopt;
    }
  }
  return output;
}

}  // namespace cssrun::converter::testing
