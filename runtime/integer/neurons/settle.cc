// Settled neurons for every instruction set: potentials, pools, digits. See settled.h.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "runtime/assert.h"
#include "runtime/integer/neurons/settled.h"
#include "runtime/neuron/settled.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/neurons/settle.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/neurons/potential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void RoundPotentialsTarget(const SettledRow& settled, const PotentialInputs& inputs, size_t row) {
  const hn::CappedTag<float, 16> df;
  const hn::Rebind<int16_t, decltype(df)> d16;
  const hn::RebindToSigned<decltype(df)> d32;
  const MembraneLayout& layout = *settled.layout;
  const size_t lines = layout.map_lanes() / kLineLanes;
  const bool has_sums = settled.neurons->sums != SettledSums::kNone;
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    int16_t* HWY_RESTRICT membranes = settled.membranes + layout.RowAt(block, row);
    const RowPotentials potentials(settled, inputs, block, kLineLanes);
    for (size_t line = 0; line < lines; ++line, membranes += kLineLanes) {
      for (size_t i = 0; i < kLineLanes; i += hn::Lanes(df)) {
        // Where nothing is summed, the membranes hold the image before.
        const auto sums = has_sums
                              ? hn::ConvertTo(df, hn::PromoteTo(d32, hn::LoadU(d16, membranes + i)))
                              : hn::Zero(df);
        hn::StoreU(Potentials(df, sums, potentials, line, i), d16, membranes + i);
      }
    }
  }
}

template <class D>
HWY_NOINLINE void PoolRow(D d, const MembraneLayout& layout, const LayerPools& pools,
                          const int16_t* HWY_RESTRICT membranes, size_t pool_row,
                          int16_t* HWY_RESTRICT largest) {
  const WindowAxis& y = pools.windows->y;
  const WindowAxis& x = pools.windows->x;
  const MembraneLayout pooled = PooledRowLayout(layout, pools);
  const size_t lanes = layout.lanes.lanes;
  const TapRange rows = y.TapsInside(static_cast<int64_t>(pool_row), layout.rows);
  for (size_t column = 0; column < pools.columns; ++column) {
    const auto at = static_cast<int64_t>(column);
    const TapRange columns = x.TapsInside(at, layout.columns);
    for (size_t block = 0; block < layout.lanes.blocks; ++block) {
      int16_t* to = largest + pooled.RowAt(block, 0) + column * lanes;
      for (size_t i = 0; i < lanes; i += hn::Lanes(d)) {
        auto top = hn::Set(d, std::numeric_limits<int16_t>::min());
        for (int64_t ky = rows.first; ky < rows.last; ++ky) {
          const auto row = static_cast<size_t>(y.SourceOf(static_cast<int64_t>(pool_row), ky));
          const int16_t* members = membranes + layout.RowAt(block, row) + i;
          for (int64_t kx = columns.first; kx < columns.last; ++kx) {
            top = hn::Max(top,
                          hn::LoadU(d, members + static_cast<size_t>(x.SourceOf(at, kx)) * lanes));
          }
        }
        hn::StoreU(top, d, to + i);
      }
    }
  }
}

void PoolPotentialsTarget(const MembraneLayout& layout, const LayerPools& pools,
                          const int16_t* membranes, size_t pool_row, int16_t* largest) {
  WithLanesOf(layout.lanes,
              [&](auto d) HWY_ATTR { PoolRow(d, layout, pools, membranes, pool_row, largest); });
}

