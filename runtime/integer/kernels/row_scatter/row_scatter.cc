// Scatters the spikes of one source row, for every instruction set: see row_scatter.h.
#include "runtime/integer/kernels/row_scatter/row_scatter.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "runtime/assert.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/row_scatter/row_scatter.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/neon-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// How many vectors of each of `lines` lines are summed at a time: listing the spikes takes as many
// instructions as adding a vector of three lines, so once for as many as there are registers for
// (NEON and AVX-512 have 32, of which weights need some).
constexpr size_t VectorsTogether(size_t lines) {
  constexpr size_t kOfLine = kLineLanes / hn::MaxLanes(Lanes16());
#if HWY_TARGET == HWY_SCALAR
  constexpr size_t kRegisters = 0;
#elif CSSRUN_TARGET_NEON || CSSRUN_TARGET_AVX512
  constexpr size_t kRegisters = 24;
#else
  constexpr size_t kRegisters = 12;
#endif
  size_t vectors = 1;
  while (2 * vectors <= kOfLine && 2 * vectors * lines <= kRegisters) vectors *= 2;
  return vectors;
}

// The sums of some target rows and some lines of a run, some vectors of each line.
template <size_t kRows, size_t kRun>
struct SlideSums {
  static constexpr size_t kVectors = VectorsTogether(kRows * kRun);
  static constexpr size_t kOfRow = kRun * kVectors;
  static constexpr size_t kCount = kRows * kOfRow;

  // Written out: the default would be made without the target's instructions.
  HWY_INLINE SlideSums() {
    HWY_UNROLL(24)
    for (size_t k = 0; k < kCount; ++k) sums[k] = hn::Zero(Lanes16());
  }

  // The weights of each bit of `spikes`; only lines [kFirst, kLast) of a run.
  template <size_t kFirst, size_t kLast, class Weight>
  HWY_INLINE void AddSpikes(uint64_t spikes, const Weight* HWY_RESTRICT weights, size_t spike_size,
                            size_t pitch) {
    for (; spikes != 0; spikes &= spikes - 1) {
      const Weight* HWY_RESTRICT row =
          weights + static_cast<size_t>(std::countr_zero(spikes)) * spike_size;
      HWY_UNROLL(24)
      for (size_t k = 0; k < kCount; ++k) {
        const size_t line = k / kVectors % kRun;
        if (line < kFirst || line >= kLast) continue;
        const Weight* from = row + k / kOfRow * pitch + line * kLineLanes;
        sums[k] = hn::Add(sums[k], LoadWeights(from + k % kVectors * hn::MaxLanes(Lanes16())));
      }
    }
  }

  // The first line of each row joins the membranes; the others move up.
  HWY_INLINE void Slide(int16_t* HWY_RESTRICT membranes, size_t pitch) {
    const Lanes16 d;
    HWY_UNROLL(4)
    for (size_t y = 0; y < kRows; ++y) {
      HWY_UNROLL(4)
      for (size_t v = 0; v < kVectors; ++v) {
        int16_t* at = membranes + y * pitch + v * hn::MaxLanes(d);
        hn::Store(hn::SaturatedAdd(hn::Load(d, at), sums[y * kOfRow + v]), d, at);
      }
      HWY_UNROLL(12)
      for (size_t k = 0; k < kOfRow; ++k) {
        const size_t next = k + kVectors;
        sums[y * kOfRow + k] = next < kOfRow ? sums[y * kOfRow + next] : hn::Zero(d);
      }
    }
  }

  Vector16 sums[kCount];
};

// The weights of a tile that is all of a plan's taps lie one after another: then their places are
// known to the compiler, which saves as many instructions as the additions are.
template <size_t kRows, size_t kRun, bool kWhole>
struct SlideTile {
  HWY_INLINE size_t pitch() const {
    return kWhole ? kRun * kLineLanes : size_t{plan.tap_row_size()};
  }
  HWY_INLINE size_t spike_size() const {
    return kWhole ? kRows * kRun * kLineLanes : size_t{plan.spike_size()};
  }

  template <size_t kFirst, size_t kLast, class Weight>
  HWY_INLINE void AddSpikes(uint64_t spikes, const Weight* HWY_RESTRICT weights,
                            SlideSums<kRows, kRun>& sums) const {
    sums.template AddSpikes<kFirst, kLast>(spikes, weights, spike_size(), pitch());
  }

  // The spikes of one step, in whole words or in a part of one.
  template <size_t kFirst, size_t kLast, class Weight>
  HWY_INLINE void AddStep(size_t step, const Weight* HWY_RESTRICT weights,
                          SlideSums<kRows, kRun>& sums) const {
    if (plan.step_neurons == kLineLanes) {
      AddSpikes<kFirst, kLast>(words[step], weights, sums);
      return;
    }
    const size_t first = step * plan.step_neurons;
    if (plan.step_neurons < kLineLanes) {
      const uint64_t word = words[first / kLineLanes] >> first % kLineLanes;
      const uint64_t mask = (uint64_t{1} << plan.step_neurons) - 1;
      const uint64_t both = (word & mask) | (word >> kLineLanes & mask) << plan.step_neurons;
      AddSpikes<kFirst, kLast>(both, weights, sums);
      return;
    }
    // The last step may have fewer positions than others.
    const size_t end = std::min(word_count, (first + plan.step_neurons) / kLineLanes);
    for (size_t w = first / kLineLanes; w < end; ++w) {
      AddSpikes<kFirst, kLast>(words[w], weights, sums);
      weights += 2 * kLineLanes * spike_size();
    }
  }

