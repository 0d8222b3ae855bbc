// Event neurons for every instruction set: see event_neurons.h.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "runtime/assert.h"
#include "runtime/integer/neurons/event_neurons.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/neurons/fire.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

enum class GrowthKind { kOneAndHalf, kTwo, kGeneral };

// beta * v, saturating.
template <GrowthKind kGrowth, class D, class V = hn::Vec<D>>
HWY_INLINE V Grow(D d, V v, const NeuronStep& step) {
  if constexpr (kGrowth == GrowthKind::kTwo) {
    return hn::SaturatedAdd(v, v);
  } else if constexpr (kGrowth == GrowthKind::kOneAndHalf) {
    // Halves are rounded down and up in turn, so that their errors cancel.
    const V odd = hn::Set(d, static_cast<int16_t>(step.round_up ? 1 : 0));
    return hn::SaturatedAdd(v, hn::ShiftRight<1>(hn::SaturatedAdd(v, odd)));
  } else {
    V sum = hn::MulFixedPoint15(v, hn::Set(d, step.growth.fraction));
    for (int i = 0; i < step.growth.whole; ++i) sum = hn::SaturatedAdd(sum, v);
    return sum;
  }
}

// Of the channels of one vector.
template <class D>
struct Parameters {
  HWY_INLINE Parameters(D d, const NeuronStep& step, size_t first)
      : exceed(hn::LoadU(d, step.firing->thresholds + first)),
        unit(hn::LoadU(d, step.firing->unit + first)),
        fall_below(step.negative_spikes ? hn::Neg(exceed) : hn::Set(d, INT16_MIN)),
        bias(step.biases == nullptr ? hn::Zero(d) : hn::LoadU(d, step.biases + first)) {}

  hn::Vec<D> exceed;
  hn::Vec<D> unit;
  hn::Vec<D> fall_below;  // nothing does without negative spikes
  hn::Vec<D> bias;
};

// What the neurons of one vector send.
template <class D>
struct Decision {
  HWY_INLINE Decision(const Parameters<D>& parameters, hn::Vec<D> drive)
      : up(hn::Gt(drive, parameters.exceed)),
        down(hn::Lt(drive, parameters.fall_below)),
        sent(hn::Sub(hn::IfThenElseZero(up, parameters.unit),
                     hn::IfThenElseZero(down, parameters.unit))) {}

  hn::Mask<D> up;
  hn::Mask<D> down;
  hn::Vec<D> sent;  // u, -u or 0
};

// A row without pools: fires and grows in one pass.
template <GrowthKind kGrowth, bool kRectify>
HWY_NOINLINE void FireRow(const NeuronStep& step, size_t row) {
  const MembraneLayout& layout = *step.layout;
  const hn::CappedTag<int16_t, kLineLanes> d;
  const size_t lanes = hn::Lanes(d);
  const size_t blocks = layout.lanes.blocks;
  const size_t neurons = size_t{layout.columns} * layout.lanes.stride();
  const size_t lines = (neurons + kLineLanes - 1) / kLineLanes;
  const size_t columns = lines / blocks;  // of lines; several positions where lanes < 32
  CSSRUN_ASSERT(kRectify == (step.sent != nullptr));
  CSSRUN_ASSERT(step.firing->spikes->words_per_row == lines);
  uint64_t* HWY_RESTRICT words = step.firing->spikes->Row(row);
  const NeuronStep grow = step;  // a copy that no store below can change
  for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
    for (size_t i = 0; i < kLineLanes; i += lanes) {
      const Parameters<decltype(d)> parameters(d, step, block * kLineLanes + i);
      int16_t* HWY_RESTRICT membranes = step.membranes + layout.RowAt(block, row) + i;
      size_t index = block * kLineLanes + i;
      int16_t* HWY_RESTRICT sent =
          kRectify ? step.sent + row * lines * kLineLanes + index : nullptr;
      for (size_t column = 0; column < columns; ++column) {
        auto m = hn::LoadU(d, membranes);
        auto g = hn::Zero(d);
        auto drive = m;
        if constexpr (kRectify) {
          g = hn::Load(d, sent);
          drive = hn::Max(m, hn::SaturatedSub(hn::Zero(d), g));
        }
        const Decision<decltype(d)> decision(parameters, drive);
        WriteSpikes(d, decision.up, decision.down, index, words);
        m = Grow<kGrowth>(d, hn::SaturatedSub(m, decision.sent), grow);
        hn::StoreU(hn::SaturatedAdd(m, parameters.bias), d, membranes);
        if constexpr (kRectify) {
          hn::Store(Grow<kGrowth>(d, hn::SaturatedAdd(g, decision.sent), grow), d, sent);
          sent += blocks * kLineLanes;
        }
        membranes += kLineLanes;
        index += blocks * kLineLanes;
      }
    }
  }
  ClearMissingNeurons(neurons, words);  // their membranes are the guard's
}

