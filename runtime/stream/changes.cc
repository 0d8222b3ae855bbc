// Finds what changed, for every instruction set: see changes.h.
#include "runtime/stream/changes.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/assert.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/stream/changes.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Sets the bits of positions whose neurons changed, line by line. Bits are collected in a register,
// and reach memory a word at a time. kOfLine: positions of a line; with 1, a position is `blocks`
// lines.
template <uint32_t kOfLine>
class PositionSetter {
 public:
  // Begins with the first line of a position.
  HWY_INLINE PositionSetter(uint32_t blocks, size_t first_line, uint64_t* positions)
      : blocks_(blocks), position_(first_line * kOfLine / blocks), positions_(positions) {}

  HWY_INLINE void Add(uint32_t bits) {
    if constexpr (kOfLine == 1) {
      any_ |= bits;
      if (++block_ < blocks_) return;
      Set(any_ != 0);
      any_ = block_ = 0;
    } else {
      constexpr uint32_t kLanes = kLineLanes / kOfLine;
      constexpr uint32_t kOfPosition = (uint32_t{1} << kLanes) - 1;
      for (uint32_t i = 0; i < kOfLine; ++i) Set((bits >> i * kLanes & kOfPosition) != 0);
    }
  }
  // After the last position.
  HWY_INLINE void Finish() {
    if (word_ != 0) positions_[position_ / kPositionsOfWord] |= word_;
  }

 private:
  HWY_INLINE void Set(bool changed) {
    word_ |= uint64_t{changed} << position_ % kPositionsOfWord;
    if (++position_ % kPositionsOfWord != 0) return;
    positions_[position_ / kPositionsOfWord - 1] |= word_;
    word_ = 0;
  }

  const uint32_t blocks_;
  uint32_t block_ = 0;
  uint32_t any_ = 0;   // of the blocks so far
  uint64_t word_ = 0;  // of position_
  size_t position_;
  uint64_t* positions_;
};

// Which neurons of a line differ; takes them.
HWY_INLINE uint32_t TakeLine(const uint8_t* HWY_RESTRICT fresh, uint8_t* HWY_RESTRICT kept) {
  const hn::CappedTag<uint8_t, kLineLanes> d;
  uint32_t bits = 0;
  for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
    const auto now = hn::LoadU(d, fresh + i);
    const auto other = hn::Ne(now, hn::LoadU(d, kept + i));
#if CSSRUN_TARGET_AVX512
    bits = other.raw;
#else
    uint8_t mask[8] = {};
    hn::StoreMaskBits(d, other, mask);
    uint32_t part = 0;
    std::memcpy(&part, mask, sizeof(part));
    bits |= part << i;
#endif
    hn::StoreU(now, d, kept + i);
  }
  return bits;
}

// TakeChanges() of lines: of levels, or of trains, from which levels follow.
template <uint32_t kOfLine>
uint64_t TakeLevels(const SentFrames& fresh, const SentFrames& kept, size_t row,
                    const LineRange& lines, uint32_t blocks, uint32_t* changed,
                    uint64_t* positions) {
  const uint8_t* from = fresh.levels->Row(row) + lines.first * kLineLanes;
  uint8_t* to = kept.levels->Row(row) + lines.first * kLineLanes;
  PositionSetter<kOfLine> setter(blocks, lines.first, positions);
  uint64_t count = 0;
  for (size_t line = lines.first; line < lines.last; ++line, from += kLineLanes, to += kLineLanes) {
    const uint32_t bits = TakeLine(from, to);
    // Two ranges of columns may share a line.
    if (changed != nullptr) changed[line] |= bits;
    count += static_cast<uint64_t>(std::popcount(bits));
    setter.Add(bits);
  }
  setter.Finish();
  return count;
}

template <uint32_t kOfLine>
uint64_t TakeSpikes(const SentFrames& fresh, const SentFrames& kept, size_t row,
                    const LineRange& lines, uint32_t blocks, uint32_t* changed,
                    uint64_t* positions) {
  PositionSetter<kOfLine> setter(blocks, lines.first, positions);
  uint64_t count = 0;
  for (size_t line = lines.first; line < lines.last; ++line) {
    uint64_t other = 0;
    for (size_t k = 0; k < kept.spikes.size(); ++k) {
      const uint64_t now = fresh.spikes[k].Row(row)[line];
      uint64_t& word = kept.spikes[k].Row(row)[line];
      other |= now ^ word;
      word = now;
    }
    const uint32_t bits = static_cast<uint32_t>(other) | static_cast<uint32_t>(other >> kLineLanes);
    if (changed != nullptr) changed[line] |= bits;
    count += static_cast<uint64_t>(std::popcount(bits));
    setter.Add(bits);
    if (bits == 0 || kept.levels->empty()) continue;
    std::memcpy(kept.levels->Row(row) + line * kLineLanes,
                fresh.levels->Row(row) + line * kLineLanes, kLineLanes);
  }
  setter.Finish();
  return count;
}