  // No lambda here: GCC does not always inline one, and the sums then leave their registers.
  template <class Weight>
  HWY_INLINE void SlideOver(const Weight* HWY_RESTRICT weights, int16_t* HWY_RESTRICT to) const {
    SlideSums<kRows, kRun> sums;
    size_t step = 0;
    if constexpr (kRun == 3) {
      if (plan.ends_outside) {
        AddStep<1, 3>(step++, weights, sums);
        sums.Slide(to, membrane_pitch);
        to += kLineLanes;
        for (; step + 1 < plan.steps; ++step, to += kLineLanes) {
          AddStep<0, 3>(step, weights, sums);
          sums.Slide(to, membrane_pitch);
        }
        AddStep<0, 2>(step++, weights, sums);
        sums.Slide(to, membrane_pitch);
        to += kLineLanes;
      }
    }
    for (; step < plan.steps; ++step, to += kLineLanes) {
      AddStep<0, kRun>(step, weights, sums);
      sums.Slide(to, membrane_pitch);
    }
    for (size_t x = 0; x + 1 < kRun; ++x, to += kLineLanes) sums.Slide(to, membrane_pitch);
  }

  SlidePlan plan;  // a copy that no store can change
  const uint64_t* HWY_RESTRICT words = nullptr;
  size_t word_count = 0;
  size_t membrane_pitch = 0;  // lanes from one target row to the next
};

template <size_t kRows, size_t kRun, bool kWhole, class Weight>
HWY_NOINLINE void SlideTileOver(const SlidePlan& plan, const SpikeFrame& frame, size_t row,
                                size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  const SlideTile<kRows, kRun, kWhole> tile{plan, frame.Row(row), frame.words_per_row,
                                            membrane_pitch};
  constexpr size_t kLanes = SlideSums<kRows, kRun>::kVectors * hn::MaxLanes(Lanes16());
  for (size_t offset = 0; offset < kLineLanes; offset += kLanes) {
    tile.SlideOver(weights + offset, membranes + offset);
  }
}

template <size_t kRows, size_t kRun, class Weight>
HWY_INLINE void SlideRun(const SlidePlan& plan, const SpikeFrame& frame, size_t row,
                         size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  if constexpr (kRows == 3) {  // most kernels, and their rows but those at the border
    if (plan.run == kRun && plan.tap_rows == kRows) {
      SlideTileOver<kRows, kRun, true>(plan, frame, row, membrane_pitch, weights, membranes);
      return;
    }
  }
  SlideTileOver<kRows, kRun, false>(plan, frame, row, membrane_pitch, weights, membranes);
}

template <size_t kRows, class Weight>
HWY_INLINE void SlideRows(const SlidePlan& plan, size_t run, const SpikeFrame& frame, size_t row,
                          size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  switch (run) {
    case 1:
      return SlideRun<kRows, 1>(plan, frame, row, membrane_pitch, weights, membranes);
    case 2:
      return SlideRun<kRows, 2>(plan, frame, row, membrane_pitch, weights, membranes);
    default:
      return SlideRun<kRows, 3>(plan, frame, row, membrane_pitch, weights, membranes);
  }
}

// The spikes of source row `row` into `rows` rows of one block, the first at `membranes`, whose
// weights begin at `weights`. Large kernels go tile by tile.
template <class Weight>
HWY_INLINE void SlideBlock(const SlidePlan& plan, const SpikeFrame& frame, size_t row, size_t rows,
                           size_t membrane_pitch, const Weight* weights, int16_t* membranes) {
  constexpr size_t kMost = 3;
  for (size_t y = 0; y < rows; y += kMost) {
    for (size_t line = 0; line < plan.run; line += kMost) {
      const size_t run = std::min<size_t>(kMost, plan.run - line);
      const Weight* from = weights + y * plan.tap_row_size() + line * kLineLanes;
      int16_t* to = membranes + y * membrane_pitch + plan.first_lane + line * kLineLanes;
      switch (rows - y) {
        case 1:
          SlideRows<1>(plan, run, frame, row, membrane_pitch, from, to);
          break;
        case 2:
          SlideRows<2>(plan, run, frame, row, membrane_pitch, from, to);
          break;
        default:
          SlideRows<3>(plan, run, frame, row, membrane_pitch, from, to);
          break;
      }
    }
  }
}

// The spikes that target row `row` waits for.
void ScatterDueRows(const RowScatter& kernel, EventInput& input, const EventTarget& target,
                    size_t row) {
  const MembraneLayout& layout = *target.layout;
  ForEachDueRow(
      kernel.rows, input, target.part, row,
      [&](size_t source, const ScatterRow& plan, size_t first, size_t last) HWY_ATTR {
        const size_t tap_row = plan.first_tap + (first - plan.first);
        CSSRUN_ASSERT(tap_row + (last - first) <= kernel.slide.tap_rows);
        CSSRUN_ASSERT(kernel.slide.end_lane() <= layout.row_lanes);
        for (size_t block = target.part.first_block; block < target.part.last_block; ++block) {
          const size_t weights =
              block * kernel.slide.block_size() + tap_row * kernel.slide.tap_row_size();
          int16_t* to = target.membranes + block * layout.block_lanes() + first * layout.row_lanes;
          if (const auto* wide = std::get_if<WideWeights>(&kernel.weights)) {
            SlideBlock(kernel.slide, *input.spikes, source, last - first, layout.row_lanes,
                       wide->get() + weights, to);
          } else {
            SlideBlock(kernel.slide, *input.spikes, source, last - first, layout.row_lanes,
                       std::get<NarrowWeights>(kernel.weights).get() + weights, to);
          }
        }
      });
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(ScatterDueRows);

EventFunctions<RowScatter> Resolve(const RowScatter&) {
  return {&PrepareNothing<RowScatter>, &HWY_DYNAMIC_DISPATCH(ScatterDueRows)};
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