// The neurons of one pooled position in one block, `D` lanes at a time.
template <GrowthKind kGrowth, bool kRectify, class D>
HWY_INLINE void FirePool(D d, const NeuronStep& step, int16_t* members, int16_t* sent,
                         size_t parameter, size_t index, uint64_t* words) {
  const MembraneLayout& layout = *step.layout;
  const LayerPools& pools = *step.pools;
  auto m = hn::LoadU(d, members);
  for (size_t y = 0; y < pools.y.members; ++y) {
    for (size_t x = 0; x < pools.x.members; ++x) {
      m = hn::Max(m, hn::LoadU(d, members + y * layout.row_lanes + x * layout.lanes.lanes));
    }
  }
  auto g = hn::Zero(d);
  if constexpr (kRectify) {
    g = hn::LoadU(d, sent);
    m = hn::Max(m, hn::SaturatedSub(hn::Zero(d), g));
  }
  const Decision<D> decision(Parameters<D>(d, step, parameter), m);
  WriteSpikes(d, decision.up, decision.down, index, words);
  for (size_t y = 0; y < pools.y.members; ++y) {
    for (size_t x = 0; x < pools.x.members; ++x) {
      int16_t* member = members + y * layout.row_lanes + x * layout.lanes.lanes;
      hn::StoreU(hn::SaturatedSub(hn::LoadU(d, member), decision.sent), d, member);
    }
  }
  if constexpr (kRectify) {
    hn::StoreU(Grow<kGrowth>(d, hn::SaturatedAdd(g, decision.sent), step), d, sent);
  }
}

template <GrowthKind kGrowth, bool kRectify, class D>
HWY_INLINE void FirePooledRow(D d, const NeuronStep& step, size_t row) {
  const MembraneLayout& layout = *step.layout;
  const LayerPools& pools = *step.pools;
  CSSRUN_ASSERT(kRectify == (step.sent != nullptr));
  const size_t stride = layout.lanes.stride();
  int16_t* members = step.membranes + layout.RowAt(0, row * pools.y.stride);
  int16_t* sent = kRectify ? step.sent + row * pools.columns * stride : nullptr;
  uint64_t* words = step.firing->spikes->Row(row);
  // The last word may be one in part; if so, of the only block.
  if (layout.lanes.blocks == 1) words[step.firing->spikes->words_per_row - 1] = 0;
  for (size_t column = 0; column < pools.columns; ++column) {
    int16_t* position = members + column * pools.x.stride * layout.lanes.lanes;
    for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
      for (size_t i = 0; i < layout.lanes.lanes; i += hn::Lanes(d)) {
        const size_t index = column * stride + block * kLineLanes + i;
        FirePool<kGrowth, kRectify>(d, step, position + block * layout.block_lanes() + i,
                                    kRectify ? sent + index : nullptr, block * kLineLanes + i,
                                    index, words);
      }
    }
  }
}

// Every membrane of a row grows; what lies in the guards may do so too.
template <GrowthKind kGrowth>
HWY_NOINLINE void GrowRow(const NeuronStep& step, size_t row) {
  const MembraneLayout& layout = *step.layout;
  const hn::CappedTag<int16_t, kLineLanes> d;
  const size_t used = size_t{layout.columns} * layout.lanes.lanes;
  const NeuronStep grow = step;
  for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
    for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
      const auto bias =
          step.biases == nullptr ? hn::Zero(d) : hn::LoadU(d, step.biases + block * kLineLanes + i);
      int16_t* HWY_RESTRICT membranes = step.membranes + layout.RowAt(block, row);
      for (size_t at = i; at < used; at += kLineLanes) {
        const auto m = Grow<kGrowth>(d, hn::LoadU(d, membranes + at), grow);
        hn::StoreU(hn::SaturatedAdd(m, bias), d, membranes + at);
      }
    }
  }
}

