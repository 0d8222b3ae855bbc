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
#include "runtime/pixel_code.h"

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

// Below so many neurons a word holds too few spikes to load and store membranes for all of them.
constexpr uint32_t kPatchNeurons = 16;

// Weights are kept in 16 bits where they stay near the core so: widening 8 bits costs half of the
// speed there. Of a patch, by weights of one target; of a table that is gathered from, by bytes.
constexpr size_t kWideFanIn = 640;
constexpr double kLargestWideTable = 256 << 10;

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

// Whether spikes are scattered from their sources, some beyond the borders.
bool NeedsGuards(AccumulateKind kind) {
  return kind != AccumulateKind::kGather && kind != AccumulateKind::kDepthwise;
}

// Whether the members of a window's positions can be listed: a small file may name a large window.
bool FitsLists(const Window& window, int64_t rows, int64_t columns) {
  constexpr int64_t kMostMembers = 1 << 20;
  return rows * window.kernel_y() <= kMostMembers && columns * window.kernel_x() <= kMostMembers;
}

// Whether a membrane is a position of the map.
bool IsPlain(const IntegerLayer& layer) { return layer.pool_y.apart && layer.pool_x.apart; }

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

// Positions of a source row that share destinations, and what distinguishes their weights.
struct Groups {
  uint32_t positions = 1;                 // of one group
  std::vector<Destination> destinations;  // weight: the version's number, for now
  // By version: of each position its phase and its first target's lane, counted from the group's; a
  // negative phase where it reaches nothing.
  std::vector<std::vector<std::pair<int64_t, int64_t>>> versions;
  uint32_t run_chunks = 1;
};

