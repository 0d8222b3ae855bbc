#include "runtime/integer/build_network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>
#include <variant>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/integer/choose_kernel.h"
#include "runtime/integer/connection.h"
#include "runtime/integer/finish_settled.h"
#include "runtime/integer/lay_out_levels.h"
#include "runtime/integer/pixels/lay_out_pixels.h"
#include "runtime/integer/quantize.h"

namespace cssrun::internal {
namespace {

using format::Extent;

// A spike that reaches more positions than this along an axis would need disproportionate guards.
constexpr int64_t kMostTaps = 64;
// Trains of the encoder are masks of 64 bits.
constexpr uint32_t kMostEncodedSteps = 64;
constexpr uint32_t kMostRowNeurons = 1 << 24;

// Builds layer after layer; functions that refuse return false with the reason set.
class Builder {
 public:
  Builder(const format::NetworkFile& file, std::string& reason)
      : file_(file), network_(file.network()), code_(*network_.code()), reason_(reason) {}

  std::optional<IntegerNetwork> Build() {
    if (!CheckNetwork() || !DescribeLayouts()) return std::nullopt;
    integers_.encoder = MakeEncoderTable(network_);
    if (code_.settled) integers_.pixels = DescribeWholePixels(network_);
    const auto& nodes = *network_.nodes();
    integers_.layers.resize(nodes.size());
    for (uint32_t i = 1; i < nodes.size(); ++i) {
      if (nodes.Get(i)->kind() != format::NodeKind::Neurons) continue;
      if (!BuildLayer(*nodes.Get(i), integers_.layers[i])) return std::nullopt;
    }
    for (const format::Node* node : nodes) {
      if (node->kind() == format::NodeKind::Readout) BuildReadout(*node);
    }
    LayOutLevels(network_, integers_);
    LayOutPixels(network_, integers_);
    return std::move(integers_);
  }

 private:
  bool Refuse(const std::string& reason) {
    reason_ = reason;
    return false;
  }
  bool Refuse(const format::Node& node, const std::string& reason) {
    return Refuse(node.name()->str() + ": " + reason);
  }

  bool CheckNetwork() {
    const bool direct = network_.code()->input() == format::InputCoding::Direct;
    if (!direct && code_.timesteps > kMostEncodedSteps) return Refuse("more than 64 timesteps");
    if (!FitsSixteenBits(code_)) return Refuse("a silent period that is too long for 16 bits");
    for (const format::Node* node : *network_.nodes()) {
      if (!WindowsFit(network_, *node)) return Refuse(*node, "windows of too many members");
    }
    return true;
  }

  bool DescribeLayouts() {
    for (const format::Node* node : *network_.nodes()) {
      integers_.layouts.push_back(LayoutOf(*node, code_.settled));
      if (uint64_t{integers_.layouts.back().stride()} * node->extent()->width() > kMostRowNeurons) {
        return Refuse("too many neurons in one row");
      }
    }
    return true;
  }

  std::vector<Connection> ConnectionsOf(const format::Node& node, const TargetLayer& target) const {
    std::vector<Connection> connections;
    for (const format::Synapses* s : SpikeSynapses(network_, node)) {
      connections.push_back(Connect(file_, *s, integers_.layouts[s->source()], target));
    }
    return connections;
  }

