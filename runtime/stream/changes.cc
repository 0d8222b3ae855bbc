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
#include "runtime/stream/mask_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Sets the bits of positions, one after another. They are collected in a register, and reach memory
// a word at a time.
class PositionSetter {
 public:
  HWY_INLINE PositionSetter(size_t first, uint64_t* positions)
      : position_(first), positions_(positions) {}

  // The bits of the next `count` positions, 8 at most.
  HWY_INLINE void Append(uint64_t bits, size_t count) {
    const size_t bit = position_ % kPositionsOfWord;
    word_ |= bits << bit;
    position_ += count;
    if (bit + count < kPositionsOfWord) return;
    positions_[(position_ - count) / kPositionsOfWord] |= word_;
    word_ = bit + count > kPositionsOfWord ? bits >> (kPositionsOfWord - bit) : 0;
  }
  // After the last position.
  HWY_INLINE void Finish() {
    if (word_ != 0) positions_[position_ / kPositionsOfWord] |= word_;
  }

 private:
  uint64_t word_ = 0;  // of position_
  size_t position_;
  uint64_t* positions_;
};

// Takes neighbouring levels; returns a bit for each that differs. `apart`: see TakeLevels(), where
// kBounds.
template <size_t kCount, bool kBounds>
HWY_INLINE uint64_t TakeBytes(const uint8_t* HWY_RESTRICT fresh, uint8_t* HWY_RESTRICT kept,
                              size_t apart) {
  const hn::CappedTag<uint8_t, kCount> d;
  uint64_t bits = 0;
  for (size_t i = 0; i < kCount; i += hn::Lanes(d)) {
    auto now = hn::LoadU(d, fresh + i);
    const auto last = hn::LoadU(d, kept + i);
    if constexpr (kBounds) {
      const auto lowest = hn::LoadU(d, fresh + apart + i);
      const auto highest = hn::LoadU(d, fresh + 2 * apart + i);
      const auto within = hn::Eq(hn::Min(hn::Max(last, lowest), highest), last);
      now = hn::IfThenElse(within, last, now);
    }
    const auto other = hn::Ne(now, last);
    const uint64_t part = BitsOf(d, other);
    bits |= part << i;
    if (part != 0) hn::StoreU(now, d, kept + i);
  }
  return bits;
}

// Turns bits of 64 neurons into bits of positions that have kOfPosition neurons each.
template <size_t kOfPosition>
HWY_INLINE uint64_t PositionsOf(uint64_t neurons) {
  constexpr uint64_t kPosition = (uint64_t{1} << kOfPosition) - 1;
  uint64_t positions = 0;
  HWY_UNROLL(8)
  for (size_t i = 0; i < 64 / kOfPosition; ++i) {
    positions |= uint64_t{(neurons >> i * kOfPosition & kPosition) != 0} << i;
  }
  return positions;
}

// Adds the bits of neurons from `first` on.
HWY_INLINE void SetNeurons(uint64_t bits, size_t first, uint32_t* neurons) {
  for (size_t word = first / kLineLanes; bits != 0; ++word) {
    const size_t lane = word * kLineLanes < first ? first % kLineLanes : 0;
    neurons[word] |= static_cast<uint32_t>(bits << lane);
    bits >>= kLineLanes - lane;
  }
}

// Takes rows of levels piece by piece, and counts the changes.
template <bool kBounds>
struct LevelTaker {
  template <size_t kCount>
  HWY_INLINE uint64_t Take(size_t at) {
    const uint64_t bits = TakeBytes<kCount, kBounds>(fresh + at, kept + at, apart);
    count += static_cast<uint64_t>(std::popcount(bits));
    if (neurons != nullptr) SetNeurons(bits, at, neurons);
    return bits;
  }
  const uint8_t* fresh;  // of a row's first neuron, as the next
  uint8_t* kept;
  uint32_t* neurons;  // null: not wanted
  size_t apart;
  uint64_t count = 0;
};

// Positions [first, last) of kOfPosition levels each.
template <size_t kOfPosition, class Taker>
uint64_t TakePositions(Taker taker, size_t first, size_t last, uint64_t* positions) {
  constexpr size_t kTogether = 64 / kOfPosition;
  PositionSetter setter(first, positions);
  size_t at = first;
  for (; at + kTogether <= last; at += kTogether) {
    setter.Append(PositionsOf<kOfPosition>(taker.template Take<64>(at * kOfPosition)), kTogether);
  }
  for (; at < last; ++at) {
    setter.Append(taker.template Take<kOfPosition>(at * kOfPosition) != 0 ? 1 : 0, 1);
  }
  setter.Finish();
  return taker.count;
}

