// Keeps what neurons sent, for every instruction set: see dead_zone.h.
#include "runtime/integer/neurons/dead_zone.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "runtime/assert.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/neurons/dead_zone.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D16 = hn::CappedTag<int16_t, kLineLanes>;
using V16 = hn::Vec<D16>;
using M16 = hn::Mask<D16>;

// Whether z is near enough to `carried`. Differences beyond 16 bits are beyond every limit.
HWY_INLINE M16 IsNear(V16 z, V16 carried, V16 limit) {
  const auto difference = hn::SaturatedSub(z, carried);
  const auto distance = hn::Max(difference, hn::SaturatedSub(hn::Zero(D16()), difference));
  return hn::Not(hn::Gt(distance, limit));
}

// What the digits of potentials carry: the same greedy choice as WriteDigits().
struct Greedy {
  HWY_INLINE V16 Carried(V16 z) const {
    const D16 d;
    z = hn::Min(hn::Max(z, hn::Set(d, least)), hn::Set(d, most));
    const V16 all = z;
    for (uint32_t k = 0; k < timesteps; ++k) {
      const auto unit = hn::Set(d, static_cast<int16_t>(1 << (first_bit - static_cast<int>(k))));
      const auto up = hn::Gt(z, hn::Set(d, thresholds[k]));
      z = hn::IfThenElse(up, hn::Sub(z, unit), z);
      if (!negative || (rectify && k == 0)) continue;
      const auto below = hn::Set(d, static_cast<int16_t>(-thresholds[k] - 1));
      const auto down = hn::AndNot(up, hn::Lt(z, below));
      z = hn::IfThenElse(down, hn::Add(z, unit), z);
    }
    return hn::Sub(all, z);
  }
  uint32_t timesteps;
  int first_bit;  // of the first spike's unit
  const int16_t* thresholds;
  int16_t least, most;
  bool rectify, negative;
};

// Some lines of a block of a layer that sends levels alone. `kept`: the levels of its first line;
// lines of the block are `pitch` levels apart.
HWY_NOINLINE void KeepOfLevels(const uint8_t* HWY_RESTRICT kept, size_t pitch, size_t lines,
                               int16_t zero, int fraction, int16_t limit,
                               int16_t* HWY_RESTRICT potentials) {
  const D16 d;
  const hn::Rebind<uint8_t, D16> d8;
  const auto level_zero = hn::Set(d, zero);
  const auto largest = hn::Set(d, limit);
  for (size_t line = 0; line < lines; ++line, kept += pitch, potentials += kLineLanes) {
    for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
      const auto z = hn::LoadU(d, potentials + i);
      const auto level = hn::Sub(hn::PromoteTo(d, hn::LoadU(d8, kept + i)), level_zero);
      const auto carried = hn::ShiftLeftSame(level, fraction);
      hn::StoreU(hn::IfThenElse(IsNear(z, carried, largest), carried, z), d, potentials + i);
    }
  }
}

// The same of a layer that writes digits; both arrays begin with the first line.
HWY_NOINLINE void KeepOfDigits(const Greedy& greedy, int16_t* HWY_RESTRICT sent,
                               int16_t* HWY_RESTRICT carried, size_t pitch, size_t lines,
                               int16_t limit, int16_t* HWY_RESTRICT potentials) {
  const D16 d;
  const auto largest = hn::Set(d, limit);
  for (size_t line = 0; line < lines; ++line) {
    for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
      const auto z = hn::LoadU(d, potentials + i);
      const auto last = hn::LoadU(d, carried + i);
      const auto near = IsNear(z, last, largest);
      const auto now = hn::IfThenElse(near, hn::LoadU(d, sent + i), z);
      hn::StoreU(hn::IfThenElse(near, last, greedy.Carried(z)), d, carried + i);
      hn::StoreU(now, d, sent + i);
      hn::StoreU(now, d, potentials + i);
    }
    sent += pitch;
    carried += pitch;
    potentials += kLineLanes;
  }
}

void KeepLevelsTarget(const SettledRow& settled, const DeadZone& zone, size_t row, size_t sent_row,
                      const ColumnRange& range) {
  const MembraneLayout& layout = *settled.layout;
  const SettledNeurons& neurons = *settled.neurons;
  const size_t blocks = layout.lanes.blocks;
  const LineRange columns = LinesOf(range, zone.columns, layout.lanes);
  const size_t lines = columns.last - columns.first;
  const int fraction = SettledFraction(zone.timesteps);
  const size_t row_lanes = RoundUpToLines(zone.columns * layout.lanes.stride());
  const size_t pitch = blocks * kLineLanes;
  for (size_t block = 0; block < blocks; ++block) {
    int16_t* potentials = settled.membranes + layout.RowAt(block, row) + columns.first * kLineLanes;
    const size_t first = (columns.first * blocks + block) * kLineLanes;
    if (zone.levels != nullptr) {
      KeepOfLevels(zone.levels->Row(sent_row) + first, pitch, lines, zone.levels->layout.zero,
                   fraction, zone.limit, potentials);
      continue;
    }
    const Greedy greedy{zone.timesteps,
                        fraction + static_cast<int>(zone.timesteps) - 1,
                        neurons.thresholds.data(),
                        settled.rectify ? std::max<int16_t>(neurons.lowest, 0) : neurons.lowest,
                        neurons.highest,
                        settled.rectify,
                        zone.negative_spikes};
    const size_t place = sent_row * row_lanes + first;
    KeepOfDigits(greedy, zone.potentials + place, zone.carried + place, pitch, lines, zone.limit,
                 potentials);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(KeepLevelsTarget);

void KeepLevels(const SettledRow& settled, const DeadZone& zone, size_t row, size_t sent_row,
                const ColumnRange& columns) {
  CSSRUN_ASSERT(zone.levels != nullptr || (zone.potentials != nullptr && zone.carried != nullptr));
  HWY_DYNAMIC_DISPATCH(KeepLevelsTarget)(settled, zone, row, sent_row, columns);
}

int16_t DeadZoneLimit(double levels, uint32_t timesteps) {
  CSSRUN_ASSERT(levels >= 0);
  // Potentials beyond 16 bits, which hold twice that, are then beyond the limit of every level.
  const double most = std::ldexp(1, static_cast<int>(timesteps)) - 1;
  const double units = std::ldexp(0.5 + std::min(levels, most), SettledFraction(timesteps));
  return static_cast<int16_t>(std::floor(units));
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