template <GrowthKind kGrowth, bool kRectify>
void FireAndGrow(const NeuronStep& step, size_t row) {
  if (!step.firing.has_value()) {
    GrowRow<kGrowth>(step, row);
    return;
  }
  const LayerPools& pools = *step.pools;
  if (!pools.pooled()) {
    FireRow<kGrowth, kRectify>(step, row);
    return;
  }
  // A pool fires with the last of its members' rows, before any of them grows.
  const size_t pool = row / pools.y.stride;
  const size_t first = pool * pools.y.stride;
  const bool last_member = row == first + pools.y.members - 1;
  const bool beyond = pool >= pools.rows || row >= first + pools.y.members;
  if (last_member && pool < pools.rows) {
    WithLanesOf(step.layout->lanes,
                [&](auto d) HWY_ATTR { FirePooledRow<kGrowth, kRectify>(d, step, pool); });
    for (size_t member = first; member <= row; ++member) GrowRow<kGrowth>(step, member);
  }
  if (beyond) GrowRow<kGrowth>(step, row);
}

template <GrowthKind kGrowth>
void FireAndGrowOf(const NeuronStep& step, size_t row) {
  if (step.rectify) {
    FireAndGrow<kGrowth, true>(step, row);
  } else {
    FireAndGrow<kGrowth, false>(step, row);
  }
}

void FireRowTarget(const NeuronStep& step, size_t row) {
  if (step.growth.beta == 2.0F) {
    FireAndGrowOf<GrowthKind::kTwo>(step, row);
  } else if (step.growth.beta == 1.5F) {
    FireAndGrowOf<GrowthKind::kOneAndHalf>(step, row);
  } else {
    FireAndGrowOf<GrowthKind::kGeneral>(step, row);
  }
}

void AddPixelsTarget(const PixelPotentials& pixels, const MembraneLayout& layout,
                     const LayerPart& part, float growth, int16_t* all_membranes) {
  const hn::CappedTag<float, 16> df;
  const hn::Rebind<int32_t, decltype(df)> di32;
  const hn::Rebind<int16_t, decltype(df)> d;
  CSSRUN_ASSERT(pixels.carry != nullptr);
  const size_t lanes = layout.map_lanes();
  const auto beta = hn::Set(df, growth);
  const auto one = hn::Set(df, 1.0F);
  for (size_t block = part.first_block; block < part.last_block; ++block) {
    for (size_t row = part.first_row; row < part.last_row; ++row) {
      const size_t first = layout.MapRowAt(block, row);
      const float* HWY_RESTRICT potentials = pixels.potentials + first;
      float* HWY_RESTRICT carry = pixels.carry + first;
      int16_t* HWY_RESTRICT membranes = all_membranes + layout.RowAt(block, row);
      for (size_t i = 0; i < lanes; i += hn::Lanes(df)) {
        const auto wanted =
            hn::Add(hn::Mul(beta, hn::Load(df, carry + i)), hn::Load(df, potentials + i));
        const auto whole = hn::NearestInt(wanted);
        const auto added = hn::DemoteTo(d, whole);
        const auto kept = hn::Sub(wanted, hn::ConvertTo(df, hn::PromoteTo(di32, added)));
        hn::Store(hn::Clamp(kept, hn::Neg(one), one), df, carry + i);
        hn::StoreU(hn::SaturatedAdd(hn::LoadU(d, membranes + i), added), d, membranes + i);
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(FireRowTarget);
HWY_EXPORT(AddPixelsTarget);

Growth Growth::Of(float beta) {
  Growth growth;
  growth.beta = beta;
  growth.whole = static_cast<int>(beta);
  const float fraction = std::nearbyint((beta - static_cast<float>(growth.whole)) * 32768.0F);
  growth.fraction = static_cast<int16_t>(std::min(fraction, 32767.0F));
  return growth;
}

FireRowFunction ResolveFireRow() { return &HWY_DYNAMIC_DISPATCH(FireRowTarget); }

void AddPixels(const PixelPotentials& pixels, const MembraneLayout& layout, const LayerPart& part,
               float beta, int16_t* membranes) {
  HWY_DYNAMIC_DISPATCH(AddPixelsTarget)(pixels, layout, part, beta, membranes);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
