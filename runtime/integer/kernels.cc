// One layer at one step, for every instruction set: see accumulate-inl.h and fire-inl.h.
#include "runtime/integer/kernels.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/accumulate-inl.h"
#include "runtime/integer/depthwise-inl.h"
#include "runtime/integer/fire-inl.h"
#include "runtime/integer/gather-inl.h"
#include "runtime/integer/levels-inl.h"
#include "runtime/integer/round-inl.h"
#include "runtime/integer/settle-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Calls with the widest vector that one position fills.
template <class Run>
HWY_INLINE void WithLanesOf(const LaneLayout& layout, const Run& run) {
  // NOLINTNEXTLINE(bugprone-branch-clone): without vectors the three are one
  if (layout.lanes == 8) {
    run(hn::CappedTag<int16_t, 8>());
  } else if (layout.lanes == 16) {
    run(hn::CappedTag<int16_t, 16>());
  } else {
    run(hn::CappedTag<int16_t, kChunkLanes>());
  }
}

template <bool kRectify>
void Settle(const LayerStep& step, size_t row) {
  const IntegerLayer& layer = *step.layer;
  size_t spike_row = row;
  if (layer.pooled()) {
    spike_row = row / layer.pool_y.stride;
    const size_t member = row % layer.pool_y.stride;
    if (spike_row >= layer.spike_rows || member >= layer.pool_y.members) return;
    if (!layer.rounds_sums) RoundRow(step, row);
    if (member + 1 < layer.pool_y.members) return;
    row -= member;
    WithLanesOf(layer.layout, [&](auto d) HWY_ATTR { PoolRow(d, step, row); });
  } else if (!layer.rounds_sums) {
    RoundRow(step, row);
  }
  if constexpr (kRectify) {  // what most networks are
    switch (step.settled->timesteps) {
      case 3:
        return WriteDigits<true, 3>(step, row, spike_row);
      case 4:
        return WriteDigits<true, 4>(step, row, spike_row);
      case 5:
        return WriteDigits<true, 5>(step, row, spike_row);
      case 6:
        return WriteDigits<true, 6>(step, row, spike_row);
      default:
        break;
    }
  }
  WriteDigits<kRectify, 0>(step, row, spike_row);
}

template <GrowthKind kGrowth, bool kRectify>
void FireAndGrow(const LayerStep& step, size_t row) {
  const IntegerLayer& layer = *step.layer;
  if (step.settled != nullptr) {
    Settle<kRectify>(step, row);
    return;
  }
  if (step.spikes == nullptr) {
    GrowRow<kGrowth>(step, row);
    return;
  }
  if (!layer.pooled()) {
    FireRow<kGrowth, kRectify>(step, row);
    return;
  }
  // A pooled row fires with the last of its members' rows, before any of them grows.
  const size_t pool = row / layer.pool_y.stride;
  const size_t first = pool * layer.pool_y.stride;
  const bool last_member = row == first + layer.pool_y.members - 1;
  const bool beyond = pool >= layer.spike_rows || row >= first + layer.pool_y.members;
  if (last_member && pool < layer.spike_rows) {
    WithLanesOf(layer.layout,
                [&](auto d) HWY_ATTR { FirePooledRow<kGrowth, kRectify>(d, step, pool); });
    for (size_t member = first; member <= row; ++member) GrowRow<kGrowth>(step, member);
  }
  if (beyond) GrowRow<kGrowth>(step, row);
}

