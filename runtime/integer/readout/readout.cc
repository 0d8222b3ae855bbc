#include "runtime/integer/readout/readout.h"

#include <algorithm>
#include <bit>

#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/readout/readout.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A row of weights and how often it is added.
struct CountedRow {
  const float* weights = nullptr;
  float count = 0;
};

constexpr size_t kRowsTogether = 8;

// Brings numbers that are needed soon into the second-level cache.
HWY_INLINE void PrefetchSoon([[maybe_unused]] const float* from) {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  __builtin_prefetch(from, 0, 2);
#endif
}

// Adds rows one after another to each logit, while it is in a register. `next`: as many rows that
// are added next; they begin on other pages, where the machine alone foresees nothing.
template <size_t kRows>
HWY_INLINE void AddRows(const CountedRow* rows, const CountedRow* next, const LogitRange& range,
                        float* HWY_RESTRICT logits) {
  const hn::CappedTag<float, kLogitLanes> d;
  for (size_t k = range.first; k < range.last; k += hn::Lanes(d)) {
    auto sum = hn::LoadU(d, logits + k);
    HWY_UNROLL(8)
    for (size_t i = 0; i < kRows; ++i) {
      PrefetchSoon(next[i].weights + k);
      sum = hn::Add(sum, hn::Mul(hn::Set(d, rows[i].count), hn::Load(d, rows[i].weights + k)));
    }
    hn::StoreU(sum, d, logits + k);
  }
}

// Finds the rows that are added.
struct RowFinder {
  // The next ones, up to kRowsTogether; returns how many.
  size_t Find(CountedRow* found) {
    size_t count = 0;
    for (; row < rows && count < kRowsTogether; ++row) {
      if (counts[row] == 0) continue;
      found[count++] = {weights + row * row_size, static_cast<float>(counts[row])};
    }
    return count;
  }

  const float* weights = nullptr;
  size_t row_size = 0;
  const int32_t* counts = nullptr;
  size_t rows = 0;
  size_t row = 0;  // the first that has not been looked at
};

void AddReadoutTarget(const ReadoutSynapses& synapses, const int32_t* counts,
                      const LogitRange& range, float* HWY_RESTRICT logits) {
  RowFinder finder{synapses.weights.get(), synapses.row_size, counts, synapses.weight_rows};
  CountedRow some[kRowsTogether];
  size_t found = finder.Find(some);
  while (found == kRowsTogether) {
    CountedRow next[kRowsTogether];
    std::copy_n(some, kRowsTogether, next);
    const size_t found_next = finder.Find(next);
    AddRows<kRowsTogether>(some, next, range, logits);
    std::copy_n(next, kRowsTogether, some);
    found = found_next;
  }
  for (size_t i = 0; i < found; ++i) AddRows<1>(some + i, some + i, range, logits);
}

// CountReadoutSpikes() of a mean over the map: words of one block of channels, position after
// position.
uint64_t CountMeanSpikesTarget(const ReadoutSynapses& synapses, const SpikeFrame& spikes,
                               std::span<int32_t> counts) {
  constexpr size_t kMostPositions = 127;  // whose counts fit a byte
  const hn::CappedTag<int8_t, kLineLanes> d;
  const auto one = hn::Set(d, 1);
  const size_t blocks = synapses.mean_words;
  const size_t columns = synapses.neurons.size() / kLineLanes / blocks;
  uint64_t all = 0;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t channels = std::min<size_t>(kLineLanes, counts.size() - block * kLineLanes);
    for (size_t row = 0; row < synapses.row_is_read.size(); ++row) {
      if (synapses.row_is_read[row] == 0) continue;
      const uint64_t* words = spikes.Row(row) + block;
      for (size_t first = 0; first < columns; first += kMostPositions) {
        const size_t last = std::min(columns, first + kMostPositions);
        HWY_ALIGN int8_t sums[kLineLanes] = {};
        for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
          auto sum = hn::Zero(d);
          for (size_t column = first; column < last; ++column) {
            const uint64_t word = words[column * blocks];
            const auto up = MaskOf(d, static_cast<uint32_t>(word), i);
            const auto down = MaskOf(d, static_cast<uint32_t>(word >> kLineLanes), i);
            sum = hn::Add(sum, hn::IfThenElseZero(up, one));
            sum = hn::Sub(sum, hn::IfThenElseZero(down, one));
          }
          hn::Store(sum, d, sums + i);
        }
        for (size_t column = first; column < last; ++column) {
          all += static_cast<uint64_t>(std::popcount(words[column * blocks]));
        }
        for (size_t c = 0; c < channels; ++c) counts[block * kLineLanes + c] += sums[c];
      }
    }
  }
  return all * synapses.fan_out.front();
}

