#include "runtime/integer/integer_network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/integer/axes.h"
#include "runtime/neuron/pixel_code.h"

namespace cssrun::internal {
namespace {

using format::Extent;
using format::SynapseKind;
using format::Window;

constexpr double kLargestMembrane = std::numeric_limits<int16_t>::max();
// A weight of an identity is one number a channel: 16-bit, and four of them are a membrane at most.
constexpr double kLargestIdentity = 8191;
// Below this the rounding of a membrane is no longer small against an amplitude.
constexpr double kSmallestUnit = 48;
// An amplitude before the silent period, at least: below, logits drift from the float engine's
// (ResNet-20, T = 6, beta = 2: error 5.4 % at 512 units, 5.6 % at 256, 7.7 % at 128, 28 % at 32).
constexpr double kSmallestInputUnit = 192;
// A spike that reaches more positions than this along an axis needs guards out of proportion.
constexpr int64_t kMostTaps = 64;
// What a layout may take of memory, beside what it lays out: real networks need 4 to 10 times.
constexpr uint64_t kMostGrowth = 64;
constexpr uint64_t kAlwaysAllowed = 1 << 20;
// Places among weights and membranes are 32-bit numbers.
constexpr uint64_t kMostPlaces = uint64_t{1} << 31;

// Files are not trusted: a small one must not ask for much memory, nor for places beyond 32 bits.
bool IsTooLarge(double laid_out, uint64_t given) {
  return laid_out >
         static_cast<double>(std::min(kMostPlaces, kMostGrowth * given + kAlwaysAllowed));
}

// Weights are kept in 16 bits where they stay near the core so, by bytes of all weights of a layer:
// widening 8 bits costs half of the speed there on some machines.
constexpr double kLargestWideTable = 256 << 10;

// Tables that do not fit beside everything else in the second-level cache.
constexpr uint64_t kFarTables = 1 << 20;
// So few that listing what they see takes as long as adding it.
constexpr uint32_t kFewPositions = 4;

// Many channels make long lists for a tile, whose one end costs less than the many of a roll.
constexpr uint32_t kMostRollBlocks = 2;

// Below, spikes are fewer than weights.
constexpr uint32_t kFewestLevelPositions = 16;

// Of a row of a depthwise kernel: their sum fits 16 bits.
constexpr int kMostDepthwiseTaps = static_cast<int>(kLargestMembrane) / kLargestWideWeight;

PoolAxis PoolRows(const format::Node& node) {
  const Window* pool = node.pool();
  if (pool == nullptr)
    return MakePoolAxis(node.potential()->height(), node.extent()->height(), 1, 1, 0, 1);
  return MakePoolAxis(node.potential()->height(), node.extent()->height(), pool->kernel_y(),
                      pool->stride_y(), pool->pad_top(), pool->dilation_y());
}

PoolAxis PoolColumns(const format::Node& node) {
  const Window* pool = node.pool();
  if (pool == nullptr)
    return MakePoolAxis(node.potential()->width(), node.extent()->width(), 1, 1, 0, 1);
  return MakePoolAxis(node.potential()->width(), node.extent()->width(), pool->kernel_x(),
                      pool->stride_x(), pool->pad_left(), pool->dilation_x());
}

// Where pools overlap, the membranes of one chunk must belong to one position.
LaneLayout LayoutOf(const format::Node& node) {
  LaneLayout layout = LaneLayout::For(node.extent()->channels());
  if (!PoolRows(node).apart || !PoolColumns(node).apart) layout.lanes = kChunkLanes;
  return layout;
}

// Whether spikes go out from their sources, some beyond the borders.
bool NeedsGuards(AccumulateKind kind) {
  return kind == AccumulateKind::kRoll || kind == AccumulateKind::kIdentity;
}

// Whether the members of a window's positions can be listed: a small file may name a large window.
bool FitsLists(const Window& window, int64_t rows, int64_t columns) {
  constexpr int64_t kMostMembers = 1 << 20;
  return rows * window.kernel_y() <= kMostMembers && columns * window.kernel_x() <= kMostMembers;
}

int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

int16_t ToInt16(double value) {
  return static_cast<int16_t>(
      std::clamp(std::nearbyint(value), -kLargestMembrane, kLargestMembrane));
}

// The numbers of a parameter: `value` of each channel, in the order of the membranes.
template <class Value>
void FillParameter(const LaneLayout& layout, uint32_t channels, int16_t* out, Value value) {
  for (uint32_t block = 0; block < layout.blocks; ++block) {
    for (uint32_t lane = 0; lane < kChunkLanes; ++lane) {
      const uint32_t channel = block * kChunkLanes + lane % layout.lanes;
      *out++ = channel < channels ? value(channel) : int16_t{0};
    }
  }
}

// The smallest scale at which all weights are whole numbers up to `limit`: those of a quantized
// model then lose nothing. 0 if there is none.
double WholeScale(std::span<const float> weights, int limit) {
  constexpr double kWhole = 1e-3;
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(weight));
  if (largest == 0) return 0;
  for (int whole = 1; whole <= limit; ++whole) {
    const double scale = whole / static_cast<double>(largest);
    const bool fits = std::all_of(weights.begin(), weights.end(), [&](float weight) {
      const double scaled = static_cast<double>(weight) * scale;
      return std::abs(scaled - std::nearbyint(scaled)) < kWhole;
    });
    if (fits) return scale;
  }
  return 0;
}

WindowShape WindowShapeOf(const Window& w) {
  return {w.kernel_y(), w.kernel_x(), w.stride_y(),   w.stride_x(),
          w.pad_top(),  w.pad_left(), w.dilation_y(), w.dilation_x()};
}

class Builder {
 public:
  Builder(const format::Network& network, std::string& reason)
      : network_(network),
        code_(*network.code()),
        direct_(code_.input() == format::InputCoding::Direct),
        settled_(code_.beta() == 2 && code_.timesteps() <= kMostSettledSteps &&
                 code_.silent_steps() + 1 >= code_.timesteps()),
        reason_(reason) {}