  bool BuildLayer(const format::Node& node, IntegerLayer& layer) {
    const TargetLayer target =
        DescribeTarget(node, code_.timesteps, code_.settled, code_.wide_sums);
    const std::vector<Connection> connections = ConnectionsOf(node, target);
    std::vector<KernelChoice> choices;
    choices.reserve(connections.size());
    for (const Connection& c : connections) {
      choices.push_back(ChooseKernel(c, target));
    }
    layer.rectify = node.rectify();
    layer.pools = target.pools;
    std::string reason;
    layer.scales = ChooseScales(code_, target, connections, choices, reason);
    if (layer.scales.empty()) return Refuse(node, reason);
    if (!code_.settled && (node.lowest_level() != 0 || node.highest_level() != 0)) {
      return Refuse(node, "limits of levels, which only settled neurons keep in 16 bits");
    }
    const bool fused = code_.wide_sums && SumsStayInRegisters(target, choices);
    ReplaceOverflowingScatters(connections, target, layer.scales, choices);
    if (!LayOutMembranes(node, target, connections, choices, layer)) return false;

    const bool takes_pixels = connections.size() < node.synapses()->size();
    for (const format::Synapses* s : *node.synapses()) {
      if (takes_pixels && s->source() == 0) {
        layer.work += uint64_t{target.pools.y.size} * target.pools.x.size * s->weights()->size();
      }
    }
    for (size_t i = 0; i < connections.size(); ++i) {
      IntegerSynapses& s = layer.synapses.emplace_back();
      if (code_.wide_sums && TraitsOf(choices[i].kind).sums_levels()) {
        s.scales = ChooseLevelScales(target, connections[i], choices[i]);
        if (fused) layer.scales = std::exchange(s.scales, {});
      }
    }
    if (code_.settled) {
      QuantizeSettledNeurons(code_, node, takes_pixels, layer);
    } else {
      QuantizeEventNeurons(code_, node, takes_pixels, layer);
    }
    for (size_t i = 0; i < connections.size(); ++i) {
      if (!BuildSynapses(node, connections[i], target, choices[i], layer, layer.synapses[i])) {
        return false;
      }
    }
    if (code_.settled) {
      FinishSettled(takes_pixels, layer);
      if (integers_.pixels.has_value()) {
        BuildPixelConv({file_, integers_, code_}, node, target, layer);
      }
    }
    layer.blocks_together = ChooseBlocksTogether(layer);
    return true;
  }

  // The sums of a row that scatters are in registers and must not overflow.
  void ReplaceOverflowingScatters(std::span<const Connection> connections,
                                  const TargetLayer& target, std::span<const double> scales,
                                  std::vector<KernelChoice>& choices) const {
    for (size_t i = 0; i < connections.size(); ++i) {
      if (IsKind<RowScatter>(choices[i].kind) &&
          !SumsFit(RowScatterShapeOf(connections[i], target), {connections[i].weights(), scales})) {
        choices[i].kind = std::type_identity<TileGather>();
      }
    }
  }

  // Makes guards wide enough for the scatters that reach farthest beyond the borders.
  bool LayOutMembranes(const format::Node& node, const TargetLayer& target,
                       std::span<const Connection> connections,
                       std::span<const KernelChoice> choices, IntegerLayer& layer) {
    MembraneLayout& membranes = layer.membranes;
    membranes.lanes = target.lanes;
    membranes.rows = target.pools.y.size;
    membranes.columns = target.pools.x.size;
    std::vector<RowScatterShape> scatters;
    size_t guard = 0;
    for (size_t i = 0; i < connections.size(); ++i) {
      const Connection& c = connections[i];
      if (std::max(c.y.taps, c.x.taps) > kMostTaps) {
        return Refuse(node, "a kernel that reaches too far");
      }
      if (!IsKind<RowScatter>(choices[i].kind)) continue;
      guard =
          std::max(guard, RoundUpToLines(static_cast<size_t>(c.x.taps - 1) * target.lanes.lanes));
      scatters.push_back(RowScatterShapeOf(c, target));
    }
    ChooseGuard(scatters, static_cast<uint32_t>(guard), membranes);
    if (IsTooLarge(
            static_cast<double>(membranes.lanes.blocks) * membranes.rows * membranes.row_lanes,
            Neurons(*node.potential()))) {
      return Refuse(node, "a map that takes too much memory in blocks");
    }
    return true;
  }

  // Two columns of 16 lanes and their neighbours are four columns: two lines if they begin with a
  // line, else three. The guard's width decides; the one with the shortest runs is chosen.
  static void ChooseGuard(std::span<const RowScatterShape> scatters, uint32_t narrowest,
                          MembraneLayout& membranes) {
    uint32_t fewest_lines = std::numeric_limits<uint32_t>::max();
    size_t end_lane = 0;  // one beyond the last lane of a row that anything writes
    for (uint32_t guard = narrowest; guard < narrowest + kLineLanes;
         guard += membranes.lanes.lanes) {
      uint32_t lines = 0;
      size_t end = guard + size_t{membranes.columns} * membranes.lanes.lanes;
      for (const RowScatterShape& shape : scatters) {
        const SlidePlan plan = PlanSlide(shape, guard);
        lines += plan.run;
        end = std::max<size_t>(end, plan.end_lane());
      }
      if (lines >= fewest_lines) continue;
      fewest_lines = lines;
      end_lane = end;
      membranes.guard_lanes = guard;
    }
    membranes.row_lanes = static_cast<uint32_t>(RoundUpToLines(end_lane) + kLineLanes);
  }