template <uint32_t kOfLine>
uint64_t TakeLines(const SentFrames& fresh, const SentFrames& kept, size_t row,
                   const LineRange& lines, uint32_t blocks, uint32_t* changed,
                   uint64_t* positions) {
  return kept.spikes.empty()
             ? TakeLevels<kOfLine>(fresh, kept, row, lines, blocks, changed, positions)
             : TakeSpikes<kOfLine>(fresh, kept, row, lines, blocks, changed, positions);
}

uint64_t TakeChangesTarget(const SentFrames& fresh, const SentFrames& kept, size_t row,
                           const LineRange& lines, const LaneLayout& layout, uint32_t* changed,
                           uint64_t* positions) {
  switch (layout.positions()) {
    case 1:
      return TakeLines<1>(fresh, kept, row, lines, layout.blocks, changed, positions);
    case 2:
      return TakeLines<2>(fresh, kept, row, lines, layout.blocks, changed, positions);
    case 4:
      return TakeLines<4>(fresh, kept, row, lines, layout.blocks, changed, positions);
    default:
      CSSRUN_ASSERT(false);  // eight are images alone, which KeptPicture compares
      return 0;
  }
}

// See CountUpdates().
uint64_t CountUpdatesTarget(const FanOut& fan_out, size_t row, const uint32_t* changed,
                            uint64_t count) {
  int64_t columns = static_cast<int64_t>(count) * fan_out.usual_columns;
  for (const FanOut::Exception& e : fan_out.exceptions) {
    columns +=
        std::popcount(changed[e.word] & static_cast<uint32_t>(e.mask)) * int64_t{e.difference};
  }
  return static_cast<uint64_t>(columns) * fan_out.row_readers[row] * fan_out.target_channels;
}

// Counts of one row of spikes.
void CountRowSpikesTarget(SpikeFrame& spikes, size_t row) {
  const uint64_t* words = spikes.Row(row);
  int sum = 0;
  for (size_t word = 0; word < spikes.words_per_row; ++word) sum += std::popcount(words[word]);
  spikes.counts[row] = static_cast<uint32_t>(sum);
}

// Of the readout of a mean, where all neurons reach equally many logits.
uint64_t CountBitsTarget(std::span<const uint32_t> words) {
  uint64_t count = 0;
  for (const uint32_t word : words) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(TakeChangesTarget);
HWY_EXPORT(CountUpdatesTarget);
HWY_EXPORT(CountRowSpikesTarget);
HWY_EXPORT(CountBitsTarget);

uint64_t TakeChanges(const SentFrames& fresh, const SentFrames& kept, size_t row,
                     const ColumnRange& columns, const LaneLayout& layout,
                     std::span<uint32_t> changed, std::span<uint64_t> positions) {
  // The lines of all blocks.
  LineRange lines = LinesOf(columns, columns.last, layout);
  lines = {lines.first * layout.blocks, lines.last * layout.blocks};
  CSSRUN_ASSERT(changed.empty() || lines.last <= changed.size());
  return HWY_DYNAMIC_DISPATCH(TakeChangesTarget)(fresh, kept, row, lines, layout, changed.data(),
                                                 positions.data());
}

void CountRowSpikes(SpikeFrame& spikes, size_t row) {
  HWY_DYNAMIC_DISPATCH(CountRowSpikesTarget)(spikes, row);
}

uint64_t CountUpdates(const FanOut& fan_out, size_t row, std::span<const uint32_t> changed,
                      uint64_t count) {
  return HWY_DYNAMIC_DISPATCH(CountUpdatesTarget)(fan_out, row, changed.data(), count);
}

uint64_t CountUpdates(const ReadoutSynapses& synapses, size_t row,
                      std::span<const uint32_t> changed) {
  if (synapses.row_is_read[row] == 0) return 0;
  if (synapses.mean_words > 0) {
    return HWY_DYNAMIC_DISPATCH(CountBitsTarget)(changed) * synapses.fan_out.front();
  }
  uint64_t updates = 0;
  for (size_t line = 0; line < changed.size(); ++line) {
    for (uint32_t rest = changed[line]; rest != 0; rest &= rest - 1) {
      updates += synapses.fan_out[line * kLineLanes + static_cast<size_t>(std::countr_zero(rest))];
    }
  }
  return updates;
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