  std::optional<IntegerNetwork> Build() {
    const auto& nodes = *network_.nodes();
    if (!direct_ && code_.timesteps() > 64) return Refuse("more than 64 timesteps");
    if (!settled_ && kLargestMembrane / kHeadroom / Gain() < kSmallestInputUnit) {
      return Refuse("a silent period that is too long for 16 bits");
    }
    for (const format::Node* node : nodes) {
      if (!WindowsFit(*node)) {
        Fail(*node, "windows of too many members");
        return std::nullopt;
      }
    }
    integers_.layers.resize(nodes.size());
    for (uint32_t i = 0; i < nodes.size(); ++i) {
      const Extent& extent = *nodes.Get(i)->extent();
      integers_.layouts.push_back(i == 0 ? LaneLayout::ForImage(extent.channels())
                                         : LayoutOf(*nodes.Get(i)));
      if (uint64_t{integers_.layouts.back().stride()} * extent.width() > (1U << 24)) {
        return Refuse("too many neurons in one row");
      }
    }
    if (!direct_) BuildEncoder();
    for (uint32_t i = 1; i + 1 < nodes.size(); ++i) {
      if (!BuildLayer(*nodes.Get(i), integers_.layers[i])) return std::nullopt;
    }
    LayOutLevels();
    if (!BuildReadout(*nodes.Get(nodes.size() - 1))) return std::nullopt;
    return std::move(integers_);
  }

 private:
  std::nullopt_t Refuse(const std::string& reason) {
    reason_ = reason;
    return std::nullopt;
  }
  bool Fail(const format::Node& node, const std::string& reason) {
    reason_ = node.name()->str() + ": " + reason;
    return false;
  }
  const Extent& SourceExtent(const format::Synapses& s) const {
    return *network_.nodes()->Get(s.source())->extent();
  }
  // Synapses that spikes take: all but those of pixels that are not coded in spikes.
  std::vector<const format::Synapses*> SpikeSynapses(const format::Node& node) const {
    std::vector<const format::Synapses*> synapses;
    for (const format::Synapses* s : *node.synapses()) {
      if (!direct_ || s->source() != 0) synapses.push_back(s);
    }
    return synapses;
  }
  bool WindowsFit(const format::Node& node) const {
    const Extent& pooled = *node.extent();
    if (node.pool() != nullptr && !FitsLists(*node.pool(), pooled.height(), pooled.width())) {
      return false;
    }
    const auto synapses = SpikeSynapses(node);
    return std::all_of(synapses.begin(), synapses.end(), [&](const auto* s) {
      const Window* mean = s->average();
      const Extent& source = SourceExtent(*s);
      return mean == nullptr || FitsLists(*mean, WindowRows(*mean, source.height()),
                                          WindowColumns(*mean, source.width()));
    });
  }
  double Beta() const { return static_cast<double>(code_.beta()); }
  // How much a membrane grows in the silent period.
  double Gain() const { return std::pow(Beta(), code_.silent_steps()); }

  // The train of every pixel value, once.
  void BuildEncoder() {
    const format::Node& encoder = *network_.nodes()->Get(0);
    const format::Preprocessing& preprocessing = *network_.preprocessing();
    const double scale = EncoderScale(encoder.amplitude(), code_.beta(), code_.timesteps());
    for (uint32_t channel = 0; channel < encoder.extent()->channels(); ++channel) {
      for (size_t pixel = 0; pixel < 256; ++pixel) {
        float potential = StartingPotential(pixel, preprocessing.mean()->Get(channel),
                                            preprocessing.stddev()->Get(channel), scale);
        uint64_t positive = 0;
        uint64_t negative = 0;
        for (uint32_t i = 0; i < code_.timesteps(); ++i) {
          const int spike = EncodeStep(code_.beta(), encoder.thresholds()->Get(i), potential);
          positive |= static_cast<uint64_t>(spike > 0) << i;
          negative |= static_cast<uint64_t>(spike < 0) << i;
        }
        integers_.encoder.positive.push_back(positive);
        integers_.encoder.negative.push_back(negative);
      }
    }
  }

  bool BuildLayer(const format::Node& node, IntegerLayer& layer) {
    const Extent& potential = *node.potential();
    layer.rectify = node.rectify();
    layer.spike_rows = node.extent()->height();
    layer.spike_columns = node.extent()->width();
    layer.layout = LayoutOf(node);
    layer.map_rows = potential.height();
    layer.map_columns = potential.width();
    layer.pool_y = PoolRows(node);
    layer.pool_x = PoolColumns(node);
    layer.rows = layer.pool_y.size;
    layer.columns = layer.pool_x.size;
    std::vector<double> scales;
    if (!ChooseScales(node, layer, scales)) return false;
    const std::vector<const format::Synapses*> synapses = SpikeSynapses(node);
    std::vector<AccumulateKind> kinds;
    kinds.reserve(synapses.size());
    for (const format::Synapses* s : synapses) kinds.push_back(KindFor(*s, layer, scales));

    // Guards wide enough for the synapses that reach farthest beyond the borders.
    std::vector<std::pair<Axis, Axis>> axes;
    for (size_t i = 0; i < synapses.size(); ++i) {
      const format::Synapses& s = *synapses[i];
      axes.emplace_back(AxisY(s, layer), AxisX(s, layer));
      if (std::max(axes.back().first.taps, axes.back().second.taps) > kMostTaps) {
        return Fail(node, "a kernel that reaches too far");
      }
      if (!NeedsGuards(kinds[i])) continue;
      const auto reach = static_cast<uint32_t>(
          RoundUp((axes.back().second.taps - 1) * layer.layout.lanes, kChunkLanes));
      layer.guard_lanes = std::max(layer.guard_lanes, reach);
    }
    const int64_t end_lane = ChooseGuard(synapses, kinds, layer);
    // A chunk to spare: what is not aligned reads beyond its last lane.
    layer.row_lanes = static_cast<uint32_t>(RoundUp(end_lane, kChunkLanes) + kChunkLanes);
    if (IsTooLarge(static_cast<double>(layer.layout.blocks) * layer.rows * layer.row_lanes,
                   Neurons(potential))) {
      return Fail(node, "a map that takes too much memory in blocks");
    }
    for (uint32_t i = 0; i < synapses.size(); ++i) {
      const format::Synapses& s = *synapses[i];
      layer.synapses.emplace_back();
      layer.work +=
          uint64_t{layer.rows} * layer.columns *
          (s.kind() == SynapseKind::Identity ? potential.channels() : s.weights()->size());
      const auto& [y, x] = axes[i];
      IntegerSynapses& built = layer.synapses.back();
      built.source = s.source();
      built.kind = kinds[i];
      if (kinds[i] == AccumulateKind::kIdentity) {
        BuildIdentity(s, layer, y, x, node, scales, built);
        const auto aligned =
            std::count_if(layer.synapses.begin(), layer.synapses.end(),
                          [](const IntegerSynapses& other) { return other.aligned; });
        if (static_cast<size_t>(aligned) > kMostAlignedShortcuts) built.aligned = false;
        if (settled_ && !built.aligned) layer.has_real = true;
      } else if (!BuildConvolution(s, layer, y, x, node, scales, built)) {
        return false;
      }
    }
    layer.blocks_together = BlocksTogether(layer);
    FindLevels(layer);
    return true;
  }

