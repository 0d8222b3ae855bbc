#include "tests/converter/naive_dense.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/converter/naive_deconvolution.h"
#include "tests/converter/naive_functions.h"

namespace cssrun::converter::testing {
namespace {

using Values = std::vector<double>;

size_t At(int64_t index) { return static_cast<size_t>(index); }

class Naive {
 public:
  explicit Naive(const Graph& graph) : graph_(graph), values_(graph.values.size()) {}

  std::vector<Values> Run(std::span<const float> image) {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const Tensor* constant = graph_.values[i].constant.get();
      if (constant == nullptr) continue;
      std::visit([&](const auto& data) { values_[i].assign(data.begin(), data.end()); },
                 constant->data);
    }
    Values& pixels = values_[At(graph_.input)];
    pixels.assign(image.begin(), image.end());
    const size_t channels = graph_.image_scale.size();
    for (size_t i = 0; channels > 0 && i < pixels.size(); ++i) {
      const size_t c = i / (pixels.size() / channels);
      pixels[i] = graph_.image_scale[c] * pixels[i] + graph_.image_shift[c];
    }
    for (const Node& node : graph_.nodes) {
      values_[At(node.outputs[0])] = Compute(node);
    }
    return values_;
  }

 private:
  const Shape& ShapeOf(ValueId id) const { return graph_.value(id).shape; }
  const Values& In(const Node& node, size_t i) const { return values_[At(node.inputs[i])]; }
  const Shape& InShape(const Node& node, size_t i = 0) const { return ShapeOf(node.inputs[i]); }
  const Shape& OutShape(const Node& node) const { return ShapeOf(node.outputs[0]); }
  static bool Has(const Node& node, size_t i) {
    return i < node.inputs.size() && node.inputs[i] != kNoValue;
  }
  std::vector<int64_t> IntsOf(const Node& node, size_t i) const {
    return Has(node, i) ? graph_.value(node.inputs[i]).constant->ints() : std::vector<int64_t>();
  }

  // Computes one output element for every position of the output, given as indices.
  static Values ForEach(const Shape& shape,
                        const std::function<double(const std::vector<int64_t>&)>& element) {
    Values output;
    std::vector<int64_t> position(shape.size(), 0);
    for (int64_t i = 0; i < ElementCount(shape); ++i) {
      output.push_back(element(position));
      for (size_t axis = shape.size(); axis-- > 0;) {
        if (++position[axis] < shape[axis]) break;
        position[axis] = 0;
      }
    }
    return output;
  }

  static size_t Offset(const Shape& shape, const std::vector<int64_t>& position) {
    int64_t offset = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      offset = offset * shape[axis] + position[axis];
    return At(offset);
  }

  Values Compute(const Node& node) const {
    const std::string op = node.op.name();
    if (op == "Conv") return Conv(node);
    if (op == "Gemm") return Gemm(node);
    if (op == "MatMul") return MatMul(node);
    if (op == "BatchNormalization") return BatchNorm(node);
    if (op == "MaxPool" || op == "AveragePool") return Pool(node);
    if (op == "GlobalAveragePool" || op == "GlobalMaxPool") return GlobalPool(node);
    if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") return Arithmetic(node);
    if (op == "Slice") return Slice(node);
    if (op == "Pad") return Pad(node);
    if (op == "Concat") return Concat(node);
    if (op == "Transpose") return Transpose(node);
    if (op == "Gather") return Gather(node);
    if (op == "Expand" || op == "Tile") return Repeat(node);
    if (op.starts_with("Reduce")) return Reduce(node);
    if (op == "Softmax" || op == "LogSoftmax") return Softmax(node);
    if (op == "Flatten" || op == "Reshape" || op == "Squeeze" || op == "Unsqueeze" ||
        op == "Identity" || op == "Dropout" || op == "Cast" || op == "CastLike") {
      return In(node, 0);
    }
    if (op == "Relu" || op == "Clip") return Clip(node);
    if (op == "ConvTranspose" || op == "Deconvolution") {
      return NaiveDeconvolution(graph_, node, In(node, 0), In(node, 1),
                                Has(node, 2) ? In(node, 2) : Values());
    }
    if (op == "Resize" || op == "Upsample" || op == "Repeat") return Resize(node);
    if (op == "LeakyRelu" || op == "PRelu") return Leaky(node);
    if (op == "Scale") return Scale(node);
    if (op == "Sum") return Sum(node);
    if (op == "Max" || op == "Min") return Extreme(node);
    if (op == "QuantizeLinear" || op == "DequantizeLinear") return Linear(node);
    if (op == "Quantize") return Quantize(node);
    if (const auto output = NaiveFunction(graph_, node, In(node, 0))) return *output;
    throw std::runtime_error("the naive network lacks " + op);
  }