// The smallest scale at which all weights are whole numbers up to `limit`: those of a quantized
// model then lose nothing. 0 if there is none.
double WholeScale(std::span<const float> weights, double limit) {
  constexpr double kWhole = 1e-3;
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(weight));
  if (largest == 0) return 0;
  for (double whole = 1; whole <= limit; ++whole) {
    const double scale = whole / static_cast<double>(largest);
    const bool fits = std::all_of(weights.begin(), weights.end(), [&](float weight) {
      const double scaled = static_cast<double>(weight) * scale;
      return std::abs(scaled - std::nearbyint(scaled)) < kWhole;
    });
    if (fits) return scale;
  }
  return 0;
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

    // Guards wide enough for the synapses that reach farthest beyond the borders.
    const std::vector<const format::Synapses*> synapses = SpikeSynapses(node);
    std::vector<std::pair<Axis, Axis>> axes;
    for (const format::Synapses* s : synapses) {
      const Seen seen = SeenThrough(*s, SourceExtent(*s));
      const Window& w = *s->window();
      axes.emplace_back(MakeAxis(seen.y.size, layer.map_rows, w.kernel_y(), w.stride_y(),
                                 w.pad_top(), w.dilation_y()),
                        MakeAxis(seen.x.size, layer.map_columns, w.kernel_x(), w.stride_x(),
                                 w.pad_left(), w.dilation_x()));
      if (std::max(axes.back().first.taps, axes.back().second.taps) > kMostTaps) {
        return Fail(node, "a kernel that reaches too far");
      }
      if (!NeedsGuards(KindFor(*s, layer))) continue;
      const auto reach = static_cast<uint32_t>(
          RoundUp((axes.back().second.taps - 1) * layer.layout.lanes, kChunkLanes));
      layer.guard_lanes = std::max(layer.guard_lanes, reach);
    }
    // Two columns of 16 lanes and their neighbours are four, two chunks if they begin with one: the
    // guard's width decides.
    std::vector<Groups> groups;
    uint32_t longest_run = 1;
    uint32_t fewest_chunks = std::numeric_limits<uint32_t>::max();
    const uint32_t narrowest = layer.guard_lanes;
    for (uint32_t guard = narrowest; guard < narrowest + kChunkLanes; guard += layer.layout.lanes) {
      std::vector<Groups> tried;
      uint32_t chunks = 0;
      for (uint32_t i = 0; i < axes.size(); ++i) {
        const format::Synapses& s = *synapses[i];
        tried.emplace_back();
        const AccumulateKind kind = KindFor(s, layer);
        if (!NeedsGuards(kind) || kind == AccumulateKind::kIdentity) continue;
        tried.back() = GroupPositions(s, layer, guard, axes[i].second);
        chunks += tried.back().run_chunks;
      }
      if (chunks >= fewest_chunks) continue;
      fewest_chunks = chunks;
      layer.guard_lanes = guard;
      groups = std::move(tried);
    }
    for (const Groups& of_synapses : groups) {
      longest_run = std::max(longest_run, of_synapses.run_chunks);
    }
    layer.row_lanes = static_cast<uint32_t>(
        RoundUp(layer.guard_lanes + int64_t{layer.columns} * layer.layout.lanes, kChunkLanes) +
        (longest_run + 1) * int64_t{kChunkLanes});
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
      if (KindFor(s, layer) == AccumulateKind::kIdentity) {
        IntegerSynapses& shortcut = layer.synapses.back();
        BuildIdentity(s, layer, axes[i].first, axes[i].second, node, scales, shortcut);
        const auto aligned =
            std::count_if(layer.synapses.begin(), layer.synapses.end(),
                          [](const IntegerSynapses& other) { return other.aligned; });
        if (static_cast<size_t>(aligned) > kMostAlignedShortcuts) shortcut.aligned = false;
        if (settled_ && !shortcut.aligned) layer.has_real = true;
      } else if (!BuildConvolution(s, layer, axes[i].first, axes[i].second, groups[i], node, scales,
                                   layer.synapses.back())) {
        return false;
      }
    }
    return true;
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
        if (settled_ && KindFor(*s, layer) == AccumulateKind::kIdentity) continue;  // in float
        const double weight = std::abs(static_cast<double>(weights[0]));
        for (double& scale : scales) scale = std::min(scale, kLargestIdentity / weight);
        continue;
      }
      const size_t fan_in = s->weights()->size() / channels;
      for (uint32_t channel = 0; channel < channels; ++channel) {
        float largest = 0;
        for (size_t k = 0; k < fan_in; ++k) largest = std::max(largest, std::abs(*weights++));
        if (largest > 0) {
          const double limit =
              KeptWide(*s, layer, channels) ? kLargestWideWeight : kLargestNarrowWeight;
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
        if (KindFor(*s, layer) == AccumulateKind::kIdentity) continue;  // in float
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
    const double sum_of_weights = std::exp2(code_.timesteps()) - 1;
    const double start =
        static_cast<double>(node.initial_potential()) * std::exp2(code_.timesteps());
    for (size_t lane = 0; lane < lanes; ++lane) {
      const size_t channel = lane / kChunkLanes * kChunkLanes + lane % layer.layout.lanes;
      const bool exists = channel < scales.size();
      layer.inverse_scale[lane] = exists ? static_cast<float>(1 / scales[channel]) : 0.0F;
      layer.settled_bias[lane] =
          exists ? static_cast<float>(
                       static_cast<double>(node.bias()->Get(static_cast<uint32_t>(channel))) *
                           sum_of_weights +
                       start)
                 : 0.0F;
      layer.direct_scale[lane] = exists ? static_cast<float>(sum_of_weights) : 0.0F;
    }
    for (uint32_t k = 0; k < code_.timesteps(); ++k) {
      layer.settled_thresholds.push_back(node.thresholds()->Get(k) *
                                         std::exp2(static_cast<float>(code_.timesteps() - 1 - k)));
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
                                const Axis& x, size_t phase_size, size_t tap_row_size,
                                IntegerSynapses& out) {
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
          plan.weight_offset = static_cast<uint32_t>(static_cast<size_t>(place.phase) * phase_size +
                                                     static_cast<size_t>(tap) * tap_row_size);
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
    out.source = s.source();
    out.kind = AccumulateKind::kIdentity;
    out.target_channels = 1;
    std::vector<int32_t> fan_out = PlanRows(s, layer, y, x, 0, 0, out);
    const uint32_t stride = integers_.layouts[s.source()].stride();
    const uint32_t channels = source.channels();
    const size_t neurons = fan_out.size();
    out.identity = AllocateAligned<int16_t>(neurons);
    std::fill_n(out.identity.get(), neurons, int16_t{0});
    out.lanes.assign(neurons, layer.guard_lanes);
    const auto weight = static_cast<double>(s.weights()->Get(0));
    for (size_t number = 0; number < neurons; ++number) {
      const auto c = static_cast<uint32_t>(number % stride);
      const int64_t target = int64_t{c} + s.channel_offset();
      const bool exists = c < channels && target >= 0 && target < node.potential()->channels();
      if (!exists || fan_out[number] == 0) {
        fan_out[number] = 0;
        continue;
      }
      const auto seen_column = number / stride / static_cast<size_t>(seen.x.divisor);
      const auto lanes = static_cast<int64_t>(layer.layout.lanes);
      out.identity[number] =
          settled_ ? int16_t{1} : ToInt16(weight * scales[static_cast<size_t>(target)]);
      out.lanes[number] = static_cast<uint32_t>(
          target / lanes * static_cast<int64_t>(layer.block_lanes()) + layer.guard_lanes +
          x.places[seen_column].first * lanes + target % lanes);
    }
    // Word by word, lane by lane: the usual shortcut.
    out.in_order = true;
    for (size_t number = 0; number < neurons && out.in_order; ++number) {
      if (out.identity[number] == 0) continue;
      const size_t first = number / kChunkLanes * kChunkLanes;
      out.in_order =
          out.identity[first] != 0 && out.lanes[number] == out.lanes[first] + (number - first);
    }
    if (settled_) {
      out.shortcut_weight = s.weights()->Get(0);
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

  // Which kind of accumulation a convolution takes. Few channels bring a tile too few spikes, and
  // strides leave a patch too few targets: measured, docs/results.md.
  AccumulateKind KindFor(const format::Synapses& s, const IntegerLayer& layer) const {
    const bool plain = IsPlain(layer) && SeenThrough(s, SourceExtent(s)).apart();
    if (s.kind() == SynapseKind::Identity) {
      return plain ? AccumulateKind::kIdentity : AccumulateKind::kGather;
    }
    const LaneLayout& source = integers_.layouts[s.source()];
    const Window& w = *s.window();
    const uint32_t channels = SourceExtent(s).channels();
    if (IsDepthwise(s) && plain && s.average() == nullptr && source.lanes == kChunkLanes &&
        layer.layout.lanes == kChunkLanes && w.kernel_x() <= kMostDepthwiseTaps) {
      return AccumulateKind::kDepthwise;
    }
    if (source.blocks > 1 || layer.layout.blocks > 1 || s.groups() > 1 || w.stride_y() > 1 ||
        w.stride_x() > 1 || !plain) {
      return AccumulateKind::kGather;
    }
    return channels * source.positions() >= kPatchNeurons && source.lanes > 4
               ? AccumulateKind::kPatch
               : AccumulateKind::kScatter;
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

  // Whether weights are kept in 16 bits.
  bool KeptWide(const format::Synapses& s, const IntegerLayer& layer, uint32_t targets) const {
    if (IsDepthwise(s)) return true;
    if (KindFor(s, layer) != AccumulateKind::kGather) {
      return s.weights()->size() / targets <= kWideFanIn;
    }
    // What a table holds for each target and tap: all sources, or the words that hold its group.
    const double sources = SourceExtent(s).channels();
    const double seen = std::min(sources, std::max(sources / s.groups(), double{kChunkLanes}));
    const double taps = static_cast<double>(s.window()->kernel_y()) * s.window()->kernel_x();
    return targets * taps * seen * sizeof(int16_t) <= kLargestWideTable;
  }

  // With `guard` lanes before the first column; `layer` need not know its guard yet.
  Groups GroupPositions(const format::Synapses& s, const IntegerLayer& layer, uint32_t guard,
                        const Axis& x) const {
    const Extent& source = SourceExtent(s);
    const Seen seen = SeenThrough(s, source);
    const int64_t lanes = layer.layout.lanes;
    Groups groups;
    if (KindFor(s, layer) == AccumulateKind::kPatch) {
      groups.positions = kChunkLanes / integers_.layouts[s.source()].lanes;
    }
    std::map<std::vector<std::pair<int64_t, int64_t>>, uint32_t> known;
    for (uint32_t first = 0; first < source.width(); first += groups.positions) {
      std::vector<std::pair<int64_t, int64_t>> version;  // lanes are absolute at first
      int64_t base = std::numeric_limits<int64_t>::max();
      for (uint32_t column = first; column < first + groups.positions; ++column) {
        version.emplace_back(-1, 0);
        const int64_t seen_column = column / seen.x.divisor;
        if (column >= source.width() || seen_column >= seen.x.size) continue;
        const Axis::Place& place = x.places[static_cast<size_t>(seen_column)];
        if (x.ReadersOf(place, layer.columns) == 0) continue;
        version.back() = {place.phase, int64_t{guard} + place.first * lanes};
        base = std::min(base, version.back().second / kChunkLanes * kChunkLanes);
      }
      if (base == std::numeric_limits<int64_t>::max()) base = 0;
      for (auto& [phase, lane] : version) {
        if (phase < 0) continue;
        lane -= base;
        groups.run_chunks = std::max(
            groups.run_chunks,
            static_cast<uint32_t>(RoundUp(lane + x.taps * lanes, kChunkLanes) / kChunkLanes));
      }
      const auto [found, inserted] =
          known.emplace(version, static_cast<uint32_t>(groups.versions.size()));
      if (inserted) groups.versions.push_back(version);
      groups.destinations.push_back({static_cast<uint32_t>(base), found->second});
    }
    return groups;
  }

  void BuildDepthwise(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                      const Axis& x, const std::vector<double>& scales, IntegerSynapses& out) {
    const Window& w = *s.window();
    out.depthwise = {w.kernel_y(), w.kernel_x(), w.stride_y(),   w.stride_x(),
                     w.pad_top(),  w.pad_left(), w.dilation_y(), w.dilation_x()};
    FindExceptions(PlanRows(s, layer, y, x, 0, 0, out), out);
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
    std::vector<int32_t> fan_out = PlanRows(s, layer, y, x, 0, 0, out);
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
    if (identity || KeptWide(s, layer, targets)) {
      out.wide = AllocateAligned<int16_t>(size);
    } else {
      out.narrow = AllocateAligned<int8_t>(size);
    }
    FillGather(shape, identity ? diagonal.data() : s.weights()->data(), scales, out.gather,
               out.wide.get(), out.narrow.get());
    return true;
  }

  bool BuildConvolution(const format::Synapses& s, const IntegerLayer& layer, const Axis& y,
                        const Axis& x, const Groups& groups, const format::Node& node,
                        const std::vector<double>& scales, IntegerSynapses& out) {
    const Extent& source = SourceExtent(s);
    const Window& w = *s.window();
    const uint32_t channels = source.channels();
    const uint32_t targets = node.potential()->channels();
    const uint32_t lanes = layer.layout.lanes;
    out.source = s.source();
    out.kind = KindFor(s, layer);
    out.target_channels = targets / s.groups();
    out.source_stride = integers_.layouts[s.source()].stride();
    out.source_lanes = integers_.layouts[s.source()].lanes;
    out.source_columns = source.width();
    if (out.kind == AccumulateKind::kDepthwise) {
      BuildDepthwise(s, layer, y, x, scales, out);
      return true;
    }
    if (out.kind == AccumulateKind::kGather) {
      return BuildGather(s, layer, y, x, node, scales, out);
    }
    out.tap_rows = static_cast<uint32_t>(y.taps);
    out.run_chunks = groups.run_chunks;

    // Where the weights of (position of the group, channel, sign) are within a version.
    const uint32_t source_lanes = integers_.layouts[s.source()].lanes;
    const bool patch = out.kind == AccumulateKind::kPatch;
    const size_t negated = patch ? kChunkLanes : channels;
    // kPatch: one more, of zeros, for loops that take two spikes at a time.
    const size_t numbers = 2 * negated + (patch ? 1 : 0);
    const size_t tap_row_size = size_t{out.run_chunks} * kChunkLanes;
    const size_t number_size = tap_row_size * out.tap_rows;
    const size_t version_size = number_size * numbers;
    const size_t phase_size = version_size * groups.versions.size();
    const double laid_out = static_cast<double>(version_size) *
                            static_cast<double>(groups.versions.size()) *
                            static_cast<double>(y.phases) * layer.layout.blocks;
    if (IsTooLarge(laid_out, s.weights()->size())) {
      return Fail(node, "synapses that take too much memory in blocks");
    }
    out.block_size = phase_size * static_cast<size_t>(y.phases);
    const std::vector<int32_t> fan_out = PlanRows(s, layer, y, x, phase_size, tap_row_size, out);
    FindExceptions(fan_out, out);

    const size_t size = out.block_size * layer.layout.blocks;
    const bool wide = KeptWide(s, layer, targets);
    if (wide) {
      out.wide = AllocateAligned<int16_t>(size);
      std::fill_n(out.wide.get(), size, int16_t{0});
    } else {
      out.narrow = AllocateAligned<int8_t>(size);
      std::fill_n(out.narrow.get(), size, int8_t{0});
    }
    const auto set = [&](size_t index, double weight) {
      if (wide) {
        out.wide[index] = static_cast<int16_t>(weight);
      } else {
        out.narrow[index] = static_cast<int8_t>(weight);
      }
    };
    const float* weights = s.weights()->data();
    const auto taps = static_cast<size_t>(w.kernel_y()) * static_cast<size_t>(w.kernel_x());
    for (int64_t py = 0; py < y.phases; ++py) {
      for (size_t version = 0; version < groups.versions.size(); ++version) {
        for (uint32_t position = 0; position < groups.positions; ++position) {
          const auto [px, lane] = groups.versions[version][position];
          if (px < 0) continue;
          for (int64_t ty = 0; ty < y.taps; ++ty) {
            for (int64_t tx = 0; tx < x.taps; ++tx) {
              const int64_t ky = y.KernelOf(py, ty);
              const int64_t kx = x.KernelOf(px, tx);
              if (ky < 0 || kx < 0) continue;
              const auto tap = static_cast<size_t>(ky * w.kernel_x() + kx);
              const size_t place = static_cast<size_t>(py) * phase_size + version * version_size +
                                   static_cast<size_t>(ty) * tap_row_size +
                                   static_cast<size_t>(lane + tx * lanes);
              for (uint32_t target = 0; target < targets; ++target) {
                const size_t at = place + target / lanes * out.block_size + target % lanes;
                for (uint32_t c = 0; c < channels; ++c) {
                  const auto value =
                      static_cast<double>(weights[(size_t{target} * channels + c) * taps + tap]);
                  const double weight = std::nearbyint(value * scales[target]);
                  const size_t number = size_t{position} * source_lanes + c;
                  set(at + number * number_size, weight);
                  set(at + (negated + number) * number_size, -weight);
                }
              }
            }
          }
        }
      }
    }

    for (const Destination& group : groups.destinations) {
      out.groups.push_back({group.lane, static_cast<uint32_t>(group.weight * version_size)});
    }
    if (out.kind != AccumulateKind::kScatter) return true;
    const size_t words = fan_out.size() / kChunkLanes;
    for (size_t word = 0; word < words; ++word) {
      for (size_t bit = 0; bit < size_t{2} * kChunkLanes; ++bit) {
        const size_t neuron = word * kChunkLanes + bit % kChunkLanes;
        const size_t column = neuron / out.source_stride;
        const size_t c = neuron % out.source_stride;
        if (column >= source.width() || c >= channels) {
          out.numbers.push_back({});  // never fires
          continue;
        }
        const size_t number = c + (bit < kChunkLanes ? 0 : negated);
        out.numbers.push_back(
            {out.groups[column].lane,
             static_cast<uint32_t>(out.groups[column].weight + number * number_size)});
      }
    }
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