// AddReadoutLevels() of a mean over the map.
uint64_t AddMeanLevelsTarget(const ReadoutSynapses& synapses, const CountedLevels& source,
                             std::span<int32_t> counts) {
  const hn::CappedTag<int32_t, 16> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const auto zero = hn::Set(d, source.rule->zero);
  const size_t stride = synapses.mean_words * kLineLanes;
  const size_t columns = synapses.neurons.size() / stride;
  uint64_t all = 0;
  for (size_t row = 0; row < synapses.row_is_read.size(); ++row) {
    if (synapses.row_is_read[row] == 0) continue;
    const uint8_t* bytes = source.levels->Row(row);
    for (size_t c = 0; c < counts.size(); c += hn::Lanes(d)) {
      auto sum = hn::Zero(d);
      for (size_t column = 0; column < columns; ++column) {
        const auto level = hn::PromoteTo(d, hn::LoadU(d8, bytes + column * stride + c));
        sum = hn::Add(sum, hn::Sub(level, zero));
      }
      HWY_ALIGN int32_t sums[16];
      hn::Store(sum, d, sums);
      const size_t last = std::min(hn::Lanes(d), counts.size() - c);
      for (size_t i = 0; i < last; ++i) counts[c + i] += sums[i];
    }
    all += source.row_spikes[row];
  }
  return all * synapses.fan_out.front();
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(AddReadoutTarget);
HWY_EXPORT(CountMeanSpikesTarget);
HWY_EXPORT(AddMeanLevelsTarget);

namespace {

using format::SynapseKind;

// The tap that reads a position of the view, with the only target position; -1: none does.
int64_t TapOf(const WindowAxis& window, int64_t position) {
  const int64_t reach = position + window.pad;
  const bool hit =
      reach >= 0 && reach % window.dilation == 0 && reach / window.dilation < window.kernel;
  return hit ? reach / window.dilation : -1;
}

// One row of weights for each position of the view and source channel: [y][x][channel][logit].
void FillWeights(const ReadoutShape& shape, const format::Synapses& s,
                 std::span<const float> weights, float* out) {
  const WindowAxis window_y = RowsOf(*s.window());
  const WindowAxis window_x = ColumnsOf(*s.window());
  const uint32_t channels = shape.source.channels();
  for (int64_t y = 0; y < shape.view.y.size; ++y) {
    for (int64_t x = 0; x < shape.view.x.size; ++x) {
      const int64_t ky = TapOf(window_y, y);
      const int64_t kx = TapOf(window_x, x);
      for (uint32_t c = 0; c < channels; ++c, out += shape.row_size) {
        for (uint32_t k = 0; ky >= 0 && kx >= 0 && k < shape.logits; ++k) {
          if (s.kind() == SynapseKind::Identity) {
            out[k] = int64_t{c} + s.channel_offset() == k ? weights[0] : 0.0F;
            continue;
          }
          const auto index = ((size_t{k} * channels + c) * static_cast<size_t>(window_y.kernel) +
                              static_cast<size_t>(ky)) *
                                 static_cast<size_t>(window_x.kernel) +
                             static_cast<size_t>(kx);
          out[k] = weights[index];
        }
      }
    }
  }
}

// See ReadoutSynapses::mean_words.
size_t MeanWords(const ReadoutShape& shape, const ReadoutSynapses& synapses) {
  const size_t stride = shape.source_lanes.stride();
  const size_t channels = shape.source.channels();
  if (shape.source_lanes.lanes != kLineLanes || synapses.weight_rows != channels) return 0;
  for (size_t n = 0; n < synapses.neurons.size(); ++n) {
    const size_t c = n % stride;
    const bool exists = c < channels;
    if (synapses.fan_out[n] != (exists ? shape.logits : 0)) return 0;
    if (exists && synapses.neurons[n] != c) return 0;
  }
  return stride / kLineLanes;
}

}  // namespace

ReadoutSynapses MakeReadoutSynapses(const ReadoutShape& shape, const format::Synapses& s,
                                    std::span<const float> weights) {
  CSSRUN_ASSERT(shape.view.disjoint());
  const WindowAxis window_y = RowsOf(*s.window());
  const WindowAxis window_x = ColumnsOf(*s.window());
  const SourceAxis& view_y = shape.view.y;
  const SourceAxis& view_x = shape.view.x;
  const uint32_t channels = shape.source.channels();
  ReadoutSynapses out;
  out.source = s.source();
  out.row_size = shape.row_size;
  out.weight_rows = static_cast<size_t>(view_y.size * view_x.size) * channels;
  const size_t size = out.weight_rows * shape.row_size;
  out.weights = AllocateAligned<float>(size);
  std::fill_n(out.weights.get(), size, 0.0F);
  FillWeights(shape, s, weights, out.weights.get());
  for (int64_t y = 0; y < shape.source.height(); ++y) {
    const int64_t seen = y / view_y.divisor;
    const bool inside = seen < view_y.size && TapOf(window_y, seen) >= 0;
    out.row_is_read.push_back(inside);
    out.row_weights.push_back(
        inside ? static_cast<uint32_t>(static_cast<size_t>(seen * view_x.size) * channels) : 0);
  }
  const bool identity = s.kind() == SynapseKind::Identity;
  for (int64_t x = 0; x < shape.source.width(); ++x) {
    const int64_t seen = x / view_x.divisor;
    const bool inside = seen < view_x.size && TapOf(window_x, seen) >= 0;
    for (uint32_t c = 0; c < shape.source_lanes.stride(); ++c) {
      const int64_t target = int64_t{c} + s.channel_offset();
      const bool exists =
          inside && c < channels && (!identity || (target >= 0 && target < shape.logits));
      out.fan_out.push_back(exists ? (identity ? 1 : shape.logits) : 0);
      out.neurons.push_back(exists ? static_cast<uint32_t>(static_cast<size_t>(seen) * channels + c)
                                   : 0);
    }
  }
  out.mean_words = MeanWords(shape, out);
  return out;
}

uint64_t CountReadoutSpikes(const ReadoutSynapses& synapses, const SpikeFrame& spikes,
                            std::span<int32_t> all_counts) {
  CSSRUN_ASSERT(all_counts.size() >= synapses.weight_rows);
  CSSRUN_ASSERT(spikes.rows() == synapses.row_is_read.size());
  if (synapses.mean_words > 0) {
    return HWY_DYNAMIC_DISPATCH(CountMeanSpikesTarget)(synapses, spikes,
                                                       all_counts.first(synapses.weight_rows));
  }
  uint64_t synops = 0;
  for (size_t row = 0; row < synapses.row_weights.size(); ++row) {
    if (synapses.row_is_read[row] == 0) continue;
    int32_t* counts = all_counts.data() + synapses.row_weights[row];
    const uint64_t* words = spikes.Row(row);
    for (size_t w = 0; w < spikes.words_per_row; ++w) {
      for (uint64_t word = words[w]; word != 0; word &= word - 1) {
        const auto bit = static_cast<uint32_t>(std::countr_zero(word));
        const size_t neuron = w * kLineLanes + bit % kLineLanes;
        CSSRUN_ASSERT(neuron < synapses.fan_out.size());
        if (synapses.fan_out[neuron] == 0) continue;
        synops += synapses.fan_out[neuron];
        counts[synapses.neurons[neuron]] += bit < kLineLanes ? 1 : -1;
      }
    }
  }
  return synops;
}

uint64_t AddReadoutLevels(const ReadoutSynapses& synapses, const CountedLevels& source,
                          std::span<int32_t> all_counts) {
  CSSRUN_ASSERT(all_counts.size() >= synapses.weight_rows);
  if (synapses.mean_words > 0) {
    return HWY_DYNAMIC_DISPATCH(AddMeanLevelsTarget)(synapses, source,
                                                     all_counts.first(synapses.weight_rows));
  }
  const LevelRule& rule = *source.rule;
  const size_t neurons = synapses.fan_out.size();
  uint64_t synops = 0;
  for (size_t row = 0; row < synapses.row_weights.size(); ++row) {
    if (synapses.row_is_read[row] == 0) continue;
    int32_t* counts = all_counts.data() + synapses.row_weights[row];
    const uint8_t* bytes = source.levels->Row(row);
    for (size_t n = 0; n < neurons; ++n) {
      if (synapses.fan_out[n] == 0) continue;
      synops += uint64_t{synapses.fan_out[n]} * rule.spikes[bytes[n]];
      counts[synapses.neurons[n]] += bytes[n] - rule.zero;
    }
  }
  return synops;
}

void AddReadout(const ReadoutSynapses& synapses, std::span<const int32_t> counts,
                const LogitRange& range, float* logits) {
  CSSRUN_ASSERT(counts.size() >= synapses.weight_rows);
  CSSRUN_ASSERT(range.first % kLogitLanes == 0 && range.last % kLogitLanes == 0);
  CSSRUN_ASSERT(range.last <= synapses.row_size);
  HWY_DYNAMIC_DISPATCH(AddReadoutTarget)(synapses, counts.data(), range, logits);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