// Rounds what pixels bring to whole units; what that keeps back, at most a unit, grows as membranes
// do and comes with the next step.
void AddDirect(const LayerStep& step) {
  const IntegerLayer& layer = *step.layer;
  const hn::CappedTag<float, 16> df;
  const hn::Rebind<int32_t, decltype(df)> di32;
  const hn::Rebind<int16_t, decltype(df)> d;
  const size_t lanes = layer.map_lanes();
  const auto beta = hn::Set(df, step.growth.beta);
  const auto one = hn::Set(df, 1.0F);
  for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
    for (size_t row = step.part.first_row; row < step.part.last_row; ++row) {
      const size_t first = (block * layer.rows + row) * lanes;
      const float* HWY_RESTRICT direct = step.direct + first;
      float* HWY_RESTRICT owed = step.direct_owed + first;
      int16_t* HWY_RESTRICT membranes =
          step.membranes + block * layer.block_lanes() + row * layer.row_lanes + layer.guard_lanes;
      for (size_t i = 0; i < lanes; i += hn::Lanes(df)) {
        const auto wanted =
            hn::Add(hn::Mul(beta, hn::Load(df, owed + i)), hn::Load(df, direct + i));
        const auto whole = hn::NearestInt(wanted);
        const auto added = hn::DemoteTo(d, whole);
        const auto kept = hn::Sub(wanted, hn::ConvertTo(df, hn::PromoteTo(di32, added)));
        hn::Store(hn::Clamp(kept, hn::Neg(one), one), df, owed + i);
        hn::StoreU(hn::SaturatedAdd(hn::LoadU(d, membranes + i), added), d, membranes + i);
      }
    }
  }
}

// What is needed before membranes can take the spikes of synapses `s`.
HWY_NOINLINE void Prepare(LayerStep& step, size_t s) {
  const IntegerSynapses& synapses = step.layer->synapses[s];
  const SpikeFrame& frame = *step.inputs[s];
  // Each source row is counted with the target rows beside it.
  const size_t count = synapses.rows.size();
  const size_t rows = step.layer->rows;
  const size_t end = step.part.first_block == 0 ? step.part.last_row * count / rows : 0;
  for (size_t row = step.part.first_row * count / rows; row < end; ++row) {
    step.synops += CountSynops(synapses, frame, row);
  }
  if (synapses.kind == AccumulateKind::kGather) {
    ListSpikes(synapses, frame, step.part.first_row, step.part.last_row, step.lists[s]);
  }
}

// All that target row `row` waits for; `next` is the first source row that has not been added.
HWY_NOINLINE void Accumulate(const LayerStep& step, size_t s, size_t row, size_t& next) {
  const IntegerLayer& layer = *step.layer;
  const IntegerSynapses& synapses = layer.synapses[s];
  switch (synapses.kind) {
    case AccumulateKind::kLevels:
      if (step.settled != nullptr) {
        const bool joins = !layer.at_once || s != layer.first_levels;
        SumLevels(synapses, step, row, joins, *step.settled->inputs[s]);
      }
      return;
    case AccumulateKind::kGather:
      GatherRow(synapses, step, row, step.lists[s]);
      return;
    case AccumulateKind::kDepthwise:
      DepthwiseRow(synapses, layer, *step.inputs[s], row, step.membranes);
      return;
    case AccumulateKind::kIdentity:
      if (layer.settled) return;  // see Settle()
      break;
    case AccumulateKind::kRoll:
      break;
  }
  while (next < synapses.rows.size() && synapses.rows[next].due <= row) {
    AccumulateRow(synapses, step, *step.inputs[s], next++);
  }
}

// `sent` grows with the spikes; in the silent period it is zero.
template <GrowthKind kGrowth, bool kRectify>
void RunStep(LayerStep& step) {
  const IntegerLayer& layer = *step.layer;
  constexpr size_t kMostSynapses = 16;
  const size_t synapses_count = layer.synapses.size();
  if (step.direct != nullptr) AddDirect(step);
  size_t next[kMostSynapses] = {};
  const bool by_rows = synapses_count <= kMostSynapses;
  if (step.inputs != nullptr) {
    for (size_t s = 0; s < synapses_count; ++s) {
      Prepare(step, s);
      if (by_rows) continue;
      size_t next_row = 0;
      for (size_t row = step.part.first_row; row < step.part.last_row; ++row) {
        Accumulate(step, s, row, next_row);
      }
    }
  }
  if (layer.at_once && step.settled == nullptr) return;
  for (size_t row = step.part.first_row; row < step.part.last_row; ++row) {
    if (step.inputs != nullptr && by_rows) {
      // Row by row: membranes fire while they are in the first-level cache.
      for (size_t s = 0; s < synapses_count; ++s) Accumulate(step, s, row, next[s]);
    }
    FireAndGrow<kGrowth, kRectify>(step, row);
  }
}