  Values Clip(const Node& node) const {
    double low =
        node.op == OpKind::kRelu ? 0 : node.Float("min", std::numeric_limits<float>::lowest());
    double high = node.Float("max", std::numeric_limits<float>::max());
    if (Has(node, 1)) low = In(node, 1)[0];
    if (Has(node, 2)) high = In(node, 2)[0];
    Values output = In(node, 0);
    for (double& v : output) v = std::min(std::max(v, low), high);
    return output;
  }

  // Only where rows and columns come a whole number of times.
  Values Resize(const Node& node) const {
    const Shape& from = InShape(node);
    const Shape& to = OutShape(node);
    return ForEach(to, [&](const std::vector<int64_t>& p) {
      std::vector<int64_t> at = p;
      for (size_t axis = 0; axis < at.size(); ++axis) at[axis] /= to[axis] / from[axis];
      return In(node, 0)[Offset(from, at)];
    });
  }

  Values Leaky(const Node& node) const {
    const Shape& shape = OutShape(node);
    return ForEach(shape, [&](const std::vector<int64_t>& p) {
      const double x = In(node, 0)[Offset(shape, p)];
      const double slope =
          Has(node, 1) ? Broadcast(node, 1, p) : static_cast<double>(node.Float("alpha", 0.01F));
      return x > 0 ? x : slope * x;
    });
  }

  // By one number, or by one for each channel; plus such numbers where there is a third input.
  Values Scale(const Node& node) const {
    const Values& factors = In(node, 1);
    Values output = In(node, 0);
    const size_t map = output.size() / factors.size();
    for (size_t i = 0; i < output.size(); ++i) {
      output[i] *= factors[i / map];
      if (Has(node, 2)) output[i] += In(node, 2)[i * In(node, 2).size() / output.size()];
    }
    return output;
  }

  // Quantizes and dequantizes, with one scale and zero point for all.
  Values Linear(const Node& node) const {
    const double scale = In(node, 1)[0];
    const Tensor* type = Has(node, 2) ? graph_.ConstantInput(node, 2) : nullptr;
    const double zero = type == nullptr ? 0 : static_cast<double>(type->ints()[0]);
    const bool is_signed = type != nullptr && type->is_signed;
    Values output = In(node, 0);
    for (double& v : output) {
      if (node.op == OpKind::kDequantizeLinear) {
        v = (v - zero) * scale;
      } else {
        v = std::clamp(std::nearbyint(v / scale) + zero, is_signed ? -128.0 : 0.0,
                       is_signed ? 127.0 : 255.0);
      }
    }
    return output;
  }

  Values Quantize(const Node& node) const {
    const double step = node.Float("step", 1);
    const auto low = static_cast<double>(node.Int("low", 0));
    const auto high = static_cast<double>(node.Int("high", 0));
    Values output = In(node, 0);
    for (double& v : output) v = step * std::clamp(std::nearbyint(v / step), low, high);
    return output;
  }

