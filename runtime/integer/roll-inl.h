// Rolls over the spikes of one source row: see roll.h.
//
// The sums in registers need not saturate, see SumsFit(); they join the membranes saturating. Both
// signs of a word are one loop, over weights of twice the room: nobody can foresee where a loop
// over so few spikes ends, and a second end costs more than weights that are farther away
// (measured: 59 instead of 38 GSyOP/s with 16 channels, 150 instead of 93 with 256).
#if defined(CSSRUN_RUNTIME_INTEGER_ROLL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_ROLL_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_ROLL_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_ROLL_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The sums of some target rows and some chunks of a run, one vector of each chunk.
template <size_t kRows, size_t kRun>
struct RollSums {
  static constexpr size_t kCount = kRows * kRun;

  HWY_INLINE void Clear() {
    HWY_UNROLL(16)
    for (size_t k = 0; k < kCount; ++k) sums[k] = hn::Zero(Lanes16());
  }

  // The weights of each bit of `spikes`; only chunks [kFirst, kLast) of a run.
  template <size_t kFirst, size_t kLast, class Weight>
  HWY_INLINE void AddSpikes(uint64_t spikes, const Weight* HWY_RESTRICT weights, size_t spike_size,
                            size_t pitch) {
    for (; spikes != 0; spikes &= spikes - 1) {
      const Weight* HWY_RESTRICT row =
          weights + static_cast<size_t>(std::countr_zero(spikes)) * spike_size;
      HWY_UNROLL(16)
      for (size_t k = 0; k < kCount; ++k) {
        if (k % kRun < kFirst || k % kRun >= kLast) continue;
        sums[k] = hn::Add(sums[k], LoadWeights(row + k / kRun * pitch + k % kRun * kChunkLanes));
      }
    }
  }

  // The first chunk of each row joins the membranes; the others move up.
  HWY_INLINE void Roll(int16_t* HWY_RESTRICT membranes, size_t pitch) {
    const Lanes16 d;
    HWY_UNROLL(4)
    for (size_t y = 0; y < kRows; ++y) {
      int16_t* at = membranes + y * pitch;
      hn::Store(hn::SaturatedAdd(hn::Load(d, at), sums[y * kRun]), d, at);
      HWY_UNROLL(4)
      for (size_t x = 0; x + 1 < kRun; ++x) sums[y * kRun + x] = sums[y * kRun + x + 1];
      sums[y * kRun + kRun - 1] = hn::Zero(d);
    }
  }

  Vector16 sums[kCount];
};

// The weights of a tile that is all of a plan's taps lie one after another: then their places are
// known to the compiler, which saves as many instructions as the additions are.
template <size_t kRows, size_t kRun, bool kWhole>
struct RollTile {
  HWY_INLINE size_t pitch() const {
    return kWhole ? kRun * kChunkLanes : size_t{plan.tap_row_size()};
  }
  HWY_INLINE size_t spike_size() const {
    return kWhole ? kRows * kRun * kChunkLanes : size_t{plan.spike_size()};
  }

  // The spikes of one group, in whole words or in a part of one.
  template <size_t kFirst, size_t kLast, class Weight>
  HWY_INLINE void AddGroup(size_t group, const Weight* HWY_RESTRICT weights,
                           RollSums<kRows, kRun>& sums) const {
    const auto add = [&](uint64_t spikes) {
      sums.template AddSpikes<kFirst, kLast>(spikes, weights, spike_size(), pitch());
    };
    if (plan.neurons == kChunkLanes) {
      add(words[group]);
      return;
    }
    const size_t first = group * plan.neurons;
    if (plan.neurons < kChunkLanes) {
      const uint64_t word = words[first / kChunkLanes] >> first % kChunkLanes;
      const uint64_t mask = (uint64_t{1} << plan.neurons) - 1;
      add((word & mask) | (word >> kChunkLanes & mask) << plan.neurons);
      return;
    }
    // The last group may have fewer positions than others.
    const size_t end = std::min(word_count, (first + plan.neurons) / kChunkLanes);
    for (size_t w = first / kChunkLanes; w < end; ++w) {
      add(words[w]);
      weights += 2 * kChunkLanes * spike_size();
    }
  }