  void FindLevels(IntegerLayer& layer) const {
    uint32_t count = 0;
    layer.at_once = settled_;
    for (uint32_t s = 0; s < layer.synapses.size(); ++s) {
      const AccumulateKind kind = layer.synapses[s].kind;
      if (kind == AccumulateKind::kLevels && count++ == 0) layer.first_levels = s;
      if (kind != AccumulateKind::kLevels && kind != AccumulateKind::kIdentity) {
        layer.at_once = false;
      }
    }
    // Members of pools that lie beyond the map are marked in the membranes.
    const bool plain = layer.pool_y.apart && layer.pool_x.apart;
    layer.at_once = layer.at_once && (count > 0 || plain);
    layer.has_sums = !layer.at_once || count > 0;
    layer.rounds_sums = layer.at_once && count == 1;
  }

  // Rows of levels with room for what their readers see beyond the map.
  void LayOutLevels() {
    const auto& nodes = *network_.nodes();
    integers_.level_layouts.resize(nodes.size());
    std::vector<uint32_t> ends(nodes.size(), 0);
    for (const IntegerLayer& layer : integers_.layers) {
      for (const IntegerSynapses& s : layer.synapses) {
        const bool reads = layer.settled && (s.kind == AccumulateKind::kLevels ||
                                             s.kind == AccumulateKind::kIdentity);
        if (!reads) continue;
        LevelLayout& levels = integers_.level_layouts[s.source];
        levels.before = std::max(levels.before, s.levels.left);
        const int64_t neurons =
            int64_t{nodes.Get(s.source)->extent()->width()} * integers_.layouts[s.source].stride();
        const auto words = static_cast<uint32_t>(RoundUp(neurons, kChunkLanes));
        ends[s.source] = std::max({ends[s.source], words, s.levels.right});
        levels.row_size = levels.before + ends[s.source];
      }
    }
  }

  // A part must do all that its blocks need.
  uint32_t BlocksTogether(const IntegerLayer& layer) const {
    const uint32_t all = layer.layout.blocks;
    if (settled_ || layer.direct_scale != nullptr) return all;
    uint32_t together = 1;
    for (const IntegerSynapses& s : layer.synapses) {
      switch (s.kind) {
        case AccumulateKind::kRoll:
        case AccumulateKind::kIdentity:
          break;
        case AccumulateKind::kGather: {
          // Spikes are listed for each part, which only weights far from the core are worth.
          const uint64_t weight = s.wide != nullptr ? sizeof(int16_t) : sizeof(int8_t);
          const uint64_t bytes = s.gather.words.size() * s.gather.table_size() * weight;
          if (bytes < kFarTables || layer.rows * layer.columns < kFewPositions) return all;
          together = std::max(together, s.gather.chunks);
          break;
        }
        case AccumulateKind::kDepthwise:
        case AccumulateKind::kLevels:
          return all;
      }
    }
    return together;
  }

  // Two columns of 16 lanes and their neighbours are four, two chunks if they begin with one: the
  // guard's width decides. Returns one beyond the last lane of a row that anything writes.
  int64_t ChooseGuard(const std::vector<const format::Synapses*>& synapses,
                      const std::vector<AccumulateKind>& kinds, IntegerLayer& layer) const {
    std::vector<RollShape> shapes;
    for (size_t i = 0; i < synapses.size(); ++i) {
      if (kinds[i] == AccumulateKind::kRoll) shapes.push_back(RollShapeOf(*synapses[i], layer));
    }
    const uint32_t narrowest = layer.guard_lanes;
    uint32_t fewest_chunks = std::numeric_limits<uint32_t>::max();
    int64_t end_lane = 0;
    for (uint32_t guard = narrowest; guard < narrowest + kChunkLanes; guard += layer.layout.lanes) {
      uint32_t chunks = 0;
      int64_t end = guard + int64_t{layer.columns} * layer.layout.lanes;
      for (const RollShape& shape : shapes) {
        const RollPlan plan = PlanRoll(shape, guard);
        chunks += plan.run;
        end = std::max<int64_t>(end, plan.end_lane());
      }
      if (chunks >= fewest_chunks) continue;
      fewest_chunks = chunks;
      end_lane = end;
      layer.guard_lanes = guard;
    }
    return end_lane;
  }