// With as many steps as the target says, or `kSteps` that the compiler knows.
template <bool kRectify, uint32_t kSteps>
HWY_NOINLINE void WriteDigitsOf(const SettledRow& settled, const DigitsTarget& target, size_t row,
                                size_t spike_row) {
  const hn::CappedTag<int16_t, kLineLanes> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const MembraneLayout& layout = *settled.layout;
  const uint32_t timesteps = kSteps > 0 ? kSteps : target.timesteps;
  CSSRUN_ASSERT(timesteps == target.timesteps && timesteps <= kLongestSettledTrain);
  const size_t blocks = layout.lanes.blocks;
  const size_t neurons = target.columns * layout.lanes.stride();
  const size_t lines = RoundUpToLines(neurons) / kLineLanes;
  const size_t columns = lines / blocks;  // of lines; several positions where lanes < 32
  uint8_t* HWY_RESTRICT levels = target.levels == nullptr ? nullptr : target.levels->Row(spike_row);
  uint64_t* spikes[kLongestSettledTrain] = {};
  int16_t thresholds[kLongestSettledTrain];
  int16_t lowest[kLongestSettledTrain];  // nothing is below without negative spikes
  for (uint32_t k = 0; k < timesteps; ++k) {
    CSSRUN_ASSERT(target.spikes[k]->words_per_row == lines);
    spikes[k] = target.spikes[k]->Row(spike_row);
    thresholds[k] = settled.neurons->thresholds[k];
    const int below = target.negative_spikes ? -thresholds[k] - 1 : INT16_MIN;
    lowest[k] = static_cast<int16_t>(below);
  }
  const int fraction = SettledFraction(timesteps);
  const uint8_t zero_byte = target.levels == nullptr ? uint8_t{0} : target.levels->layout.zero;
  const auto zero = hn::Set(d, static_cast<int16_t>(zero_byte));
  const auto least = hn::Set(
      d, kRectify ? std::max<int16_t>(settled.neurons->lowest, 0) : settled.neurons->lowest);
  const auto most = hn::Set(d, settled.neurons->highest);
  for (size_t block = 0; block < blocks; ++block) {
    const int16_t* HWY_RESTRICT potentials = settled.membranes + layout.RowAt(block, row);
    for (size_t column = 0; column < columns; ++column) {
      const size_t line = column * blocks + block;
      for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
        auto z = hn::LoadU(d, potentials + column * kLineLanes + i);
        z = hn::Min(hn::Max(z, least), most);
        const auto all = z;
        for (uint32_t k = 0; k < timesteps; ++k) {
          const auto unit =
              hn::Set(d, static_cast<int16_t>(1U << (fraction + static_cast<int>(timesteps) - 1 -
                                                     static_cast<int>(k))));
          const auto up = hn::Gt(z, hn::Set(d, thresholds[k]));
          if (kRectify && k == 0) {  // nothing is sent that could be taken back
            WriteSpikes(d, up, hn::FirstN(d, 0), i, spikes[k] + line);
            z = hn::IfThenElse(up, hn::Sub(z, unit), z);
            continue;
          }
          const auto down = hn::Lt(z, hn::Set(d, lowest[k]));
          WriteSpikes(d, up, down, i, spikes[k] + line);
          z = hn::IfThenElse(up, hn::Sub(z, unit), z);
          z = hn::IfThenElse(down, hn::Add(z, unit), z);
        }
        if (levels == nullptr) continue;
        const auto sent = hn::ShiftRightSame(hn::Sub(all, z), fraction);
        hn::StoreU(hn::DemoteTo(d8, hn::Add(sent, zero)), d8, levels + line * kLineLanes + i);
      }
    }
  }
  // Beyond the map's last neuron lies the guard.
  for (uint32_t k = 0; k < timesteps; ++k) ClearMissingNeurons(neurons, spikes[k]);
  if (levels != nullptr) std::fill(levels + neurons, levels + lines * kLineLanes, zero_byte);
}