  template <class Weight>
  HWY_INLINE void RollOver(const Weight* HWY_RESTRICT weights, int16_t* HWY_RESTRICT to) const {
    RollSums<kRows, kRun> sums;
    sums.Clear();
    size_t group = 0;
    const auto roll = [&] {
      sums.Roll(to, membrane_pitch);
      to += kChunkLanes;
    };
    if constexpr (kRun == 3) {
      if (plan.ends_outside) {
        AddGroup<1, 3>(group++, weights, sums);
        roll();
        for (; group + 1 < plan.groups; ++group) {
          AddGroup<0, 3>(group, weights, sums);
          roll();
        }
        AddGroup<0, 2>(group++, weights, sums);
        roll();
      }
    }
    for (; group < plan.groups; ++group) {
      AddGroup<0, kRun>(group, weights, sums);
      roll();
    }
    for (size_t x = 0; x + 1 < kRun; ++x) roll();
  }

  RollPlan plan;  // a copy that no store can change
  const uint64_t* HWY_RESTRICT words = nullptr;
  size_t word_count = 0;
  size_t membrane_pitch = 0;  // lanes from one target row to the next
};

template <size_t kRows, size_t kRun, bool kWhole, class Weight>
HWY_NOINLINE void RollTileOver(const RollPlan& plan, const SpikeFrame& frame, size_t row,
                               size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  const RollTile<kRows, kRun, kWhole> tile{plan, frame.Row(row), frame.words_per_row,
                                           membrane_pitch};
  for (size_t offset = 0; offset < kChunkLanes; offset += hn::Lanes(Lanes16())) {
    tile.RollOver(weights + offset, membranes + offset);
  }
}

template <size_t kRows, size_t kRun, class Weight>
HWY_INLINE void RollRun(const RollPlan& plan, const SpikeFrame& frame, size_t row,
                        size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  if constexpr (kRows == 3) {  // most kernels, and their rows but those at the border
    if (plan.run == kRun && plan.tap_rows == kRows) {
      RollTileOver<kRows, kRun, true>(plan, frame, row, membrane_pitch, weights, membranes);
      return;
    }
  }
  RollTileOver<kRows, kRun, false>(plan, frame, row, membrane_pitch, weights, membranes);
}

template <size_t kRows, class Weight>
HWY_INLINE void RollRows(const RollPlan& plan, size_t run, const SpikeFrame& frame, size_t row,
                         size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  switch (run) {
    case 1:
      return RollRun<kRows, 1>(plan, frame, row, membrane_pitch, weights, membranes);
    case 2:
      return RollRun<kRows, 2>(plan, frame, row, membrane_pitch, weights, membranes);
    default:
      return RollRun<kRows, 3>(plan, frame, row, membrane_pitch, weights, membranes);
  }
}

// The spikes of source row `row` into `rows` rows of one block, the first at `membranes`, whose
// weights begin at `weights`. Large kernels go tile by tile.
template <class Weight>
HWY_INLINE void RollBlock(const RollPlan& plan, const SpikeFrame& frame, size_t row, size_t rows,
                          size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  constexpr size_t kMost = 3;
  for (size_t y = 0; y < rows; y += kMost) {
    for (size_t chunk = 0; chunk < plan.run; chunk += kMost) {
      const size_t run = std::min<size_t>(kMost, plan.run - chunk);
      const Weight* from = weights + y * plan.tap_row_size() + chunk * kChunkLanes;
      int16_t* to = membranes + y * membrane_pitch + plan.first_lane + chunk * kChunkLanes;
      switch (rows - y) {
        case 1:
          RollRows<1>(plan, run, frame, row, membrane_pitch, from, to);
          break;
        case 2:
          RollRows<2>(plan, run, frame, row, membrane_pitch, from, to);
          break;
        default:
          RollRows<3>(plan, run, frame, row, membrane_pitch, from, to);
          break;
      }
    }
  }
}

// The spikes of source row `row` into target rows [first, last) of the step's blocks.
inline void RollRow(const IntegerSynapses& s, const LayerStep& step, const SpikeFrame& frame,
                    size_t row, size_t first, size_t last) {
  const IntegerLayer& layer = *step.layer;
  const RowPlan& plan = s.rows[row];
  const size_t skipped = plan.weight_offset + (first - plan.first) * s.roll.tap_row_size();
  for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
    const size_t weights = block * s.roll.block_size() + skipped;
    int16_t* to = step.membranes + block * layer.block_lanes() + first * layer.row_lanes;
    if (s.wide != nullptr) {
      RollBlock(s.roll, frame, row, last - first, layer.row_lanes, s.wide.get() + weights, to);
    } else {
      RollBlock(s.roll, frame, row, last - first, layer.row_lanes, s.narrow.get() + weights, to);
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_ROLL_INL_H_
