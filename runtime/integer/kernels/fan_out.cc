#include "runtime/integer/kernels/fan_out.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "runtime/assert.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/fan_out.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/neon-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

// Compiled for each target for its instruction that counts bits.
uint64_t CountSynopsTarget(const FanOut& fan_out, const SpikeFrame& frame, size_t first,
                           size_t last) {
  CSSRUN_ASSERT(last <= fan_out.row_readers.size() && last <= frame.rows());
  uint64_t synops = 0;
  for (size_t row = first; row < last; ++row) {
    if (fan_out.row_readers[row] == 0) continue;
    const uint64_t* words = frame.Row(row);
    int64_t columns = int64_t{frame.counts[row]} * fan_out.usual_columns;
    for (const FanOut::Exception& e : fan_out.exceptions) {
      columns += std::popcount(words[e.word] & e.mask) * int64_t{e.difference};
    }
    synops += static_cast<uint64_t>(columns) * fan_out.row_readers[row] * fan_out.target_channels;
  }
  return synops;
}

void CountSpikesTarget(SpikeFrame& spikes) {
  const uint64_t* words = spikes.words.data();
  for (uint32_t& count : spikes.counts) {
    int sum = 0;
    for (size_t w = 0; w < spikes.words_per_row; ++w) sum += std::popcount(*words++);
    count = static_cast<uint32_t>(sum);
  }
}

// Looks the spikes of levels up, a vector of bytes at a time.
#if HWY_TARGET == HWY_SCALAR
struct SpikeTable {
  explicit SpikeTable(const LevelRule& level_rule) : rule(level_rule) {}
  // Of `count` levels.
  uint32_t Sum(const uint8_t* levels, size_t count) const {
    uint32_t sum = 0;
    for (size_t i = 0; i < count; ++i) sum += rule.spikes[levels[i]];
    return sum;
  }
  // Of some words of a row that have one mask, those levels whose bit is set.
  uint32_t SumOfWords(const uint8_t* row, std::span<const FanOut::Exception> words) const {
    uint32_t sum = 0;
    for (const FanOut::Exception& e : words) {
      for (auto rest = static_cast<uint32_t>(e.mask); rest != 0; rest &= rest - 1) {
        sum += rule.spikes[row[e.word * kLineLanes + std::countr_zero(rest)]];
      }
    }
    return sum;
  }
  static constexpr size_t kMostWords = 31;
  const LevelRule& rule;
};
#else
struct SpikeTable {
#if CSSRUN_TARGET_VNNI
  using D = hn::CappedTag<uint8_t, 64>;
#else
  using D = hn::CappedTag<uint8_t, kLineLanes>;
#endif
  using V = hn::Vec<D>;
  using D64 = hn::Repartition<uint64_t, D>;

#if CSSRUN_TARGET_VNNI
  // All machines of this target look 128 bytes up at once.
  explicit SpikeTable(const LevelRule& rule) {
    for (size_t k = 0; k < 4; ++k) tables[k] = hn::LoadU(D(), rule.spikes.data() + 64 * k);
  }
  HWY_INLINE V Spikes(D /*d*/, V levels) const {
    const auto low = _mm512_permutex2var_epi8(tables[0].raw, levels.raw, tables[1].raw);
    const auto high = _mm512_permutex2var_epi8(tables[2].raw, levels.raw, tables[3].raw);
    return V{_mm512_mask_blend_epi8(_mm512_movepi8_mask(levels.raw), low, high)};
  }
  // Of half a vector.
  template <class DHalf>
  HWY_INLINE hn::Vec<DHalf> Spikes(DHalf /*d*/, hn::Vec<DHalf> levels) const {
    return {_mm512_castsi512_si256(Spikes(D(), V{_mm512_castsi256_si512(levels.raw)}).raw)};
  }
  V tables[4];
#elif CSSRUN_TARGET_NEON
  // An instruction looks 64 bytes up.
  explicit SpikeTable(const LevelRule& rule) : small(rule.most + rule.zero < 64) {
    for (size_t k = 0; k < 4; ++k) tables[k] = vld1q_u8_x4(rule.spikes.data() + 64 * k);
  }
  HWY_INLINE V Spikes(D /*d*/, V levels) const {
    uint8x16_t spikes = vqtbl4q_u8(tables[0], levels.raw);  // 0 for what is beyond
    if (small) return V{spikes};
    for (size_t k = 1; k < 4; ++k) {
      const auto place = vsubq_u8(levels.raw, vdupq_n_u8(static_cast<uint8_t>(64 * k)));
      spikes = vqtbx4q_u8(spikes, tables[k], place);  // left as it is for what is beyond
    }
    return V{spikes};
  }
  uint8x16x4_t tables[4];
  bool small;
#else
  explicit SpikeTable(const LevelRule& rule) {
    for (size_t k = 0; k < 16; ++k) tables[k] = hn::LoadDup128(D(), rule.spikes.data() + 16 * k);
    used = static_cast<size_t>(rule.most + rule.zero) / 16 + 1;
  }
  HWY_INLINE V Spikes(D /*d*/, V levels) const {
    // Of a level that is in table k, the bits above its place there become 0; of any other, the
    // highest bit becomes 1, which looks up 0.
    const auto place = hn::Set(D(), 0x8F);
    const auto beyond = hn::Set(D(), 0x70);
    V spikes = hn::Zero(D());
    for (size_t k = 0; k < used; ++k) {
      const auto in_table = hn::Xor(levels, hn::Set(D(), static_cast<uint8_t>(16 * k)));
      const auto index = hn::And(hn::SaturatedAdd(in_table, beyond), place);
      spikes = hn::Or(spikes, hn::TableLookupBytesOr0(tables[k], index));
    }
    return spikes;
  }
  V tables[16];
  size_t used;
#endif