void WriteDigitsTarget(const SettledRow& settled, const DigitsTarget& target, size_t row,
                       size_t spike_row) {
  if (settled.rectify) {  // nearly all layers: loops of a known length
    switch (target.timesteps) {
      case 3:
        return WriteDigitsOf<true, 3>(settled, target, row, spike_row);
      case 4:
        return WriteDigitsOf<true, 4>(settled, target, row, spike_row);
      case 5:
        return WriteDigitsOf<true, 5>(settled, target, row, spike_row);
      case 6:
        return WriteDigitsOf<true, 6>(settled, target, row, spike_row);
      case 7:
        return WriteDigitsOf<true, 7>(settled, target, row, spike_row);
      case 8:
        return WriteDigitsOf<true, 8>(settled, target, row, spike_row);
      default:
        return WriteDigitsOf<true, 0>(settled, target, row, spike_row);
    }
  }
  WriteDigitsOf<false, 0>(settled, target, row, spike_row);
}

void WriteLevelsTarget(const SettledRow& settled, const LevelsTarget& target, size_t row,
                       size_t level_row) {
  const hn::CappedTag<int16_t, kLineLanes> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const MembraneLayout& layout = *settled.layout;
  const LevelRule& rule = *target.rule;
  const size_t blocks = layout.lanes.blocks;
  const size_t neurons = target.columns * layout.lanes.stride();
  const size_t lines = RoundUpToLines(neurons) / kLineLanes;
  const size_t columns = lines / blocks;  // of lines; several positions where lanes < 32
  uint8_t* HWY_RESTRICT levels = target.levels->Row(level_row);
  const auto offset = hn::Set(d, rule.offset);
  const auto least = hn::Set(d, rule.least);
  const auto most = hn::Set(d, rule.most);
  const auto zero = hn::Set(d, static_cast<int16_t>(rule.zero));
  for (size_t block = 0; block < blocks; ++block) {
    const int16_t* HWY_RESTRICT potentials = settled.membranes + layout.RowAt(block, row);
    for (size_t column = 0; column < columns; ++column) {
      uint8_t* HWY_RESTRICT to = levels + (column * blocks + block) * kLineLanes;
      for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
        const auto z = hn::LoadU(d, potentials + column * kLineLanes + i);
        auto level = hn::ShiftRightSame(hn::SaturatedAdd(z, offset), rule.fraction);
        level = hn::Min(hn::Max(level, least), most);
        hn::StoreU(hn::DemoteTo(d8, hn::Add(level, zero)), d8, to + i);
      }
    }
  }
  // Beyond the map's last neuron lies the guard.
  std::fill(levels + neurons, levels + lines * kLineLanes, rule.zero);
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(RoundPotentialsTarget);
HWY_EXPORT(PoolPotentialsTarget);
HWY_EXPORT(WriteDigitsTarget);
HWY_EXPORT(WriteLevelsTarget);

void RoundPotentials(const SettledRow& settled, const PotentialInputs& inputs, size_t row) {
  HWY_DYNAMIC_DISPATCH(RoundPotentialsTarget)(settled, inputs, row);
}

MembraneLayout PooledRowLayout(const MembraneLayout& layout, const LayerPools& pools) {
  MembraneLayout pooled;
  pooled.lanes = layout.lanes;
  pooled.rows = 1;
  pooled.columns = pools.columns;
  pooled.row_lanes = static_cast<uint32_t>(pooled.map_lanes());
  return pooled;
}

void PoolPotentials(const MembraneLayout& layout, const LayerPools& pools, const int16_t* membranes,
                    size_t pool_row, int16_t* largest) {
  CSSRUN_ASSERT(pools.windows.has_value() && pool_row < pools.rows);
  HWY_DYNAMIC_DISPATCH(PoolPotentialsTarget)(layout, pools, membranes, pool_row, largest);
}

void WriteDigits(const SettledRow& settled, const DigitsTarget& target, size_t row,
                 size_t spike_row) {
  HWY_DYNAMIC_DISPATCH(WriteDigitsTarget)(settled, target, row, spike_row);
}

void WriteLevels(const SettledRow& settled, const LevelsTarget& target, size_t row,
                 size_t level_row) {
  CSSRUN_ASSERT(target.rule->zero == target.levels->layout.zero);
  HWY_DYNAMIC_DISPATCH(WriteLevelsTarget)(settled, target, row, level_row);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