// The same of positions of any number of lines.
template <class Taker>
uint64_t TakeLines(Taker taker, size_t lines, size_t first, size_t last, uint64_t* positions) {
  PositionSetter setter(first, positions);
  for (size_t position = first; position < last; ++position) {
    const size_t begin = position * lines;
    uint64_t any = 0;
    size_t line = begin;
    for (; line + 2 <= begin + lines; line += 2) any |= taker.template Take<64>(line * kLineLanes);
    if (line < begin + lines) any |= taker.template Take<kLineLanes>(line * kLineLanes);
    setter.Append(any != 0 ? 1 : 0, 1);
  }
  setter.Finish();
  return taker.count;
}

template <class Taker>
uint64_t TakeColumns(const Taker& taker, const ColumnRange& columns, const LaneLayout& layout,
                     uint64_t* positions) {
  switch (layout.stride()) {
    case 8:
      return TakePositions<8>(taker, columns.first, columns.last, positions);
    case 16:
      return TakePositions<16>(taker, columns.first, columns.last, positions);
    case kLineLanes:
      return TakePositions<kLineLanes>(taker, columns.first, columns.last, positions);
    default:  // images of 4 lanes are compared by KeptPicture
      CSSRUN_ASSERT(layout.lanes == kLineLanes);
      return TakeLines(taker, layout.blocks, columns.first, columns.last, positions);
  }
}

uint64_t TakeLevelsTarget(const LevelFrame& fresh, LevelFrame& kept, size_t row,
                          const ColumnRange& columns, const LaneLayout& layout, uint32_t* neurons,
                          uint64_t* positions, size_t apart) {
  if (apart == 0) {
    const LevelTaker<false> taker{fresh.Row(row), kept.Row(row), neurons, apart};
    return TakeColumns(taker, columns, layout, positions);
  }
  const LevelTaker<true> taker{fresh.Row(row), kept.Row(row), neurons, apart};
  return TakeColumns(taker, columns, layout, positions);
}

uint64_t TakeSpikesTarget(const SentSpikes& fresh, const SentSpikes& kept, size_t row,
                          const LineRange& lines, const LaneLayout& layout, uint32_t* neurons,
                          uint64_t* positions) {
  const uint32_t lanes = layout.lanes;
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
    if (bits == 0) continue;
    if (neurons != nullptr) neurons[line] |= bits;
    count += static_cast<uint64_t>(std::popcount(bits));
    for (uint32_t i = 0; i < layout.positions(); ++i) {
      const bool any = (uint64_t{bits} >> i * lanes & ((uint64_t{1} << lanes) - 1)) != 0;
      const size_t position = line * layout.positions() / layout.blocks + i;
      positions[position / kPositionsOfWord] |= uint64_t{any} << position % kPositionsOfWord;
    }
    if (kept.levels->empty()) continue;
    std::memcpy(kept.levels->Row(row) + line * kLineLanes,
                fresh.levels->Row(row) + line * kLineLanes, kLineLanes);
  }
  return count;
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

// For the readout of a mean, in which all neurons reach equally many logits.
uint64_t CountBitsTarget(std::span<const uint32_t> words) {
  uint64_t count = 0;
  for (const uint32_t word : words) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(TakeLevelsTarget);
HWY_EXPORT(TakeSpikesTarget);
HWY_EXPORT(CountUpdatesTarget);
HWY_EXPORT(CountRowSpikesTarget);
HWY_EXPORT(CountBitsTarget);

uint64_t TakeLevels(const LevelFrame& fresh, LevelFrame& kept, size_t row,
                    const ColumnRange& columns, const LaneLayout& layout, const RowChanges& changes,
                    size_t apart) {
  CSSRUN_ASSERT(columns.last <= changes.positions.size() * kPositionsOfWord);
  return HWY_DYNAMIC_DISPATCH(TakeLevelsTarget)(
      fresh, kept, row, columns, layout, changes.neurons.data(), changes.positions.data(), apart);
}

uint64_t TakeSpikes(const SentSpikes& fresh, const SentSpikes& kept, size_t row,
                    const ColumnRange& columns, const LaneLayout& layout,
                    const RowChanges& changes) {
  // The lines of all blocks.
  LineRange lines = LinesOf(columns, columns.last, layout);
  lines = {lines.first * layout.blocks, lines.last * layout.blocks};
  CSSRUN_ASSERT(changes.neurons.empty() || lines.last <= changes.neurons.size());
  return HWY_DYNAMIC_DISPATCH(TakeSpikesTarget)(fresh, kept, row, lines, layout,
                                                changes.neurons.data(), changes.positions.data());
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
