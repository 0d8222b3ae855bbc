// Adds the levels of identities, for every instruction set: see level_shortcut.h.
#include "runtime/integer/kernels/level_shortcut/level_shortcut.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "runtime/assert.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/level_shortcut/level_shortcut.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/neurons/potential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void AddLevelShortcutTarget(const LevelShortcut& kernel, const LevelFrame& frame,
                            const MembraneLayout& layout, size_t row, float* floats) {
  const hn::CappedTag<float, 16> df;
  const auto weight = hn::Set(df, kernel.weight);
  const int32_t zero = frame.layout.zero;
  CSSRUN_ASSERT(kernel.runs.bounds.size() == layout.lanes.blocks + size_t{1});
  const SourceRows sources = SourceRowsOf(kernel, row);
  for (size_t source = sources.first; source < sources.last; ++source) {
    const uint8_t* levels = frame.Row(source);
    for (size_t block = 0; block < layout.lanes.blocks; ++block) {
      float* to_block = floats + layout.MapRowAt(block, row);
      for (size_t r = kernel.runs.bounds[block]; r < kernel.runs.bounds[block + 1]; ++r) {
        const ShortcutRun& run = kernel.runs.runs[r];
        float* HWY_RESTRICT to = to_block + run.lane;
        const uint8_t* from = levels + size_t{run.word} * kLineLanes + run.first;
        const auto count = static_cast<size_t>(std::popcount(run.mask));
        size_t i = 0;
        for (; i + hn::Lanes(df) <= count; i += hn::Lanes(df)) {
          const auto brought = hn::Mul(LevelsAsFloats(df, from + i, zero), weight);
          hn::StoreU(hn::Add(hn::LoadU(df, to + i), brought), df, to + i);
        }
        for (; i < count; ++i) to[i] += static_cast<float>(from[i] - zero) * kernel.weight;
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(AddLevelShortcutTarget);

SourceRows SourceRowsOf(const LevelShortcut& kernel, size_t row) {
  const int64_t seen = kernel.rows.SourceOf(static_cast<int64_t>(row), 0);
  const int64_t first = std::max<int64_t>(0, seen * kernel.row_divisor);
  const int64_t last = std::min<int64_t>(kernel.source_rows, (seen + 1) * kernel.row_divisor);
  if (first >= last) return {};
  return {static_cast<size_t>(first), static_cast<size_t>(last)};
}

bool CanCopy(const LevelShortcut& kernel, const LaneLayout& lanes) {
  if (kernel.row_divisor != 1) return false;
  for (size_t block = 0; block < lanes.blocks; ++block) {
    uint32_t end = 0;  // of the run before, in lanes
    for (size_t r = kernel.runs.bounds[block]; r < kernel.runs.bounds[block + 1]; ++r) {
      const ShortcutRun& run = kernel.runs.runs[r];
      const auto count = static_cast<uint32_t>(std::popcount(run.mask));
      if (run.lane < end) return false;
      if (lanes.blocks > 1 && run.lane % lanes.lanes + count > lanes.lanes) return false;
      end = run.lane + count;
    }
  }
  return true;
}

void CopyLevelShortcut(const LevelShortcut& kernel, const LevelFrame& levels,
                       const MembraneLayout& layout, size_t row, const ColumnRange& columns,
                       uint8_t* to) {
  const uint32_t lanes = layout.lanes.lanes;
  const size_t stride = layout.lanes.stride();
  const ColumnRange within = columns.Within(layout.columns);
  std::fill(to + within.first * stride, to + within.last * stride, levels.layout.zero);
  const SourceRows sources = SourceRowsOf(kernel, row);
  if (sources.first >= sources.last) return;
  CSSRUN_ASSERT(sources.first + 1 == sources.last);
  const uint8_t* from = levels.Row(sources.first);
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    const auto runs = std::span(kernel.runs.runs)
                          .subspan(kernel.runs.bounds[block],
                                   kernel.runs.bounds[block + 1] - kernel.runs.bounds[block]);
    uint8_t* const of_block = to + block * lanes;
    for (auto run = std::ranges::lower_bound(runs, within.first * lanes, {}, &ShortcutRun::lane);
         run != runs.end() && run->lane < within.last * lanes; ++run) {
      uint8_t* const place = of_block + run->lane / lanes * stride + run->lane % lanes;
      const uint8_t* const first = from + size_t{run->word} * kLineLanes + run->first;
      std::memcpy(place, first, static_cast<size_t>(std::popcount(run->mask)));
    }
  }
}

void AddLevelShortcut(const LevelShortcut& kernel, const LevelFrame& levels,
                      const MembraneLayout& layout, size_t row, float* floats) {
  HWY_DYNAMIC_DISPATCH(AddLevelShortcutTarget)(kernel, levels, layout, row, floats);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
