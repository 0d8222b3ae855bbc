#include "converter/operators/layer.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/window.h"
#include "format/geometry.h"

namespace cssrun::converter {
namespace {

// Multiply-accumulates of the dense layer. Taps in the padding do not count.
uint64_t Macs(const format::Window& w, const format::Extent& from, const Spread& spread,
              const format::Extent& to, uint64_t sources_per_group) {
  return ExistingReads(RowsOf(w), from.height(), to.height(), spread.y) *
         ExistingReads(ColumnsOf(w), from.width(), to.width(), spread.x) * to.channels() *
         sources_per_group;
}

format::Extent SpreadOut(const format::Extent& e, const Spread& spread) {
  return {e.channels(), static_cast<uint32_t>(format::SpreadPositions(e.height(), spread.y)),
          static_cast<uint32_t>(format::SpreadPositions(e.width(), spread.x))};
}

// Convolution weights for a source whose channel s is the convolution's input channel s + offset;
// those of source channels that the convolution does not read are zero.
std::shared_ptr<const Tensor> WeightsOfSource(const Tensor& weights, int64_t taps, int64_t offset,
                                              int64_t sources) {
  const int64_t targets = weights.shape[0];
  const int64_t inputs = ElementCount(weights.shape) / (targets * taps);
  const int64_t first = std::max<int64_t>(0, -offset);
  const int64_t last = std::min(sources, inputs - offset);
  std::vector<float> result(static_cast<size_t>(targets * sources * taps), 0.0F);
  for (int64_t target = 0; target < targets; ++target) {
    const float* from = weights.floats().data() + (target * inputs + offset) * taps;
    float* to = result.data() + target * sources * taps;
    std::copy(from + first * taps, from + last * taps, to + first * taps);
  }
  return std::make_shared<const Tensor>(Tensor{{targets, sources * taps}, std::move(result)});
}

// The weights times the scales of the source channels that they read.
std::shared_ptr<const Tensor> WithSourceScales(const Tensor& weights, size_t taps, size_t groups,
                                               const std::vector<double>& scales) {
  std::vector<float> result = weights.floats();
  const size_t sources = scales.size() / groups;  // of one group
  const size_t targets = result.size() / (sources * taps);
  for (size_t i = 0; i < result.size(); ++i) {
    const size_t group = i / (sources * taps) / (targets / groups);
    const double scale = scales[group * sources + i / taps % sources];
    result[i] = static_cast<float>(result[i] * scale);
  }
  return std::make_shared<const Tensor>(Tensor{weights.shape, std::move(result)});
}

// Weights over a map whose positions come several times, as weights over that map spread out: tap k
// sees what was at the tap's position and up to `times` - 1 before it. With 2 times:
//
//     taps      a b c              map       0 0 1 1 2 2
//     become    a a+b b+c c        spread    0 - 1 - 2
//
// `maps`: of how many kernels the weights consist.
std::vector<float> WithoutRepetition(const std::vector<float>& weights, const format::Window& w,
                                     const format::Window& composed, const Spread& times) {
  const auto old_taps = static_cast<size_t>(w.kernel_y()) * static_cast<size_t>(w.kernel_x());
  const auto taps =
      static_cast<size_t>(composed.kernel_y()) * static_cast<size_t>(composed.kernel_x());
  const size_t maps = weights.size() / old_taps;
  std::vector<double> sums(taps);
  std::vector<float> result;
  result.reserve(maps * taps);
  const float* weight = weights.data();
  for (size_t map = 0; map < maps; ++map) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (int32_t ky = 0; ky < w.kernel_y(); ++ky) {
      for (int32_t kx = 0; kx < w.kernel_x(); ++kx, ++weight) {
        for (int32_t y = 0; y < times.y; ++y) {
          for (int32_t x = 0; x < times.x; ++x) {
            const int32_t row = ky * w.dilation_y() + y;
            const int32_t column = kx * w.dilation_x() + x;
            sums[static_cast<size_t>(row * composed.kernel_x() + column)] +=
                static_cast<double>(*weight);
          }
        }
      }
    }
    for (const double sum : sums) result.push_back(static_cast<float>(sum));
  }
  return result;
}

// The window over what WithoutRepetition() sees: it begins one repetition earlier.
format::Window WithoutRepetition(const format::Window& w, const Spread& times,
                                 const format::Extent& form) {
  format::Window composed((w.kernel_y() - 1) * w.dilation_y() + times.y,
                          (w.kernel_x() - 1) * w.dilation_x() + times.x, w.stride_y(), w.stride_x(),
                          w.pad_top() + times.y - 1, w.pad_left() + times.x - 1, 0, 0, 1, 1);
  const format::Extent out = Through(w, form, 1);
  const int64_t rows = int64_t{form.height()} - times.y + 1;
  const int64_t columns = int64_t{form.width()} - times.x + 1;
  composed.mutate_pad_bottom(PadAfter(RowsOf(composed), rows, out.height()));
  composed.mutate_pad_right(PadAfter(ColumnsOf(composed), columns, out.width()));
  return composed;
}

// Whether the weights do not grow much where repetition is taken into them: neurons in between are
// cheaper for a 1x1 kernel over a map of which every mean is repeated 32 times.
bool MayTakeRepetition(const SpikingSynapses& term, const format::Window& w) {
  constexpr int64_t kMostGrowth = 4;
  const int64_t rows = int64_t{w.kernel_y() - 1} * w.dilation_y() + term.repeat_y;
  const int64_t columns = int64_t{w.kernel_x() - 1} * w.dilation_x() + term.repeat_x;
  return rows * columns <= kMostGrowth * w.kernel_y() * w.kernel_x();
}

// A term of the form that is convolved, as synapses of the convolution. `source` is the extent of
// the node that the term comes from, `input` that of the form.
SpikingSynapses Convolved(const SpikingSynapses& term, const format::Extent& source,
                          const format::Extent& input, const std::shared_ptr<const Tensor>& weights,
                          const format::Window& w, uint32_t groups) {
  SpikingSynapses synapses = term;
  synapses.kind = format::SynapseKind::Convolution;
  synapses.groups = groups;
  synapses.channel_offset = 0;
  synapses.weights = weights;
  // Only some of the convolution's input channels come from this source.
  const auto sources = static_cast<int64_t>(source.channels());
  const int64_t taps = int64_t{w.kernel_y()} * w.kernel_x();
  const int64_t inputs = ElementCount(weights->shape) / (weights->shape[0] * taps);
  if (groups == 1 && (term.channel_offset != 0 || sources != inputs)) {
    synapses.weights = WeightsOfSource(*weights, taps, term.channel_offset, sources);
  }
  if (term.channel_scales != nullptr) {
    synapses.weights = WithSourceScales(*synapses.weights, static_cast<size_t>(taps), groups,
                                        *term.channel_scales);
    synapses.channel_scales = nullptr;
  }
  if (IsRepeated(term)) {
    const Spread times{term.repeat_y, term.repeat_x};
    synapses.window = WithoutRepetition(w, times, input);
    std::vector<float> composed =
        WithoutRepetition(synapses.weights->floats(), w, synapses.window, times);
    const int64_t row = static_cast<int64_t>(composed.size()) / synapses.weights->shape[0];
    synapses.weights = std::make_shared<const Tensor>(
        Tensor{{synapses.weights->shape[0], row}, std::move(composed)});
    synapses.repeat_y = synapses.repeat_x = 1;
    synapses.spread_y = times.y;
    synapses.spread_x = times.x;
    return synapses;
  }
  // Positions compose. With upper case for the convolution and lower case for the form's own
  // window, position y and tap k read
  //
  //     of the form    f = y S - P + k D
  //     of the source  f s - p = y (S s) - (P s + p) + k (D s)
  const format::Window& t = term.window;
  const int32_t sy = t.stride_y();
  const int32_t sx = t.stride_x();
  const format::Extent form = Through(t, source, 1);
  format::Window composed(w.kernel_y(), w.kernel_x(), w.stride_y() * sy, w.stride_x() * sx,
                          w.pad_top() * sy + t.pad_top(), w.pad_left() * sx + t.pad_left(), 0, 0,
                          w.dilation_y() * sy, w.dilation_x() * sx);
  if (IsUnit(t)) {
    composed = w;
  } else {
    const format::Extent out = Through(w, form, 1);
    composed.mutate_pad_bottom(PadAfter(RowsOf(composed), source.height(), out.height()));
    composed.mutate_pad_right(PadAfter(ColumnsOf(composed), source.width(), out.width()));
  }
  synapses.window = composed;
  return synapses;
}

}  // namespace