  // Scales, thresholds, biases and starting potentials of a layer.
  bool ChooseScales(const format::Node& node, IntegerLayer& layer, std::vector<double>& scales) {
    const uint32_t channels = node.potential()->channels();
    const double gain = Gain();
    // With u amplitudes of headroom, or what twice a whole train takes.
    const double largest_scale = settled_
                                     ? kLargestMembrane / (kSettledHeadroom << code_.timesteps())
                                     : kLargestMembrane / kHeadroom / gain;
    scales.assign(channels, largest_scale);
    for (const format::Synapses* s : SpikeSynapses(node)) {
      const float* weights = s->weights()->data();
      if (s->kind() == SynapseKind::Identity) {
        if (settled_ && IsPlain(*s, layer)) continue;  // kIdentity: in float
        const double weight = std::abs(static_cast<double>(weights[0]));
        for (double& scale : scales) scale = std::min(scale, kLargestIdentity / weight);
        continue;
      }
      const size_t fan_in = s->weights()->size() / channels;
      for (uint32_t channel = 0; channel < channels; ++channel) {
        float largest = 0;
        for (size_t k = 0; k < fan_in; ++k) largest = std::max(largest, std::abs(*weights++));
        if (largest > 0) {
          const double limit = LargestWeight(*s, layer);
          scales[channel] = std::min(scales[channel], limit / static_cast<double>(largest));
        }
      }
    }
    if (settled_) {
      MakeScalesWhole(node, layer, scales);
      FillSettled(node, scales, layer);
      return true;
    }
    for (uint32_t channel = 0; channel < channels; ++channel) {
      // u is a whole number, and s is what makes it one.
      const double unit = std::floor(scales[channel] * gain);
      if (unit < kSmallestUnit) {
        return Fail(node, "weights that are too large beside the amplitude for 16 bits");
      }
      scales[channel] = unit / gain;
    }

    const uint32_t lanes = layer.parameter_lanes();
    const uint32_t timesteps = code_.timesteps();
    layer.unit = AllocateAligned<int16_t>(lanes);
    layer.thresholds = AllocateAligned<int16_t>(size_t{lanes} * timesteps);
    layer.biases = AllocateAligned<int16_t>(size_t{lanes} * timesteps);
    layer.start = AllocateAligned<int16_t>(lanes);
    const auto unit = [&](uint32_t c) { return std::nearbyint(scales[c] * gain); };
    FillParameter(layer.layout, channels, layer.unit.get(),
                  [&](uint32_t c) { return ToInt16(unit(c)); });
    const double initial = static_cast<double>(node.initial_potential());
    FillParameter(layer.layout, channels, layer.start.get(), [&](uint32_t c) {
      return ToInt16((Beta() * initial + static_cast<double>(node.bias()->Get(c))) * scales[c]);
    });
    if (SpikeSynapses(node).size() < node.synapses()->size()) {
      layer.direct_scale = AllocateAligned<float>(lanes);
      for (uint32_t lane = 0; lane < lanes; ++lane) {
        const uint32_t channel = lane / kChunkLanes * kChunkLanes + lane % layer.layout.lanes;
        layer.direct_scale[lane] = channel < channels ? static_cast<float>(scales[channel]) : 0.0F;
      }
    }
    std::vector<double> owed(channels, 0);  // what rounding has kept back so far
    for (uint32_t i = 0; i < timesteps; ++i) {
      const auto threshold = static_cast<double>(node.thresholds()->Get(i));
      FillParameter(layer.layout, channels, layer.thresholds.get() + size_t{lanes} * i,
                    [&](uint32_t c) {
                      const int16_t reached = std::max<int16_t>(1, ToInt16(threshold * unit(c)));
                      return static_cast<int16_t>(reached - 1);
                    });
      std::vector<int16_t> biases(channels);
      for (uint32_t c = 0; c < channels; ++c) {
        const double wanted =
            Beta() * owed[c] + static_cast<double>(node.bias()->Get(c)) * scales[c];
        biases[c] = ToInt16(wanted);
        owed[c] = std::clamp(wanted - biases[c], -1.0, 1.0);
      }
      FillParameter(layer.layout, channels, layer.biases.get() + size_t{lanes} * i,
                    [&](uint32_t c) { return biases[c]; });
    }
    // Lanes without a channel: never reached.
    for (uint32_t block = 0; block < layer.layout.blocks; ++block) {
      for (uint32_t lane = 0; lane < kChunkLanes; ++lane) {
        if (block * kChunkLanes + lane % layer.layout.lanes < channels) continue;
        for (uint32_t i = 0; i < timesteps; ++i) {
          layer.thresholds[size_t{lanes} * i + size_t{block} * kChunkLanes + lane] =
              std::numeric_limits<int16_t>::max();
        }
      }
    }
    return true;
  }

  // Where one convolution's weights are whole numbers at some scale, at that scale.
  void MakeScalesWhole(const format::Node& node, const IntegerLayer& layer,
                       std::vector<double>& scales) const {
    const format::Synapses* only = nullptr;
    double most = std::numeric_limits<double>::infinity();  // that shortcuts through means allow
    for (const format::Synapses* s : SpikeSynapses(node)) {
      if (s->kind() == SynapseKind::Identity) {
        if (IsPlain(*s, layer)) continue;  // in float
        most =
            std::min(most, kLargestIdentity / std::abs(static_cast<double>(s->weights()->Get(0))));
        continue;
      }
      if (only != nullptr) return;  // of several, each has its own
      only = s;
    }
    if (only == nullptr) return;
    const size_t fan_in = only->weights()->size() / scales.size();
    for (size_t channel = 0; channel < scales.size(); ++channel) {
      const double whole =
          WholeScale({only->weights()->data() + channel * fan_in, fan_in}, kLargestNarrowWeight);
      // Weights that small beside theta hardly ever sum to what a train carries: an eighth will do.
      const double fits = std::min(most, 8 * kLargestMembrane / std::exp2(code_.timesteps()));
      if (whole > 0 && whole <= fits) scales[channel] = whole;
    }
  }

  void FillSettled(const format::Node& node, const std::vector<double>& scales,
                   IntegerLayer& layer) const {
    layer.settled = true;
    const size_t lanes = layer.parameter_lanes();
    layer.inverse_scale = AllocateAligned<float>(lanes);
    layer.settled_bias = AllocateAligned<float>(lanes);
    layer.direct_scale = AllocateAligned<float>(lanes);
    const double amplitude = std::exp2(SettledFraction(code_.timesteps()));
    const double sum_of_weights = (std::exp2(code_.timesteps()) - 1) * amplitude;
    const double start =
        static_cast<double>(node.initial_potential()) * std::exp2(code_.timesteps()) * amplitude;
    for (size_t lane = 0; lane < lanes; ++lane) {
      const size_t channel = lane / kChunkLanes * kChunkLanes + lane % layer.layout.lanes;
      const bool exists = channel < scales.size();
      layer.inverse_scale[lane] = exists ? static_cast<float>(amplitude / scales[channel]) : 0.0F;
      layer.settled_bias[lane] =
          exists ? static_cast<float>(
                       static_cast<double>(node.bias()->Get(static_cast<uint32_t>(channel))) *
                           sum_of_weights +
                       start)
                 : 0.0F;
      layer.direct_scale[lane] = exists ? static_cast<float>(sum_of_weights) : 0.0F;
    }
    for (uint32_t k = 0; k < code_.timesteps(); ++k) {
      const double share = node.thresholds()->Get(k);
      const double threshold = share * std::exp2(code_.timesteps() - 1 - k) * amplitude;
      layer.settled_thresholds.push_back(ToInt16(std::max(1.0, std::nearbyint(threshold)) - 1));
    }
    layer.has_real = SpikeSynapses(node).size() < node.synapses()->size();
    layer.start = AllocateAligned<int16_t>(lanes);
    std::fill_n(layer.start.get(), lanes, int16_t{0});
  }

