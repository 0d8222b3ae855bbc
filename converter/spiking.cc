#include "converter/spiking.h"

#include <algorithm>
#include <utility>

#include "converter/operator_attributes.h"
#include "converter/window.h"
#include "format/geometry.h"

namespace cssrun::converter {
namespace {

using format::Extent;
using format::NodeKind;
using format::SynapseKind;
using format::Window;

// A value of the ANN as synapses from spiking nodes plus a bias.
struct Form {
  std::string name;  // of the ANN node that made it
  Extent extent;
  std::vector<SpikingSynapses> terms;
  std::vector<double> bias;  // one per channel

  bool HasBias() const {
    return std::any_of(bias.begin(), bias.end(), [](double b) { return b != 0; });
  }
};

bool IsUnit(const Window& w) { return w == UnitWindow(); }

// The term hands on the source's spikes where they are: no mean, stride or padding.
bool IsPlain(const SpikingSynapses& term) {
  return term.kind == SynapseKind::Identity && !term.average.has_value() && IsUnit(term.window);
}

bool HasPadding(const Window& w) {
  return w.pad_top() != 0 || w.pad_left() != 0 || w.pad_bottom() != 0 || w.pad_right() != 0;
}

int32_t ToInt(int64_t value) { return static_cast<int32_t>(value); }

// One window that covers a whole map. A flattened form is still one, whatever its value's shape.
Window WholeForm(const Extent& e) {
  return Window(ToInt(e.height()), ToInt(e.width()), 1, 1, 0, 0, 0, 0, 1, 1);
}

Extent Through(const Window& w, const Extent& from, uint32_t channels) {
  return Extent(channels, static_cast<uint32_t>(WindowRows(w, from.height())),
                static_cast<uint32_t>(WindowColumns(w, from.width())));
}

// More regions than this come from a window of no sense; a file must not ask for much memory.
constexpr size_t kMostRegions = 4096;

uint64_t ConvolutionMacs(const Window& w, const Extent& from, const Extent& to,
                         uint64_t sources_per_group) {
  return ExistingReads(RowsOf(w), from.height(), to.height()) *
         ExistingReads(ColumnsOf(w), from.width(), to.width()) * to.channels() * sources_per_group;
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

class Lowering {
 public:
  explicit Lowering(const Graph& graph)
      : graph_(graph), uses_(graph.CountUses()), forms_(graph.values.size()) {}

  Result<SpikingNetwork> Run() {
    AddEncoder();
    for (const Node& node : graph_.nodes) {
      if (Status status = Lower(node); !status.ok()) return status;
    }
    return AddReadout();
  }

 private:
  Form& FormOf(ValueId id) { return forms_[static_cast<size_t>(id)]; }
  void SetForm(const Node& node, Form form) { FormOf(node.outputs[0]) = std::move(form); }
  bool OnlyReader(ValueId id) const { return uses_[static_cast<size_t>(id)] == 1; }
  SpikingNode& NodeAt(size_t index) { return network_.nodes[index]; }

  // The form of everything that a node sends.
  Form IdentityOf(size_t index) const {
    const SpikingNode& node = network_.nodes[index];
    SpikingSynapses term;
    term.source = index;
    term.window = UnitWindow();
    return {node.name, node.extent, {term}, std::vector<double>(node.extent.channels(), 0.0)};
  }

  // The node whose spikes, all and unchanged, are this form; null if it is anything else.
  SpikingNode* OnlySource(const Form& form) {
    if (form.terms.size() != 1 || form.HasBias()) return nullptr;
    const SpikingSynapses& term = form.terms.front();
    if (!IsPlain(term) || term.scale != 1 || term.channel_offset != 0) return nullptr;
    SpikingNode& node = NodeAt(term.source);
    return node.extent == form.extent ? &node : nullptr;
  }

  // Ends a form: neurons with its potentials, which stand for the ANN's `value`.
  Form MakeNeurons(Form form, ValueId value, bool rectify) {
    SpikingNode node;
    node.name = form.name;
    node.value = value;
    node.extent = form.extent;
    node.potential = form.extent;
    node.rectify = rectify;
    node.bias = std::move(form.bias);
    node.synapses = std::move(form.terms);
    network_.nodes.push_back(std::move(node));
    return IdentityOf(network_.nodes.size() - 1);
  }

  // The form of `id`, through signed neurons unless it already satisfies `fits`.
  template <typename Predicate>
  const Form& Fitting(ValueId id, const Predicate& fits) {
    Form& form = FormOf(id);
    if (!fits(form)) form = MakeNeurons(std::move(form), id, false);
    return form;
  }

  void AddEncoder() {
    const Shape& shape = graph_.value(graph_.input).shape;
    SpikingNode encoder;
    encoder.name = graph_.value(graph_.input).name;
    encoder.kind = NodeKind::Encoder;
    encoder.value = graph_.input;
    encoder.extent = Extent(static_cast<uint32_t>(shape[1]), static_cast<uint32_t>(shape[2]),
                            static_cast<uint32_t>(shape[3]));
    encoder.potential = encoder.extent;
    network_.nodes.push_back(std::move(encoder));
    FormOf(graph_.input) = IdentityOf(0);
  }

  Result<SpikingNetwork> AddReadout() {
    Form& form = FormOf(graph_.output);
    if (Positions(form.extent) != 1) {
      return Status::BadModel("output " + graph_.value(graph_.output).name +
                              " is a map, not one vector of logits; end the model with a pool or "
                              "a fully connected layer");
    }
    SpikingNode readout;
    readout.name = form.name;
    readout.kind = NodeKind::Readout;
    readout.value = graph_.output;
    readout.extent = form.extent;
    readout.potential = form.extent;
    readout.bias = form.bias;
    readout.synapses = form.terms;
    network_.nodes.push_back(std::move(readout));
    return std::move(network_);
  }

  Status Lower(const Node& node) {
    if (node.op == OpKind::kConv) return LowerConv(node);
    if (node.op == OpKind::kGemm) return LowerGemm(node);
    if (node.op == OpKind::kRelu) return LowerRelu(node, std::nullopt);
    if (node.op == OpKind::kClip)
      return LowerRelu(node, graph_.ConstantInput(node, 2)->floats()[0]);
    if (node.op == OpKind::kQuantize) return LowerQuantize(node);
    if (node.op == OpKind::kMaxPool) return LowerMaxPool(node);
    if (node.op == OpKind::kAveragePool) return LowerAveragePool(node);
    if (node.op == OpKind::kGlobalAveragePool) {
      return LowerAverage(node, WholeForm(FormOf(node.inputs[0]).extent));
    }
    if (node.op == OpKind::kAdd) return LowerAdd(node);
    if (node.op == OpKind::kConcat) return LowerConcat(node);
    if (node.op == OpKind::kSlice) return LowerSlice(node);
    if (node.op == OpKind::kPad) return LowerPad(node);
    if (node.op == OpKind::kFlatten) {
      // The order of a flattened map is that of a kernel that covers it: nothing to do.
      SetForm(node, FormOf(node.inputs[0]));
      return Status::Ok();
    }
    return Status::BadModel("node " + node.name + ": operator " + node.op.name() +
                            " cannot be turned into spikes");
  }

  Status LowerConv(const Node& node) {
    Result<converter::Window> window = WindowOf(graph_, node, graph_.value(node.inputs[0]).shape);
    if (!window.ok()) return window.status();
    return Convolve(node, graph_.value(node.inputs[1]).constant, StoredWindow(window.value()),
                    static_cast<uint32_t>(node.Int("group", 1)));
  }

  // A fully connected layer is a convolution whose kernel covers the whole map.
  Status LowerGemm(const Node& node) {
    return Convolve(node, graph_.value(node.inputs[1]).constant,
                    WholeForm(FormOf(node.inputs[0]).extent), 1);
  }

  Status Convolve(const Node& node, const std::shared_ptr<const Tensor>& weights,
                  const Window& window, uint32_t groups) {
    const bool padded = HasPadding(window);
    const Form& input = Fitting(node.inputs[0], [&](const Form& form) {
      // Beyond the border there is no bias, so a padded convolution cannot take it in.
      if (form.HasBias()) return false;
      return std::all_of(form.terms.begin(), form.terms.end(), [&](const SpikingSynapses& term) {
        const bool all_channels = term.channel_offset == 0 &&
                                  NodeAt(term.source).extent.channels() == form.extent.channels();
        if (term.kind != SynapseKind::Identity || (groups != 1 && !all_channels)) return false;
        return IsUnit(term.window) || (!padded && !term.average.has_value());
      });
    });
    const auto targets = static_cast<uint32_t>(weights->shape[0]);
    Form output;
    output.name = node.name;
    output.extent = Through(window, input.extent, targets);
    for (const SpikingSynapses& term : input.terms) {
      output.terms.push_back(ConvolveTerm(term, weights, window, groups));
    }
    output.bias.assign(targets, 0.0);
    if (const Tensor* bias = graph_.ConstantInput(node, 2); bias != nullptr) {
      output.bias.assign(bias->floats().begin(), bias->floats().end());
    }
    network_.macs +=
        ConvolutionMacs(window, input.extent, output.extent, input.extent.channels() / groups);
    SetForm(node, std::move(output));
    return Status::Ok();
  }

  SpikingSynapses ConvolveTerm(const SpikingSynapses& term,
                               const std::shared_ptr<const Tensor>& weights, const Window& w,
                               uint32_t groups) {
    SpikingSynapses synapses = term;
    synapses.kind = SynapseKind::Convolution;
    synapses.groups = groups;
    synapses.channel_offset = 0;
    synapses.weights = weights;
    // Only some of the convolution's input channels come from this source.
    const auto sources = static_cast<int64_t>(NodeAt(term.source).extent.channels());
    const int64_t taps = int64_t{w.kernel_y()} * w.kernel_x();
    const int64_t inputs = ElementCount(weights->shape) / (weights->shape[0] * taps);
    if (groups == 1 && (term.channel_offset != 0 || sources != inputs)) {
      synapses.weights = WeightsOfSource(*weights, taps, term.channel_offset, sources);
    }
    // The convolution's position y sees y S - P + k D of the form, whose position f sees
    // f s - p of the source: together y S s - (P s + p) + k D s.
    const Window& t = term.window;
    const int32_t sy = t.stride_y();
    const int32_t sx = t.stride_x();
    const Extent form = Through(t, NodeAt(term.source).extent, 1);
    Window composed(w.kernel_y(), w.kernel_x(), w.stride_y() * sy, w.stride_x() * sx,
                    w.pad_top() * sy + t.pad_top(), w.pad_left() * sx + t.pad_left(), 0, 0,
                    w.dilation_y() * sy, w.dilation_x() * sx);
    if (IsUnit(t)) {
      composed = w;
    } else {
      const Extent out = Through(w, form, 1);
      const Extent& source = NodeAt(term.source).extent;
      composed.mutate_pad_bottom(PadAfter(RowsOf(composed), source.height(), out.height()));
      composed.mutate_pad_right(PadAfter(ColumnsOf(composed), source.width(), out.width()));
    }
    synapses.window = composed;
    return synapses;
  }

  Status LowerRelu(const Node& node, std::optional<float> cap) {
    const ValueId input = node.inputs[0];
    Form& form = FormOf(input);
    SpikingNode* source = OnlySource(form);
    if (source != nullptr && source->kind == NodeKind::Neurons && OnlyReader(input) &&
        source->value == input) {
      // relu(max(x)) = max(relu(x)): the signed neurons made for a pool rectify themselves.
      source->rectify = true;
      source->cap = cap;
      source->value = node.outputs[0];
      SetForm(node, form);
      return Status::Ok();
    }
    Form neurons = MakeNeurons(form, node.outputs[0], true);
    network_.nodes.back().cap = cap;
    SetForm(node, std::move(neurons));
    return Status::Ok();
  }

  // max(quantize(x)) = quantize(max(x)), so that pooled neurons quantize themselves.
  Status LowerQuantize(const Node& node) {
    const ValueId input = node.inputs[0];
    Form& form = FormOf(input);
    SpikingNode* source = OnlySource(form);
    const bool joins = source != nullptr && source->kind == NodeKind::Neurons &&
                       OnlyReader(input) && source->value == input && !source->cap.has_value();
    if (!joins) {
      FormOf(node.outputs[0]) = MakeNeurons(form, node.outputs[0], false);
      source = &network_.nodes.back();
    } else {
      FormOf(node.outputs[0]) = form;
    }
    const int64_t low = node.Int("low", 0);
    const int64_t most = std::max(std::abs(low), std::abs(node.Int("high", 0)));
    source->rectify = source->rectify || low >= 0;
    source->cap = static_cast<float>(most) * node.Float("step", 0);
    source->quantized = true;
    source->value = node.outputs[0];
    return Status::Ok();
  }

  Status LowerMaxPool(const Node& node) {
    const ValueId input = node.inputs[0];
    Result<converter::Window> parsed = WindowOf(graph_, node, graph_.value(input).shape);
    if (!parsed.ok()) return parsed.status();
    const Window window = StoredWindow(parsed.value());
    SpikingNode* source = OnlySource(FormOf(input));
    const bool fuses = source != nullptr && source->kind == NodeKind::Neurons &&
                       !source->pool.has_value() && source->value == input && OnlyReader(input);
    if (!fuses) {
      const Form& form = FormOf(input);
      const bool never_negative =
          !form.HasBias() &&
          std::all_of(form.terms.begin(), form.terms.end(), [&](const SpikingSynapses& term) {
            return term.kind == SynapseKind::Identity && term.scale > 0 &&
                   NodeAt(term.source).rectify;
          });
      Form potentials = form;
      potentials.name = node.name;
      MakeNeurons(std::move(potentials), node.outputs[0], never_negative);
      source = &network_.nodes.back();
    }
    source->pool = window;
    source->extent = Through(window, source->potential, source->potential.channels());
    source->value = node.outputs[0];
    SetForm(node, IdentityOf(static_cast<size_t>(source - network_.nodes.data())));
    return Status::Ok();
  }

  Status LowerAveragePool(const Node& node) {
    Result<converter::Window> window = WindowOf(graph_, node, graph_.value(node.inputs[0]).shape);
    if (!window.ok()) return window.status();
    const Window stored = StoredWindow(window.value());
    if (node.Int("count_include_pad", 1) == 0) return LowerBorderedAverage(node, stored);
    return LowerAverage(node, stored);
  }

  Status LowerAverage(const Node& node, const Window& window) {
    const bool padded = HasPadding(window);
    const Form& input = Fitting(node.inputs[0], [&](const Form& form) {
      return !(padded && form.HasBias()) &&
             std::all_of(form.terms.begin(), form.terms.end(), IsPlain);
    });
    Form output = input;
    output.name = node.name;
    output.extent = Through(window, input.extent, input.extent.channels());
    for (SpikingSynapses& term : output.terms) {
      term.average = window;
      term.scale /= static_cast<double>(window.kernel_y()) * window.kernel_x();
    }
    SetForm(node, std::move(output));
    return Status::Ok();
  }

  // The mean over those members of each window that exist: at the border there are fewer, so each
  // region of equal windows has synapses of its own, padded with nothing to the whole map.
  Status LowerBorderedAverage(const Node& node, const Window& window) {
    const Form& input = Fitting(node.inputs[0], [](const Form& form) {
      return std::all_of(form.terms.begin(), form.terms.end(), IsPlain);
    });
    Form output;
    output.name = node.name;
    output.extent = Through(window, input.extent, input.extent.channels());
    output.bias = input.bias;
    const int64_t height = input.extent.height();
    const int64_t width = input.extent.width();
    const std::vector<EqualWindows> rows =
        FindEqualWindows(RowsOf(window), height, output.extent.height());
    const std::vector<EqualWindows> columns =
        FindEqualWindows(ColumnsOf(window), width, output.extent.width());
    if (rows.size() * columns.size() * input.terms.size() > kMostRegions) {
      return Status::BadModel("node " + node.name +
                              ": its windows at the border have too many different sizes; train "
                              "with a smaller window or without padding");
    }
    for (const SpikingSynapses& term : input.terms) {
      for (const EqualWindows& y : rows) {
        for (const EqualWindows& x : columns) {
          const int64_t top = window.pad_top() - y.first * window.stride_y();
          const int64_t left = window.pad_left() - x.first * window.stride_x();
          SpikingSynapses region = term;
          // The mean's own window, begun at the region's first position.
          Window mean(window.kernel_y(), window.kernel_x(), window.stride_y(), window.stride_x(),
                      ToInt(top), ToInt(left), 0, 0, 1, 1);
          mean.mutate_pad_bottom(PadAfter(RowsOf(mean), height, y.count));
          mean.mutate_pad_right(PadAfter(ColumnsOf(mean), width, x.count));
          region.average = mean;
          region.window = Window(1, 1, 1, 1, ToInt(y.first), ToInt(x.first),
                                 ToInt(output.extent.height() - y.first - y.count),
                                 ToInt(output.extent.width() - x.first - x.count), 1, 1);
          region.scale /= static_cast<double>(y.members * x.members);
          output.terms.push_back(std::move(region));
        }
      }
    }
    SetForm(node, std::move(output));
    return Status::Ok();
  }

  Status LowerAdd(const Node& node) {
    Form sum = FormOf(node.inputs[0]);
    const Form& other = FormOf(node.inputs[1]);
    sum.name = node.name;
    sum.terms.insert(sum.terms.end(), other.terms.begin(), other.terms.end());
    for (size_t c = 0; c < sum.bias.size(); ++c) sum.bias[c] += other.bias[c];
    SetForm(node, std::move(sum));
    return Status::Ok();
  }

  Status LowerConcat(const Node& node) {
    Form output;
    output.name = node.name;
    uint32_t channels = 0;
    for (const ValueId input : node.inputs) {
      const Form& form = Fitting(input, [](const Form& f) {
        return std::all_of(f.terms.begin(), f.terms.end(), [](const SpikingSynapses& term) {
          return term.kind == SynapseKind::Identity;
        });
      });
      for (SpikingSynapses term : form.terms) {
        term.channel_offset += static_cast<int32_t>(channels);
        output.terms.push_back(std::move(term));
      }
      output.bias.insert(output.bias.end(), form.bias.begin(), form.bias.end());
      channels += form.extent.channels();
      output.extent = form.extent;
    }
    output.extent.mutate_channels(channels);
    SetForm(node, std::move(output));
    return Status::Ok();
  }

  Status LowerSlice(const Node& node) {
    Result<std::optional<std::vector<AxisRange>>> found = SliceRanges(graph_, node);
    if (!found.ok()) return found.status();
    const std::vector<AxisRange>& ranges = *found.value();  // of batch, channels, rows, columns
    const Form& input = Fitting(node.inputs[0], [&](const Form& form) {
      return ranges[1].step == 1 &&
             std::all_of(form.terms.begin(), form.terms.end(), [](const SpikingSynapses& term) {
               return term.kind == SynapseKind::Identity && IsUnit(term.window);
             });
    });
    const Shape& to = graph_.value(node.outputs[0]).shape;
    Form output;
    output.name = node.name;
    output.extent = Extent(static_cast<uint32_t>(to[1]), static_cast<uint32_t>(to[2]),
                           static_cast<uint32_t>(to[3]));
    const auto bias = input.bias.begin() + ranges[1].start;
    output.bias.assign(bias, bias + to[1]);
    for (SpikingSynapses term : input.terms) {
      Window window(1, 1, ToInt(ranges[2].step), ToInt(ranges[3].step), ToInt(-ranges[2].start),
                    ToInt(-ranges[3].start), 0, 0, 1, 1);
      window.mutate_pad_bottom(PadAfter(RowsOf(window), input.extent.height(), to[2]));
      window.mutate_pad_right(PadAfter(ColumnsOf(window), input.extent.width(), to[3]));
      term.window = window;
      term.channel_offset -= ToInt(ranges[1].start);
      const int64_t sources = NodeAt(term.source).extent.channels();
      const bool reaches = term.channel_offset > -sources && term.channel_offset < to[1];
      if (reaches) output.terms.push_back(std::move(term));
    }
    SetForm(node, std::move(output));
    return Status::Ok();
  }

  Status LowerPad(const Node& node) {
    Result<std::optional<Padding>> padding = PaddingOf(graph_, node);
    if (!padding.ok()) return padding.status();
    const std::vector<int64_t>& before = padding.value()->before;  // batch, channels, rows, columns
    const std::vector<int64_t>& after = padding.value()->after;
    const bool spatial = before[2] != 0 || before[3] != 0 || after[2] != 0 || after[3] != 0;
    const Form& input = Fitting(node.inputs[0], [&](const Form& form) {
      return !(spatial && form.HasBias()) &&
             std::all_of(form.terms.begin(), form.terms.end(), [&](const SpikingSynapses& term) {
               return term.kind == SynapseKind::Identity && (!spatial || IsUnit(term.window));
             });
    });
    Form output = input;
    output.name = node.name;
    const Shape& to = graph_.value(node.outputs[0]).shape;
    output.extent = Extent(static_cast<uint32_t>(to[1]), static_cast<uint32_t>(to[2]),
                           static_cast<uint32_t>(to[3]));
    output.bias.assign(static_cast<size_t>(to[1]), 0.0);
    std::copy(input.bias.begin(), input.bias.end(), output.bias.begin() + before[1]);
    for (SpikingSynapses& term : output.terms) {
      term.channel_offset += ToInt(before[1]);
      if (!spatial) continue;
      term.window = Window(1, 1, 1, 1, ToInt(before[2]), ToInt(before[3]), ToInt(after[2]),
                           ToInt(after[3]), 1, 1);
    }
    SetForm(node, std::move(output));
    return Status::Ok();
  }

  const Graph& graph_;
  const std::vector<int> uses_;
  std::vector<Form> forms_;  // by ValueId
  SpikingNetwork network_;
};

}  // namespace

Result<SpikingNetwork> LowerToSpikes(const Graph& graph) { return Lowering(graph).Run(); }

uint64_t FanIn(const SpikingNetwork& network, const SpikingNode& node) {
  uint64_t fan_in = 0;
  for (const SpikingSynapses& s : node.synapses) {
    uint64_t members = 1;
    if (s.average.has_value()) {
      members = static_cast<uint64_t>(s.average->kernel_y()) *
                static_cast<uint64_t>(s.average->kernel_x());
    }
    const uint64_t taps =
        static_cast<uint64_t>(s.window.kernel_y()) * static_cast<uint64_t>(s.window.kernel_x());
    const uint64_t sources =
        s.kind == SynapseKind::Identity
            ? 1
            : network.nodes[s.source].extent.channels() / static_cast<uint64_t>(s.groups);
    fan_in += members * taps * sources;
  }
  return fan_in;
}

}  // namespace cssrun::converter