  uint32_t Sum(const uint8_t* levels, size_t count) const {
    auto sums = hn::Zero(D64());
    size_t i = 0;
    for (; i + hn::Lanes(D()) <= count; i += hn::Lanes(D())) {
      sums = hn::Add(sums, hn::SumsOf8(Spikes(D(), hn::LoadU(D(), levels + i))));
    }
    if (i < count) {
      HWY_ALIGN uint8_t rest[64] = {};
      std::copy(levels + i, levels + count, rest);
      const auto spikes =
          hn::IfThenElseZero(hn::FirstN(D(), count - i), Spikes(D(), hn::Load(D(), rest)));
      sums = hn::Add(sums, hn::SumsOf8(spikes));
    }
    return static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(D64(), sums)));
  }
  // Of some words of a row that have one mask, those levels whose bit is set.
  uint32_t SumOfWords(const uint8_t* row, std::span<const FanOut::Exception> words) const {
    CSSRUN_ASSERT(words.size() <= kMostWords);
    const hn::CappedTag<uint8_t, kLineLanes> d;
    const hn::Repartition<uint64_t, decltype(d)> d64;
    const auto mask = static_cast<uint32_t>(words.front().mask);
    uint64_t sum = 0;
    for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
      auto sums = hn::Zero(d);
      for (const FanOut::Exception& e : words) {
        sums = hn::Add(sums, Spikes(d, hn::LoadU(d, row + e.word * size_t{kLineLanes} + i)));
      }
      const auto wanted = hn::IfThenElseZero(MaskOf(d, mask, i), sums);
      sum += hn::GetLane(hn::SumOfLanes(d64, hn::SumsOf8(wanted)));
    }
    return static_cast<uint32_t>(sum);
  }
  // Each of at most 8 spikes a level: their sums fit bytes.
  static constexpr size_t kMostWords = 31;
};
#endif