  // How many positions of a map of `targets` each of `size` source positions reaches.
  static std::vector<uint32_t> ReadersAlong(const Axis& axis, const SeenAxis& seen, size_t size,
                                            int64_t targets) {
    std::vector<uint32_t> readers(size, 0);
    for (size_t i = 0; i < seen.sources.size(); ++i) {
      const auto of_seen = static_cast<uint32_t>(axis.ReadersOf(axis.places[i], targets));
      for (const uint32_t source : seen.sources[i]) readers[source] += of_seen;
    }
    return readers;
  }

  // Fan-outs, and for synapses that do not gather where the spikes of each row go. Returns by
  // source neuron of a row how many target columns it reaches.
  std::vector<int32_t> PlanRows(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                                const Axis& x, size_t tap_row_size, IntegerSynapses& out) {
    const Extent& source = SourceExtent(s);
    const Seen seen = SeenThrough(s, source);
    const std::vector<uint32_t> readers = ReadersAlong(y, seen.y, source.height(), layer.map_rows);
    uint32_t due = 0;
    for (int64_t row = 0; row < source.height(); ++row) {
      RowPlan plan;
      plan.readers = readers[static_cast<size_t>(row)];
      if (NeedsGuards(out.kind) && row / seen.y.divisor < seen.y.size) {
        const Axis::Place& place = y.places[static_cast<size_t>(row / seen.y.divisor)];
        // Existing taps of a phase are its last ones.
        int64_t tap = 0;
        const auto exists = [&](int64_t t) {
          return place.first + t >= 0 && place.first + t < layer.rows &&
                 y.KernelOf(place.phase, t) >= 0;
        };
        while (tap < y.taps && !exists(tap)) ++tap;
        int64_t last = y.taps;
        while (last > tap && !exists(last - 1)) --last;
        if (last > tap) {
          // Taps that do not exist are no reason to be late: `first` may fall back where they are
          // dilated, this does not.
          due = static_cast<uint32_t>(std::max<int64_t>(0, place.first));
          plan.first = static_cast<uint32_t>(place.first + tap);
          plan.count = static_cast<uint32_t>(last - tap);
          plan.weight_offset = static_cast<uint32_t>(static_cast<size_t>(tap) * tap_row_size);
        }
      }
      plan.due = due;
      out.rows.push_back(plan);
    }
    std::vector<int32_t> fan_out;
    const uint32_t stride = integers_.layouts[s.source()].stride();
    for (const uint32_t reached : ReadersAlong(x, seen.x, source.width(), layer.map_columns)) {
      fan_out.insert(fan_out.end(), stride, static_cast<int32_t>(reached));
    }
    // The rest of the last word never fires.
    fan_out.resize(static_cast<size_t>(RoundUp(static_cast<int64_t>(fan_out.size()), kChunkLanes)));
    return fan_out;
  }