  bool BuildSynapses(const format::Node& node, const Connection& c, const TargetLayer& target,
                     const KernelChoice& choice, IntegerLayer& layer, IntegerSynapses& out) {
    out.source = c.synapses->source();
    const uint64_t weights =
        c.identity() ? node.potential()->channels() : c.synapses->weights()->size();
    layer.work += uint64_t{layer.membranes.rows} * layer.membranes.columns * weights;
    SetFanOut(c, target, out.fan_out);
    out.reach = ReachOf(c.view, c.source, *c.synapses->window(), *node.potential());
    const std::span<const double> scales = out.scales.empty() ? layer.scales : out.scales;
    const KernelRequest request{c, target, layer.membranes, scales, choice.width};
    std::string reason;
    const auto build = [&]<class K>(std::type_identity<K>) {
      std::optional<K> kernel = K::Build(request, reason);
      if (!kernel.has_value()) return false;
      if constexpr (K::kTraits.sums_levels()) {
        kernel->float_scale = FloatScale(code_, out.scales, layer.membranes);
      }
      out.kernel = std::move(*kernel);
      return true;
    };
    return std::visit(build, choice.kind) || Refuse(node, reason);
  }

  // Which synapses exist, see FanOut.
  static void SetFanOut(const Connection& c, const TargetLayer& target, FanOut& out) {
    out.row_readers = CountReaders(c.y, c.view.y, c.source.height(), target.map_rows);
    const std::vector<uint32_t> columns =
        CountReaders(c.x, c.view.x, c.source.width(), target.map_columns);
    const uint32_t stride = c.source_lanes.stride();
    uint64_t column_synapses = 0;
    std::vector<int32_t> reached;
    for (const uint32_t readers : columns) {
      for (uint32_t channel = 0; channel < stride; ++channel) {
        const int64_t to = int64_t{channel} + c.synapses->channel_offset();
        const bool exists = !c.identity() || (to >= 0 && to < target.channels());
        // Lanes without a channel never fire, so they need not be treated as exceptions.
        const bool fires = channel < c.source.channels();
        reached.push_back(exists || !fires ? static_cast<int32_t>(readers) : 0);
        if (exists && fires) column_synapses += readers;
      }
    }
    reached.resize(RoundUpToLines(reached.size()));  // the rest of the last word never fires
    out.target_channels = c.identity() ? 1 : target.channels() / c.synapses->groups();
    SetColumns(reached, out);
    const uint64_t row_readers =
        std::accumulate(out.row_readers.begin(), out.row_readers.end(), uint64_t{0});
    out.synapses = row_readers * column_synapses * out.target_channels;
  }

  void BuildReadout(const format::Node& node) {
    std::optional<VectorReadout> vector = BuildVectorReadout(node);
    if (vector.has_value()) {
      integers_.readouts.emplace_back(std::move(*vector));
    } else {
      integers_.readouts.emplace_back(LayOutFloatLayer(file_, node));
    }
  }

  // std::nullopt if the layout does not fit.
  std::optional<VectorReadout> BuildVectorReadout(const format::Node& node) const {
    if (Positions(*node.potential()) != 1) return std::nullopt;
    VectorReadout readout;
    const uint32_t logits = node.potential()->channels();
    readout.logit_stride = (logits + kLogitLanes - 1) / kLogitLanes * kLogitLanes;
    for (const format::Synapses* s : SpikeSynapses(network_, node)) {
      if (s->groups() != 1) return std::nullopt;
      ReadoutShape shape;
      shape.logits = logits;
      shape.row_size = readout.logit_stride;
      shape.source = *network_.nodes()->Get(s->source())->extent();
      shape.source_lanes = integers_.layouts[s->source()];
      shape.view = ViewSource(*s, shape.source);
      if (!shape.view.disjoint()) return std::nullopt;
      const double laid_out = static_cast<double>(shape.view.y.size) *
                              static_cast<double>(shape.view.x.size) * shape.source.channels() *
                              readout.logit_stride;
      if (IsTooLarge(laid_out, s->weights()->size())) return std::nullopt;
      readout.synapses.push_back(MakeReadoutSynapses(shape, *s, file_.WeightsOf(*s).numbers));
    }
    return readout;
  }

  const format::NetworkFile& file_;
  const format::Network& network_;
  const CodeOf code_;
  std::string& reason_;
  IntegerNetwork integers_;
};

}  // namespace

std::optional<IntegerNetwork> BuildIntegerNetwork(const format::NetworkFile& file,
                                                  std::string& reason) {
  return Builder(file, reason).Build();
}

}  // namespace cssrun::internal
