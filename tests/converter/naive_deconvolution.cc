#include "tests/converter/naive_deconvolution.h"

#include <cstddef>
#include <cstdint>

namespace cssrun::converter::testing {
namespace {

// The place of (a, b, y, x) in a tensor of four dimensions.
size_t At(const Shape& shape, int64_t a, int64_t b, int64_t y, int64_t x) {
  return static_cast<size_t>(((a * shape[1] + b) * shape[2] + y) * shape[3] + x);
}

}  // namespace

// Scatters every input over the output.
std::vector<double> NaiveDeconvolution(const Graph& graph, const Node& node,
                                       const std::vector<double>& input,
                                       const std::vector<double>& weights,
                                       const std::vector<double>& bias) {
  const Shape& from = graph.value(node.inputs[0]).shape;
  const Shape& to = graph.value(node.outputs[0]).shape;
  const Shape& kernel = graph.value(node.inputs[1]).shape;
  const int64_t groups = node.Int("group", 1);
  const int64_t outputs = to[1] / groups;  // of a group
  const int64_t inputs = from[1] / groups;
  const std::vector<int64_t> strides = node.Ints("strides", {1, 1});
  const std::vector<int64_t> dilations = node.Ints("dilations", {1, 1});
  const std::vector<int64_t> pads = node.Ints("pads", {0, 0, 0, 0});
  std::vector<double> result(static_cast<size_t>(ElementCount(to)), 0.0);
  for (size_t i = 0; i < result.size() && !bias.empty(); ++i) {
    result[i] = bias[i / static_cast<size_t>(to[2] * to[3])];
  }
  const auto scatter = [&](int64_t i, int64_t o, int64_t iy, int64_t ix) {
    const int64_t group = i / inputs;
    for (int64_t ky = 0; ky < kernel[2]; ++ky) {
      for (int64_t kx = 0; kx < kernel[3]; ++kx) {
        const int64_t y = iy * strides[0] - pads[0] + ky * dilations[0];
        const int64_t x = ix * strides[1] - pads[1] + kx * dilations[1];
        if (y < 0 || y >= to[2] || x < 0 || x >= to[3]) continue;
        const size_t weight = node.op == OpKind::kDeconvolution
                                  ? At(kernel, group * outputs + o, i % inputs, ky, kx)
                                  : At(kernel, i, o, ky, kx);
        result[At(to, 0, group * outputs + o, y, x)] +=
            input[At(from, 0, i, iy, ix)] * weights[weight];
      }
    }
  };
  for (int64_t i = 0; i < from[1]; ++i) {
    for (int64_t o = 0; o < outputs; ++o) {
      for (int64_t y = 0; y < from[2]; ++y) {
        for (int64_t x = 0; x < from[3]; ++x) scatter(i, o, y, x);
      }
    }
  }
  return result;
}

}  // namespace cssrun::converter::testing