void CountLevelSpikesTarget(const LevelFrame& levels, const LevelRule& rule, size_t neurons,
                            std::span<uint32_t> row_spikes, size_t first) {
  const SpikeTable table(rule);
  for (size_t row = 0; row < row_spikes.size(); ++row) {
    row_spikes[row] = table.Sum(levels.Row(first + row), neurons);
  }
}

uint64_t CountLevelSynopsTarget(const FanOut& fan_out, const CountedLevels& source, size_t first,
                                size_t last) {
  CSSRUN_ASSERT(last <= fan_out.row_readers.size() && last <= source.row_spikes.size());
  const std::vector<uint32_t>& readers = fan_out.row_readers;
  const std::span<const FanOut::Exception> exceptions = fan_out.exceptions;
  int64_t reached = 0;  // target positions, by all spikes together
  const SpikeTable table(*source.rule);
  for (size_t row = first; row < last; ++row) {
    if (readers[row] == 0) continue;
    const uint8_t* levels = source.levels->Row(row);
    int64_t columns = int64_t{source.row_spikes[row]} * fan_out.usual_columns;
    for (size_t e = 0, end = 0; e < exceptions.size(); e = end) {
      const size_t most = std::min(exceptions.size(), e + SpikeTable::kMostWords);
      for (end = e + 1; end < most && exceptions[end].CountsWith(exceptions[e]); ++end) {
      }
      columns += int64_t{table.SumOfWords(levels, exceptions.subspan(e, end - e))} *
                 exceptions[e].difference;
    }
    reached += columns * readers[row];
  }
  return static_cast<uint64_t>(reached) * fan_out.target_channels;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(CountSynopsTarget);
HWY_EXPORT(CountSpikesTarget);
HWY_EXPORT(CountLevelSpikesTarget);
HWY_EXPORT(CountLevelSynopsTarget);

uint64_t CountSynops(const FanOut& fan_out, const SpikeFrame& frame, size_t first, size_t last) {
  return HWY_DYNAMIC_DISPATCH(CountSynopsTarget)(fan_out, frame, first, last);
}

void CountSpikes(SpikeFrame& spikes) { HWY_DYNAMIC_DISPATCH(CountSpikesTarget)(spikes); }

void CountLevelSpikes(const LevelFrame& levels, const LevelRule& rule, size_t neurons,
                      std::span<uint32_t> row_spikes, size_t first) {
  CSSRUN_ASSERT(levels.layout.zero == rule.zero);
  HWY_DYNAMIC_DISPATCH(CountLevelSpikesTarget)(levels, rule, neurons, row_spikes, first);
}

uint64_t CountLevelSynops(const FanOut& fan_out, const CountedLevels& source, size_t first,
                          size_t last) {
  return HWY_DYNAMIC_DISPATCH(CountLevelSynopsTarget)(fan_out, source, first, last);
}

void SetColumns(const std::vector<int32_t>& columns_reached, FanOut& fan_out) {
  std::map<int32_t, size_t> frequency;
  for (const int32_t reached : columns_reached) ++frequency[reached];
  CSSRUN_ASSERT(!columns_reached.empty() && columns_reached.size() % kLineLanes == 0);
  const auto usual =
      std::max_element(frequency.begin(), frequency.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  fan_out.usual_columns = static_cast<uint32_t>(usual->first);
  for (uint32_t word = 0; word < columns_reached.size() / kLineLanes; ++word) {
    std::map<int32_t, uint64_t> masks;
    for (uint32_t bit = 0; bit < kLineLanes; ++bit) {
      const int32_t difference = columns_reached[word * kLineLanes + bit] - usual->first;
      masks[difference] |= (uint64_t{1} << bit) | (uint64_t{1} << (kLineLanes + bit));
    }
    for (const auto& [difference, mask] : masks) {
      if (difference != 0) fan_out.exceptions.push_back({word, difference, mask});
    }
  }
  std::ranges::stable_sort(fan_out.exceptions, {}, [](const FanOut::Exception& e) {
    return std::pair(e.difference, e.mask);
  });
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