void RunLayerStepTarget(LayerStep& step) {
  const bool rectify = step.layer->rectify;
  if (step.growth.beta == 2.0F) {
    return rectify ? RunStep<GrowthKind::kTwo, true>(step) : RunStep<GrowthKind::kTwo, false>(step);
  }
  if (step.growth.beta == 1.5F) {
    return rectify ? RunStep<GrowthKind::kOneAndHalf, true>(step)
                   : RunStep<GrowthKind::kOneAndHalf, false>(step);
  }
  return rectify ? RunStep<GrowthKind::kGeneral, true>(step)
                 : RunStep<GrowthKind::kGeneral, false>(step);
}

void FillLevelsTarget(std::span<const SpikeFrame> steps, LevelFrame& levels) {
  FillLevelsOf(steps, levels);
}

void EncodeRowTarget(const uint16_t* HWY_RESTRICT positive, const uint16_t* HWY_RESTRICT negative,
                     uint32_t neurons, uint32_t bit, size_t row, SpikeFrame& spikes) {
  const hn::CappedTag<uint16_t, kChunkLanes> d;
  const auto wanted = hn::Set(d, static_cast<uint16_t>(1U << bit));
  uint64_t* words = spikes.Row(row);
  for (size_t i = 0; i < neurons; i += hn::Lanes(d)) {
    WriteSpikes(d, hn::TestBit(hn::LoadU(d, positive + i), wanted),
                hn::TestBit(hn::LoadU(d, negative + i), wanted), i, words);
  }
}

void CountSpikesTarget(SpikeFrame& spikes) {
  const uint64_t* words = spikes.words.data();
  for (uint32_t& count : spikes.counts) {
    int sum = 0;
    for (size_t w = 0; w < spikes.words_per_row; ++w) sum += std::popcount(*words++);
    count = static_cast<uint32_t>(sum);
  }
}

// No fused multiply-add: the same bits on every machine.
void AddReadoutTarget(const float* HWY_RESTRICT weights, size_t stride, int32_t* counts,
                      size_t rows, float* HWY_RESTRICT logits) {
  const hn::CappedTag<float, 16> d;
  for (size_t row = 0; row < rows; ++row, weights += stride) {
    if (counts[row] == 0) continue;
    const auto count = hn::Set(d, static_cast<float>(counts[row]));
    counts[row] = 0;
    for (size_t k = 0; k < stride; k += hn::Lanes(d)) {
      const auto product = hn::Mul(count, hn::Load(d, weights + k));
      hn::StoreU(hn::Add(hn::LoadU(d, logits + k), product), d, logits + k);
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(RunLayerStepTarget);
HWY_EXPORT(CountSpikesTarget);
HWY_EXPORT(FillLevelsTarget);
HWY_EXPORT(EncodeRowTarget);
HWY_EXPORT(AddReadoutTarget);

Growth Growth::Of(float beta) {
  Growth growth;
  growth.beta = beta;
  growth.whole = static_cast<int>(beta);
  const float fraction = std::nearbyint((beta - static_cast<float>(growth.whole)) * 32768.0F);
  growth.fraction = static_cast<int16_t>(std::min(fraction, 32767.0F));
  return growth;
}

void RunLayerStep(LayerStep& step) { HWY_DYNAMIC_DISPATCH(RunLayerStepTarget)(step); }

void CountSpikes(SpikeFrame& spikes) { HWY_DYNAMIC_DISPATCH(CountSpikesTarget)(spikes); }

void FillLevels(std::span<const SpikeFrame> steps, LevelFrame& levels) {
  HWY_DYNAMIC_DISPATCH(FillLevelsTarget)(steps, levels);
}

void EncodeRow(const uint16_t* positive, const uint16_t* negative, uint32_t neurons, uint32_t bit,
               size_t row, SpikeFrame& spikes) {
  HWY_DYNAMIC_DISPATCH(EncodeRowTarget)(positive, negative, neurons, bit, row, spikes);
}

void AddReadout(const float* weights, size_t stride, std::span<int32_t> counts, float* logits) {
  HWY_DYNAMIC_DISPATCH(AddReadoutTarget)(weights, stride, counts.data(), counts.size(), logits);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