  Values Extreme(const Node& node) const {
    const bool max = node.op == OpKind::kMax;
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& at) {
      double extreme = Broadcast(node, 0, at);
      for (size_t i = 1; i < node.inputs.size(); ++i) {
        const double v = Broadcast(node, i, at);
        extreme = max ? std::max(extreme, v) : std::min(extreme, v);
      }
      return extreme;
    });
  }

  Values Sum(const Node& node) const {
    Values output = In(node, 0);
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      for (size_t k = 0; k < output.size(); ++k) output[k] += In(node, i)[k];
    }
    return output;
  }

  // Returns the first row and column that a window reads, from the attributes or SAME padding.
  std::vector<int64_t> PadsBefore(const Node& node, const std::vector<int64_t>& kernel,
                                  const std::vector<int64_t>& strides,
                                  const std::vector<int64_t>& dilations) const {
    const std::string auto_pad = node.String("auto_pad", "NOTSET");
    std::vector<int64_t> pads = node.Ints("pads", {0, 0, 0, 0});
    if (auto_pad == "VALID") pads = {0, 0, 0, 0};
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      for (size_t a = 0; a < 2; ++a) {
        const int64_t needed = (OutShape(node)[a + 2] - 1) * strides[a] +
                               (kernel[a] - 1) * dilations[a] + 1 - InShape(node)[a + 2];
        const int64_t total = std::max<int64_t>(needed, 0);
        pads[a] = (total + (auto_pad == "SAME_LOWER" ? 1 : 0)) / 2;
      }
    }
    return {pads[0], pads[1]};
  }

  Values Conv(const Node& node) const {
    const Shape& weights = InShape(node, 1);
    const Shape& in = InShape(node);
    const std::vector<int64_t> strides = node.Ints("strides", {1, 1});
    const std::vector<int64_t> dilations = node.Ints("dilations", {1, 1});
    const std::vector<int64_t> pads =
        PadsBefore(node, {weights[2], weights[3]}, strides, dilations);
    const int64_t groups = node.Int("group", 1);
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      const int64_t group = to[1] / (weights[0] / groups);
      double sum = Has(node, 2) ? In(node, 2)[At(to[1])] : 0.0;
      for (int64_t c = 0; c < weights[1]; ++c) {
        for (int64_t ky = 0; ky < weights[2]; ++ky) {
          for (int64_t kx = 0; kx < weights[3]; ++kx) {
            const int64_t y = to[2] * strides[0] - pads[0] + ky * dilations[0];
            const int64_t x = to[3] * strides[1] - pads[1] + kx * dilations[1];
            if (y < 0 || y >= in[2] || x < 0 || x >= in[3]) continue;
            sum += In(node, 0)[Offset(in, {0, group * weights[1] + c, y, x})] *
                   In(node, 1)[Offset(weights, {to[1], c, ky, kx})];
          }
        }
      }
      return sum;
    });
  }

  Values Gemm(const Node& node) const {
    const Shape& weights = InShape(node, 1);
    const bool transposed = node.Int("transB", 0) != 0;
    const int64_t inner = transposed ? weights[1] : weights[0];
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        sum += In(node, 0)[At(to[0] * inner + k)] *
               In(node, 1)[Offset(weights, transposed ? std::vector<int64_t>{to[1], k}
                                                      : std::vector<int64_t>{k, to[1]})];
      }
      sum *= node.Float("alpha", 1);
      if (!Has(node, 2)) return sum;
      const Values& bias = In(node, 2);
      return sum + node.Float("beta", 1) * bias[bias.size() == 1 ? 0 : At(to[1])];
    });
  }

  // One side is a matrix, the other any number of rows or, on the right, one matrix.
  Values MatMul(const Node& node) const {
    const Shape& left = InShape(node);
    const Shape& right = InShape(node, 1);
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      std::vector<int64_t> row =
          left.size() == 2 && right.size() > 2 ? std::vector<int64_t>{to[to.size() - 2], 0} : to;
      std::vector<int64_t> column = to;
      if (right.size() == 2) column = {0, to.back()};
      double sum = 0;
      for (int64_t k = 0; k < left.back(); ++k) {
        row.back() = k;
        column[column.size() - 2] = k;
        sum += In(node, 0)[Offset(left, row)] * In(node, 1)[Offset(right, column)];
      }
      return sum;
    });
  }

  Values BatchNorm(const Node& node) const {
    const double epsilon = node.Float("epsilon", 1e-5F);
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      const size_t c = At(to[1]);
      const double x = In(node, 0)[Offset(OutShape(node), to)];
      return (x - In(node, 3)[c]) / std::sqrt(In(node, 4)[c] + epsilon) * In(node, 1)[c] +
             In(node, 2)[c];
    });
  }

  Values Pool(const Node& node) const {
    const Shape& in = InShape(node);
    const std::vector<int64_t> kernel = node.Ints("kernel_shape", {});
    const std::vector<int64_t> strides = node.Ints("strides", {1, 1});
    const std::vector<int64_t> dilations = node.Ints("dilations", {1, 1});
    const std::vector<int64_t> pads = PadsBefore(node, kernel, strides, dilations);
    const bool max = node.op == OpKind::kMaxPool;
    const bool counts_padding = node.Int("count_include_pad", 0) != 0;
    // The padding that ceil_mode adds is never counted.
    std::vector<int64_t> ends = {in[2], in[3]};
    for (size_t a = 0; a < 2; ++a) {
      ends[a] += node.String("auto_pad", "NOTSET") == "NOTSET"
                     ? node.Ints("pads", {0, 0, 0, 0})[a + 2]
                     : kernel[a];
    }
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      double best = -std::numeric_limits<double>::infinity();
      double sum = 0;
      int count = 0;
      for (int64_t ky = 0; ky < kernel[0]; ++ky) {
        for (int64_t kx = 0; kx < kernel[1]; ++kx) {
          const int64_t y = to[2] * strides[0] - pads[0] + ky * dilations[0];
          const int64_t x = to[3] * strides[1] - pads[1] + kx * dilations[1];
          const bool inside = y >= 0 && y < in[2] && x >= 0 && x < in[3];
          if (inside || (counts_padding && y < ends[0] && x < ends[1])) ++count;
          if (!inside) continue;
          const double v = In(node, 0)[Offset(in, {0, to[1], y, x})];
          best = std::max(best, v);
          sum += v;
        }
      }
      return max ? best : sum / count;
    });
  }

  Values GlobalPool(const Node& node) const {
    const Shape& in = InShape(node);
    const size_t size = At(in[2] * in[3]);
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      const auto begin = In(node, 0).begin() + to[1] * in[2] * in[3];
      const auto end = begin + in[2] * in[3];
      return node.op == OpKind::kGlobalMaxPool
                 ? *std::max_element(begin, end)
                 : std::accumulate(begin, end, 0.0) / static_cast<double>(size);
    });
  }

  double Broadcast(const Node& node, size_t input, const std::vector<int64_t>& to) const {
    const Shape& shape = graph_.value(node.inputs[input]).constant != nullptr
                             ? graph_.value(node.inputs[input]).constant->shape
                             : InShape(node, input);
    std::vector<int64_t> from;
    for (size_t i = 0; i < shape.size(); ++i) {
      from.push_back(shape[i] == 1 ? 0 : to[to.size() - shape.size() + i]);
    }
    return In(node, input)[Offset(shape, from)];
  }

  Values Arithmetic(const Node& node) const {
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      const double a = Broadcast(node, 0, to);
      const double b = Broadcast(node, 1, to);
      return node.op == OpKind::kAdd   ? a + b
             : node.op == OpKind::kSub ? a - b
             : node.op == OpKind::kMul ? a * b
                                       : a / b;
    });
  }

  // Supports steps forwards only.
  Values Slice(const Node& node) const {
    const bool attributes = node.inputs.size() == 1;
    const std::vector<int64_t> starts = attributes ? node.Ints("starts", {}) : IntsOf(node, 1);
    std::vector<int64_t> axes = attributes ? node.Ints("axes", {}) : IntsOf(node, 3);
    std::vector<int64_t> steps = IntsOf(node, 4);
    if (axes.empty()) {
      axes.resize(starts.size());
      std::iota(axes.begin(), axes.end(), 0);
    }
    steps.resize(starts.size(), 1);
    const Shape& in = InShape(node);
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      std::vector<int64_t> from = to;
      for (size_t i = 0; i < axes.size(); ++i) {
        const size_t axis = At(axes[i] < 0 ? axes[i] + static_cast<int64_t>(in.size()) : axes[i]);
        const int64_t start = starts[i] < 0 ? starts[i] + in[axis] : starts[i];
        from[axis] = start + to[axis] * steps[i];
      }
      return In(node, 0)[Offset(in, from)];
    });
  }

  Values Pad(const Node& node) const {
    const bool attributes = node.inputs.size() == 1;
    const std::vector<int64_t> pads = attributes ? node.Ints("pads", {}) : IntsOf(node, 1);
    const double fill = attributes ? node.Float("value", 0) : Has(node, 2) ? In(node, 2)[0] : 0;
    const Shape& in = InShape(node);
    std::vector<int64_t> before(in.size(), 0);
    const std::vector<int64_t> axes = IntsOf(node, 3);
    for (size_t i = 0; i < pads.size() / 2; ++i) {
      const int64_t axis = axes.empty() ? static_cast<int64_t>(i) : axes[i];
      before[At(axis < 0 ? axis + static_cast<int64_t>(in.size()) : axis)] = pads[i];
    }
    return ForEach(OutShape(node), [&](std::vector<int64_t> at) {
      for (size_t axis = 0; axis < in.size(); ++axis) {
        at[axis] -= before[axis];
        if (at[axis] < 0 || at[axis] >= in[axis]) return fill;
      }
      return In(node, 0)[Offset(in, at)];
    });
  }

  Values Concat(const Node& node) const {
    const auto rank = static_cast<int64_t>(OutShape(node).size());
    const int64_t given = node.Int("axis", 1);
    const size_t axis = At(given < 0 ? given + rank : given);
    return ForEach(OutShape(node), [&](std::vector<int64_t> at) {
      size_t input = 0;
      while (at[axis] >= InShape(node, input)[axis]) at[axis] -= InShape(node, input++)[axis];
      return In(node, input)[Offset(InShape(node, input), at)];
    });
  }

  Values Transpose(const Node& node) const {
    const std::vector<int64_t> order = node.Ints("perm", {});
    return ForEach(OutShape(node), [&](const std::vector<int64_t>& to) {
      std::vector<int64_t> from(to.size());
      for (size_t i = 0; i < to.size(); ++i) from[At(order[i])] = to[i];
      return In(node, 0)[Offset(InShape(node), from)];
    });
  }

  Values Repeat(const Node& node) const {
    const Shape& in = InShape(node);
    return ForEach(OutShape(node), [&](std::vector<int64_t> at) {
      for (size_t axis = 0; axis < in.size(); ++axis) at[axis] %= in[axis];
      return In(node, 0)[Offset(in, at)];
    });
  }

  // Along one axis, by one index, which drops the axis, or a list, which does not.
  Values Gather(const Node& node) const {
    const Shape& in = InShape(node);
    const size_t axis = At(node.Int("axis", 0));
    return ForEach(OutShape(node), [&](std::vector<int64_t> at) {
      if (at.size() < in.size()) at.insert(at.begin() + static_cast<std::ptrdiff_t>(axis), 0);
      at[axis] = IntsOf(node, 1)[At(at[axis])];
      return In(node, 0)[Offset(in, at)];
    });
  }

  Values Reduce(const Node& node) const {
    const bool max = node.op == OpKind::kReduceMax;
    const Shape& in = InShape(node);
    std::vector<bool> reduced(in.size(), false);
    for (const int64_t axis : Has(node, 1) ? IntsOf(node, 1) : node.Ints("axes", {})) {
      reduced[At(axis < 0 ? axis + static_cast<int64_t>(in.size()) : axis)] = true;
    }
    Shape kept = in;
    for (size_t axis = 0; axis < in.size(); ++axis) {
      if (reduced[axis]) kept[axis] = 1;
    }
    Values sums(At(ElementCount(kept)), max ? -1e30 : 0.0);
    size_t next = 0;
    ForEach(in, [&](std::vector<int64_t> at) {
      for (size_t axis = 0; axis < in.size(); ++axis) {
        if (reduced[axis]) at[axis] = 0;
      }
      double& sum = sums[Offset(kept, at)];
      const double v = In(node, 0)[next++];
      return sum = max ? std::max(sum, v) : sum + v;
    });
    if (node.op != OpKind::kReduceMean) return sums;
    for (double& v : sums) v *= static_cast<double>(ElementCount(kept)) / static_cast<double>(next);
    return sums;
  }

  Values Softmax(const Node& node) const {
    Values output = In(node, 0);
    double sum = 0;
    for (const double v : output) sum += std::exp(v);
    for (double& v : output)
      v = node.op == OpKind::kSoftmax ? std::exp(v) / sum : v - std::log(sum);
    return output;
  }

  const Graph& graph_;
  std::vector<Values> values_;
};

}  // namespace

std::vector<Values> RunNaive(const Graph& graph, std::span<const float> image) {
  return Naive(graph).Run(image);
}

std::vector<double> NaiveAnswer(const Graph& graph, std::span<const float> image) {
  return RunNaive(graph, image)[static_cast<size_t>(graph.outputs.front().value)];
}

}  // namespace cssrun::converter::testing