std::optional<Problem> VariableWeights(const Graph& graph, const Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  if (ConstantFloats(graph, node, 1) == nullptr ||
      (has_bias && ConstantFloats(graph, node, 2) == nullptr)) {
    return Problem{"its weights are not constant", "export with constant weights"};
  }
  return std::nullopt;
}

Status LowerConvolution(Lowering& lowering, const Node& node, const format::Window& window,
                        uint32_t groups) {
  const std::shared_ptr<const Tensor> weights = lowering.graph().value(node.inputs[1]).constant;
  return LowerConvolution(lowering, node, weights, window, groups, {});
}

Status LowerConvolution(Lowering& lowering, const Node& node,
                        const std::shared_ptr<const Tensor>& weights, const format::Window& window,
                        uint32_t groups, const Spread& spread) {
  const bool padded = HasPadding(window);
  const bool spreads = spread.y != 1 || spread.x != 1;
  const Form& input = lowering.Fitting(node.inputs[0], [&](const Form& form) {
    // Padding has no bias, so a padded convolution cannot absorb the bias of its input; nor do
    // positions between those that are spread out.
    if (form.HasBias()) return false;
    return form.AllTerms([&](const SpikingSynapses& term) {
      const bool all_channels =
          term.channel_offset == 0 &&
          lowering.NodeAt(term.source).extent.channels() == form.extent.channels();
      if (!IsIdentityTerm(term) || (groups != 1 && !all_channels)) return false;
      if (IsRepeated(term)) return !spreads && MayTakeRepetition(term, window);
      return IsUnit(term.window) || (!padded && !spreads && !term.average.has_value());
    });
  });
  const auto targets = static_cast<uint32_t>(weights->shape[0]);
  Form output;
  output.name = node.name;
  output.extent = Through(window, SpreadOut(input.extent, spread), targets);
  for (const SpikingSynapses& term : input.terms) {
    SpikingSynapses& synapses = output.terms.emplace_back(Convolved(
        term, lowering.NodeAt(term.source).extent, input.extent, weights, window, groups));
    if (!spreads) continue;
    synapses.spread_y = spread.y;
    synapses.spread_x = spread.x;
  }
  output.bias.assign(targets, 0.0);
  if (const Tensor* bias = lowering.graph().ConstantInput(node, 2); bias != nullptr) {
    output.bias.assign(bias->floats().begin(), bias->floats().end());
  }
  lowering.CountMacs(
      Macs(window, input.extent, spread, output.extent, input.extent.channels() / groups));
  lowering.SetForm(node, std::move(output));
  return Status::Ok();
}

}  // namespace cssrun::converter