  static void FindExceptions(const std::vector<int32_t>& fan_out, IntegerSynapses& out) {
    std::map<int32_t, size_t> frequency;
    for (const int32_t reached : fan_out) ++frequency[reached];
    const auto usual =
        std::max_element(frequency.begin(), frequency.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    out.usual_fan_out = static_cast<uint32_t>(usual->first);
    for (uint32_t word = 0; word < fan_out.size() / kChunkLanes; ++word) {
      std::map<int32_t, uint64_t> masks;
      for (uint32_t bit = 0; bit < kChunkLanes; ++bit) {
        const int32_t difference = fan_out[word * kChunkLanes + bit] - usual->first;
        masks[difference] |= (uint64_t{1} << bit) | (uint64_t{1} << (kChunkLanes + bit));
      }
      for (const auto& [difference, mask] : masks) {
        if (difference != 0) out.exceptions.push_back({word, difference, mask});
      }
    }
  }

  void BuildIdentity(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                     const Axis& x, const format::Node& node, const std::vector<double>& scales,
                     IntegerSynapses& out) {
    const Extent& source = SourceExtent(s);
    const Seen seen = SeenThrough(s, source);
    out.target_channels = 1;
    std::vector<int32_t> fan_out = PlanRows(s, layer, y, x, 0, out);
    const uint32_t stride = integers_.layouts[s.source()].stride();
    const uint32_t channels = source.channels();
    const size_t neurons = fan_out.size();
    out.identity = AllocateAligned<int16_t>(neurons + kChunkLanes);
    std::fill_n(out.identity.get(), neurons + kChunkLanes, int16_t{0});
    const auto weight = static_cast<double>(s.weights()->Get(0));
    const auto lanes = static_cast<int64_t>(layer.layout.lanes);
    std::vector<std::vector<ShortcutPiece>> by_block(layer.layout.blocks);
    int64_t last_lane = -1;  // of the neuron before, if it has a target
    ShortcutPiece* piece = nullptr;
    for (uint32_t number = 0; number < neurons; ++number) {
      const uint32_t c = number % stride;
      const int64_t target = int64_t{c} + s.channel_offset();
      const bool exists = c < channels && target >= 0 && target < node.potential()->channels();
      if (!exists || fan_out[number] == 0) {
        fan_out[number] = 0;
        last_lane = -1;
        continue;
      }
      const auto seen_column = number / stride / static_cast<size_t>(seen.x.divisor);
      const int64_t block = target / lanes;
      const int64_t lane = block * static_cast<int64_t>(layer.block_lanes()) + layer.guard_lanes +
                           x.places[seen_column].first * lanes + target % lanes;
      out.identity[number] = ToInt16(weight * (settled_ ? 1 : scales[static_cast<size_t>(target)]));
      const uint32_t word = number / kChunkLanes;
      if (last_lane < 0 || lane != last_lane + 1 || number % kChunkLanes == 0) {
        auto& pieces = by_block[static_cast<size_t>(block)];
        pieces.push_back({word, number % kChunkLanes, 0, static_cast<uint32_t>(lane)});
        piece = &pieces.back();
      }
      piece->mask |= uint32_t{1} << (number % kChunkLanes - piece->first);
      last_lane = lane;
    }
    out.piece_bounds.push_back(0);
    for (const auto& pieces : by_block) {
      out.pieces.insert(out.pieces.end(), pieces.begin(), pieces.end());
      out.piece_bounds.push_back(static_cast<uint32_t>(out.pieces.size()));
    }
    if (settled_) {
      out.shortcut_weight =
          static_cast<float>(std::ldexp(weight, SettledFraction(code_.timesteps())));
      out.shortcut_rows = {s.window()->stride_y(), s.window()->pad_top(), seen.y.divisor};
      out.aligned = IsAligned(s, layer);
    }
    FindExceptions(fan_out, out);
  }

  // Rows of source and target hold the same neurons in the same words.
  bool IsAligned(const format::Synapses& s, const IntegerLayer& layer) const {
    const Window& w = *s.window();
    const Extent& source = SourceExtent(s);
    return !layer.pooled() && s.average() == nullptr && s.channel_offset() == 0 &&
           w.stride_x() == 1 && w.pad_left() == 0 && source.width() == layer.columns &&
           integers_.layouts[s.source()].lanes == layer.layout.lanes &&
           integers_.layouts[s.source()].blocks == layer.layout.blocks;
  }

  // Every membrane is a position of the map and sees every source position at most once.
  bool IsPlain(const format::Synapses& s, const IntegerLayer& layer) const {
    return layer.pool_y.apart && layer.pool_x.apart && SeenThrough(s, SourceExtent(s)).apart();
  }

  // Which kind of accumulation synapses take.
  AccumulateKind KindFor(const format::Synapses& s, const IntegerLayer& layer,
                         const std::vector<double>& scales) const {
    const bool plain = IsPlain(s, layer);
    if (s.kind() == SynapseKind::Identity) {
      return plain ? AccumulateKind::kIdentity : AccumulateKind::kGather;
    }
    if (IsDepthwise(s) && plain && s.average() == nullptr &&
        integers_.layouts[s.source()].lanes == kChunkLanes && layer.layout.lanes == kChunkLanes &&
        s.window()->kernel_x() <= kMostDepthwiseTaps) {
      return AccumulateKind::kDepthwise;
    }
    if (TakesLevels(s, layer)) return AccumulateKind::kLevels;
    const bool rolls =
        plain && CanRoll(s, layer) && SumsFit(RollShapeOf(s, layer), s.weights()->data(), scales);
    return rolls ? AccumulateKind::kRoll : AccumulateKind::kGather;
  }

  // Whether the spikes of all steps are added as levels; of a single position they are not, since
  // its weights are more than its spikes.
  bool TakesLevels(const format::Synapses& s, const IntegerLayer& layer) const {
    const double most = std::exp2(code_.timesteps()) - 1;
    return settled_ && s.kind() == SynapseKind::Convolution && IsPlain(s, layer) &&
           s.source() != 0 && network_.nodes()->Get(s.source())->rectify() && s.groups() == 1 &&
           s.average() == nullptr && layer.layout.lanes >= kLevelTargets &&
           layer.rows * layer.columns >= kFewestLevelPositions &&
           LevelSumsFit(LevelsShapeOf(s, layer), most, kLargestNarrowWeight);
  }

  uint32_t TargetsOf(const format::Synapses& s) const {
    const auto taps = static_cast<uint32_t>(s.window()->kernel_y() * s.window()->kernel_x());
    return s.weights()->size() / (SourceExtent(s).channels() / s.groups() * taps);
  }

  LevelsShape LevelsShapeOf(const format::Synapses& s, const IntegerLayer& layer) const {
    const Extent& source = SourceExtent(s);
    LevelsShape shape;
    shape.source_channels = source.channels();
    shape.source_stride = integers_.layouts[s.source()].stride();
    shape.source_rows = source.height();
    shape.source_columns = source.width();
    shape.target_channels = TargetsOf(s);
    shape.target_columns = layer.columns;
    shape.window = s.window();
    return shape;
  }

  // Strides and dilation leave a run too few targets; with one tap there is no run.
  bool CanRoll(const format::Synapses& s, const IntegerLayer& layer) const {
    const Window& w = *s.window();
    const uint32_t blocks = std::max(integers_.layouts[s.source()].blocks, layer.layout.blocks);
    if (s.groups() > 1 || s.average() != nullptr || w.kernel_x() == 1 || blocks > kMostRollBlocks) {
      return false;
    }
    const auto rolls_along = [](const Axis& axis, int64_t pad) {
      return axis.stride == 1 && axis.dilation == 1 && pad >= 0;
    };
    return rolls_along(AxisY(s, layer), w.pad_top()) && rolls_along(AxisX(s, layer), w.pad_left());
  }

  Axis AxisY(const format::Synapses& s, const IntegerLayer& layer) const {
    const Window& w = *s.window();
    return MakeAxis(SeenThrough(s, SourceExtent(s)).y.size, layer.map_rows, w.kernel_y(),
                    w.stride_y(), w.pad_top(), w.dilation_y());
  }
  Axis AxisX(const format::Synapses& s, const IntegerLayer& layer) const {
    const Window& w = *s.window();
    return MakeAxis(SeenThrough(s, SourceExtent(s)).x.size, layer.map_columns, w.kernel_x(),
                    w.stride_x(), w.pad_left(), w.dilation_x());
  }

  // Every channel to itself alone; the targets are as many, since weights are.
  bool IsDepthwise(const format::Synapses& s) const {
    const auto taps = static_cast<uint64_t>(s.window()->kernel_y()) *
                      static_cast<uint64_t>(s.window()->kernel_x());
    return s.groups() == SourceExtent(s).channels() && s.weights()->size() == s.groups() * taps;
  }

  GatherShape ShapeOf(const format::Synapses& s, const IntegerLayer& layer,
                      uint32_t targets) const {
    const Extent& source = SourceExtent(s);
    const Seen seen = SeenThrough(s, source);
    GatherShape shape;
    shape.source_channels = source.channels();
    shape.source = integers_.layouts[s.source()];
    shape.seen = seen;
    shape.rows = layer.pool_y.positions;
    shape.columns = layer.pool_x.positions;
    shape.target_channels = targets;
    shape.target = layer.layout;
    shape.groups = s.groups();
    shape.window = s.window();
    return shape;
  }

  RollShape RollShapeOf(const format::Synapses& s, const IntegerLayer& layer) const {
    const Extent& source = SourceExtent(s);
    RollShape shape;
    shape.source_channels = source.channels();
    shape.source_columns = source.width();
    shape.source = integers_.layouts[s.source()];
    shape.target_channels = TargetsOf(s);
    shape.target_columns = layer.map_columns;
    shape.target = layer.layout;
    shape.window = s.window();
    return shape;
  }

  // In units, what a channel's largest weight may be.
  int LargestWeight(const format::Synapses& s, const IntegerLayer& layer) const {
    const bool wide = !TakesLevels(s, layer) && KeptWide(s, TargetsOf(s));
    return wide ? kLargestWideWeight : kLargestNarrowWeight;
  }

  // Whether weights are kept in 16 bits.
  bool KeptWide(const format::Synapses& s, uint32_t targets) const {
    if (IsDepthwise(s)) return true;
    // What is kept for each target and tap: all sources, or the words that hold its group.
    const double sources = SourceExtent(s).channels();
    const double seen = std::min(sources, std::max(sources / s.groups(), double{kChunkLanes}));
    const double taps = static_cast<double>(s.window()->kernel_y()) * s.window()->kernel_x();
    return targets * taps * seen * sizeof(int16_t) <= kLargestWideTable;
  }

  void BuildDepthwise(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                      const Axis& x, const std::vector<double>& scales, IntegerSynapses& out) {
    const Window& w = *s.window();
    out.window = WindowShapeOf(w);
    FindExceptions(PlanRows(s, layer, y, x, 0, out), out);
    const size_t taps = s.weights()->size() / s.groups();
    const size_t size = layer.layout.blocks * taps * kChunkLanes;
    out.wide = AllocateAligned<int16_t>(size);
    std::fill_n(out.wide.get(), size, int16_t{0});
    const float* weights = s.weights()->data();
    for (size_t c = 0; c < s.groups(); ++c) {
      for (size_t tap = 0; tap < taps; ++tap) {
        const double weight = static_cast<double>(*weights++) * scales[c];
        out.wide[(c / kChunkLanes * taps + tap) * kChunkLanes + c % kChunkLanes] = ToInt16(weight);
      }
    }
  }

  bool BuildGather(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                   const Axis& x, const format::Node& node, const std::vector<double>& scales,
                   IntegerSynapses& out) {
    const uint32_t targets = node.potential()->channels();
    const GatherShape shape = ShapeOf(s, layer, targets);
    if (!FitsNumbers(shape)) return Fail(node, "synapses of too many sources");
    out.gather = PlanGather(shape);
    const size_t size = out.gather.words.size() * out.gather.table_size();
    const uint64_t given =
        s.kind() == SynapseKind::Identity ? Neurons(*node.potential()) : s.weights()->size();
    if (IsTooLarge(static_cast<double>(size), given)) {
      return Fail(node, "synapses that take too much memory in tables");
    }
    const bool identity = s.kind() == SynapseKind::Identity;
    std::vector<int32_t> fan_out = PlanRows(s, layer, y, x, 0, out);
    std::vector<float> diagonal;
    if (identity) {
      // As a convolution between equal channels.
      out.target_channels = 1;
      diagonal.assign(size_t{targets} * shape.source_channels, 0.0F);
      for (size_t number = 0; number < fan_out.size(); ++number) {
        const auto c = static_cast<int64_t>(number % out.source_stride);
        const int64_t target = c + s.channel_offset();
        if (c >= shape.source_channels || target < 0 || target >= targets) {
          fan_out[number] = 0;
        } else {
          diagonal[static_cast<size_t>(target * shape.source_channels + c)] = s.weights()->Get(0);
        }
      }
    }
    FindExceptions(fan_out, out);
    if (identity || KeptWide(s, targets)) {
      out.wide = AllocateAligned<int16_t>(size);
    } else {
      out.narrow = AllocateAligned<int8_t>(size);
    }
    FillGather(shape, identity ? diagonal.data() : s.weights()->data(), scales, out.gather,
               out.wide.get(), out.narrow.get());
    return true;
  }

  bool BuildConvolution(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                        const Axis& x, const format::Node& node, const std::vector<double>& scales,
                        IntegerSynapses& out) {
    out.target_channels = node.potential()->channels() / s.groups();
    out.source_stride = integers_.layouts[s.source()].stride();
    out.source_lanes = integers_.layouts[s.source()].lanes;
    out.source_columns = SourceExtent(s).width();
    if (out.kind == AccumulateKind::kDepthwise) {
      BuildDepthwise(s, layer, y, x, scales, out);
      return true;
    }
    if (out.kind == AccumulateKind::kLevels) return BuildLevels(s, layer, y, x, node, scales, out);
    if (out.kind == AccumulateKind::kGather) return BuildGather(s, layer, y, x, node, scales, out);
    return BuildRoll(s, layer, y, x, node, scales, out);
  }

  bool BuildLevels(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                   const Axis& x, const format::Node& node, const std::vector<double>& scales,
                   IntegerSynapses& out) {
    const LevelsShape shape = LevelsShapeOf(s, layer);
    if (IsTooLarge(LevelsSize(shape), Neurons(SourceExtent(s)))) {
      return Fail(node, "windows that reach too far beyond the map");
    }
    out.window = WindowShapeOf(*s.window());
    out.levels = PlanLevels(shape);
    FindExceptions(PlanRows(s, layer, y, x, 0, out), out);
    const std::vector<int16_t> units = LevelWeights(shape, out.levels, s.weights()->data(), scales);
    const bool wide = std::ranges::any_of(
        units, [](int16_t unit) { return std::abs(unit) > kLargestNarrowWeight; });
    if (wide) {
      out.wide = AllocateAligned<int16_t>(units.size());
      std::ranges::copy(units, out.wide.get());
    } else {
      out.narrow = AllocateAligned<int8_t>(units.size());
      std::ranges::transform(units, out.narrow.get(),
                             [](int16_t unit) { return static_cast<int8_t>(unit); });
    }
    return true;
  }

  bool BuildRoll(const format::Synapses& s, const IntegerLayer& layer, const Axis& y, const Axis& x,
                 const format::Node& node, const std::vector<double>& scales,
                 IntegerSynapses& out) {
    const RollShape shape = RollShapeOf(s, layer);
    out.roll = PlanRoll(shape, layer.guard_lanes);
    const uint64_t size = out.roll.block_size() * layer.layout.blocks;
    if (IsTooLarge(static_cast<double>(size), s.weights()->size())) {
      return Fail(node, "synapses that take too much memory in blocks");
    }
    FindExceptions(PlanRows(s, layer, y, x, out.roll.tap_row_size(), out), out);
    if (KeptWide(s, shape.target_channels)) {
      out.wide = AllocateAligned<int16_t>(size);
    } else {
      out.narrow = AllocateAligned<int8_t>(size);
    }
    FillRoll(shape, out.roll, s.weights()->data(), scales, layer.guard_lanes, out.wide.get(),
             out.narrow.get());
    return true;
  }

  bool BuildReadout(const format::Node& node) {
    const uint32_t logits = node.potential()->channels();
    integers_.logit_stride = static_cast<uint32_t>(RoundUp(logits, 16));
    for (const format::Synapses* s : SpikeSynapses(node)) {
      if (s->groups() != 1) return Fail(node, "grouped convolution");
      const Extent& source = SourceExtent(*s);
      const Seen seen = SeenThrough(*s, source);
      if (!seen.apart()) return Fail(node, "means that overlap or are padded, before logits");
      const double laid_out = static_cast<double>(seen.y.size) * static_cast<double>(seen.x.size) *
                              source.channels() * integers_.logit_stride;
      if (IsTooLarge(laid_out, s->weights()->size())) {
        return Fail(node, "synapses that take too much memory in rows");
      }
      integers_.readout.emplace_back();
      BuildReadoutSynapses(*s, logits, seen, integers_.readout.back());
    }
    return true;
  }

  // One row of weights for each seen position and source channel.
  void BuildReadoutSynapses(const format::Synapses& s, uint32_t logits, const Seen& seen,
                            ReadoutSynapses& out) {
    const Extent& source = SourceExtent(s);
    const Window& w = *s.window();
    const uint32_t channels = source.channels();
    const uint32_t stride = integers_.layouts[s.source()].stride();
    const size_t row = integers_.logit_stride;
    out.source = s.source();
    out.weight_rows = static_cast<size_t>(seen.y.size * seen.x.size) * channels;
    const size_t size = out.weight_rows * row;
    out.weights = AllocateAligned<float>(size);
    std::fill_n(out.weights.get(), size, 0.0F);
    const auto kernel_at = [](int64_t position, int64_t pad, int64_t kernel, int64_t dilation) {
      const int64_t reach = position + pad;
      const bool hit = reach >= 0 && reach % dilation == 0 && reach / dilation < kernel;
      return hit ? reach / dilation : int64_t{-1};
    };
    for (int64_t y = 0; y < seen.y.size; ++y) {
      const int64_t ky = kernel_at(y, w.pad_top(), w.kernel_y(), w.dilation_y());
      for (int64_t x = 0; x < seen.x.size; ++x) {
        const int64_t kx = kernel_at(x, w.pad_left(), w.kernel_x(), w.dilation_x());
        if (ky < 0 || kx < 0) continue;
        for (uint32_t c = 0; c < channels; ++c) {
          float* to =
              out.weights.get() + (static_cast<size_t>(y * seen.x.size + x) * channels + c) * row;
          for (uint32_t k = 0; k < logits; ++k) {
            if (s.kind() == SynapseKind::Identity) {
              to[k] = int64_t{c} + s.channel_offset() == k ? s.weights()->Get(0) : 0.0F;
            } else {
              const auto index = ((size_t{k} * channels + c) * static_cast<size_t>(w.kernel_y()) +
                                  static_cast<size_t>(ky)) *
                                     static_cast<size_t>(w.kernel_x()) +
                                 static_cast<size_t>(kx);
              to[k] = s.weights()->Get(static_cast<uint32_t>(index));
            }
          }
        }
      }
    }
    for (int64_t y = 0; y < source.height(); ++y) {
      const int64_t seen_y = y / seen.y.divisor;
      const bool inside =
          seen_y < seen.y.size && kernel_at(seen_y, w.pad_top(), w.kernel_y(), w.dilation_y()) >= 0;
      out.row_read.push_back(inside);
      out.rows.push_back(
          inside ? static_cast<uint32_t>(static_cast<size_t>(seen_y * seen.x.size) * channels) : 0);
    }
    for (int64_t x = 0; x < source.width(); ++x) {
      const int64_t seen_x = x / seen.x.divisor;
      const bool inside = seen_x < seen.x.size &&
                          kernel_at(seen_x, w.pad_left(), w.kernel_x(), w.dilation_x()) >= 0;
      for (uint32_t c = 0; c < stride; ++c) {
        const int64_t target = int64_t{c} + s.channel_offset();
        const bool identity = s.kind() == SynapseKind::Identity;
        const bool exists =
            inside && c < channels && (!identity || (target >= 0 && target < logits));
        out.fan_out.push_back(exists ? (identity ? 1 : logits) : 0);
        out.neurons.push_back(
            exists ? static_cast<uint32_t>(static_cast<size_t>(seen_x) * channels + c) : 0);
      }
    }
  }

  const format::Network& network_;
  const format::Code& code_;
  const bool direct_;
  const bool settled_;
  std::string& reason_;
  IntegerNetwork integers_;
};

}  // namespace

std::optional<IntegerNetwork> LayOutIntegers(const NetworkFile& file, std::string& reason) {
  return Builder(file.network(), reason).Build();
}

}  // namespace cssrun::internal
