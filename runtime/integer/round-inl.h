// What a settled neuron rounds: z = (what spikes brought) + (bias) + (pixels) + (shortcuts), in
// settled units. In float, in this order, without fused multiply-adds: the same bits everywhere.
#if defined(CSSRUN_RUNTIME_INTEGER_ROUND_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_ROUND_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_ROUND_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_ROUND_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The source levels of one row of an aligned shortcut.
struct ShortcutRow {
  const int8_t* levels = nullptr;
  float weight = 0;
};

// What lanes get through a shortcut, before its weight.
template <class D>
HWY_INLINE hn::Vec<D> ValueOf(D df, const int8_t* levels) {
  const hn::Rebind<int8_t, D> d8;
  const hn::Rebind<int32_t, D> d32;
  return hn::ConvertTo(df, hn::PromoteTo(d32, hn::LoadU(d8, levels)));
}

// The rows of a source that a shortcut brings to a target row: none or some neighbours.
HWY_INLINE void SourceRows(const ShortcutRows& rows, size_t row, size_t source_rows, int64_t& first,
                           int64_t& last) {
  const int64_t seen = static_cast<int64_t>(row) * rows.stride - rows.pad;
  first = std::max<int64_t>(0, seen * rows.divisor);
  last = std::min<int64_t>(static_cast<int64_t>(source_rows), (seen + 1) * rows.divisor);
}

// Adds what a shortcut brings to a target row to `real`.
inline void AddShortcut(const LayerStep& step, size_t synapses, size_t row) {
  const hn::CappedTag<float, 16> df;
  const IntegerLayer& layer = *step.layer;
  const IntegerSynapses& s = layer.synapses[synapses];
  const float weight = s.shortcut_weight;
  int64_t first = 0;
  int64_t last = 0;
  SourceRows(s.shortcut_rows, row, s.rows.size(), first, last);
  for (int64_t source = first; source < last; ++source) {
    const int8_t* levels = step.settled->inputs[synapses]->Row(static_cast<size_t>(source));
    for (const ShortcutPiece& piece : s.pieces) {
      const size_t block = piece.lane / layer.block_lanes();
      const size_t lane = piece.lane % layer.block_lanes() - layer.guard_lanes;
      float* HWY_RESTRICT real = step.real + (block * layer.rows + row) * layer.map_lanes() + lane;
      const int8_t* from = levels + size_t{piece.word} * kChunkLanes + piece.first;
      const auto count = static_cast<size_t>(std::popcount(piece.mask));  // they are neighbours
      size_t i = 0;
      for (; i + hn::Lanes(df) <= count; i += hn::Lanes(df)) {
        const auto brought = hn::Mul(ValueOf(df, from + i), hn::Set(df, weight));
        hn::StoreU(hn::Add(hn::LoadU(df, real + i), brought), df, real + i);
      }
      for (; i < count; ++i) real[i] += static_cast<float>(from[i]) * weight;
    }
  }
}

// What a row gets besides sums and bias.
struct RowExtras {
  const float* real = nullptr;  // of block 0; null: nothing
  bool rectify = false;
  ShortcutRow shortcuts[kMostAlignedShortcuts];
  size_t shortcut_count = 0;
};

// Adds to `step.real` what comes through shortcuts that are not aligned.
inline RowExtras ExtrasOf(const LayerStep& step, size_t row) {
  const IntegerLayer& layer = *step.layer;
  RowExtras extras;
  if (step.real != nullptr) extras.real = step.real + row * layer.map_lanes();
  extras.rectify = layer.rectify;
  for (size_t s = 0; s < layer.synapses.size(); ++s) {
    const IntegerSynapses& synapses = layer.synapses[s];
    if (synapses.kind != AccumulateKind::kIdentity) continue;
    if (!synapses.aligned) {
      AddShortcut(step, s, row);
      continue;
    }
    int64_t first = 0;
    int64_t last = 0;
    SourceRows(synapses.shortcut_rows, row, synapses.rows.size(), first, last);
    if (first >= last) continue;
    const int8_t* levels = step.settled->inputs[s]->Row(static_cast<size_t>(first));
    extras.shortcuts[extras.shortcut_count++] = {levels, synapses.shortcut_weight};
  }
  return extras;
}

// What is beyond 16 bits is so afterwards.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> Truncated(D df, hn::Vec<D> z) {
  z = hn::Min(z, hn::Set(df, 65535.0F));
#if HWY_TARGET <= HWY_AVX3
  // Highway 1.0 adds four instructions for what is beyond 32 bits.
  return hn::Vec<hn::RebindToSigned<D>>{_mm512_cvttps_epi32(z.raw)};
#else
  return hn::ConvertTo(hn::RebindToSigned<D>(), z);
#endif
}

// z, rounded down, of lanes that have got sums and bias; `real` of these lanes is null if there is
// none, `number` is the first lane's in a row of levels.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<int16_t, D>> Rounded(D df, hn::Vec<D> z, const RowExtras& extras,
                                                   const float* real, size_t number) {
  const hn::Rebind<int16_t, D> d16;
  if (real != nullptr) z = hn::Add(z, hn::LoadU(df, real));
  for (size_t s = 0; s < extras.shortcut_count; ++s) {
    const auto value = ValueOf(df, extras.shortcuts[s].levels + number);
    z = hn::Add(z, hn::Mul(value, hn::Set(df, extras.shortcuts[s].weight)));
  }
  // Truncated is enough for a rectifier: what is below zero is its own affair.
  return hn::DemoteTo(d16, Truncated(df, extras.rectify ? z : hn::Floor(z)));
}

// Puts z of a row where its sums were.
inline HWY_NOINLINE void RoundRow(const LayerStep& step, size_t row) {
  const hn::CappedTag<float, 16> df;
  const hn::Rebind<int16_t, decltype(df)> d16;
  const hn::RebindToSigned<decltype(df)> d32;
  const IntegerLayer& layer = *step.layer;
  const RowExtras extras = ExtrasOf(step, row);
  const size_t blocks = layer.layout.blocks;
  const size_t lanes = layer.map_lanes();
  const auto lowest = hn::Set(d16, std::numeric_limits<int16_t>::min());
  const bool marked = !layer.pool_y.apart || !layer.pool_x.apart;
  for (size_t block = 0; block < blocks; ++block) {
    int16_t* HWY_RESTRICT membranes =
        step.membranes + block * layer.block_lanes() + row * layer.row_lanes + layer.guard_lanes;
    const float* HWY_RESTRICT real =
        extras.real == nullptr ? nullptr : extras.real + block * layer.rows * lanes;
    for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(df)) {
      const size_t parameter = block * kChunkLanes + i;
      const auto scale = hn::Load(df, layer.inverse_scale.get() + parameter);
      const auto bias = hn::Load(df, layer.settled_bias.get() + parameter);
      for (size_t at = i; at < lanes; at += kChunkLanes) {
        auto z = bias;
        const auto sum = hn::LoadU(d16, membranes + at);  // not there where nothing is added
        if (layer.has_sums) {
          z = hn::Add(hn::Mul(hn::ConvertTo(df, hn::PromoteTo(d32, sum)), scale), bias);
        }
        auto whole = Rounded(df, z, extras, real == nullptr ? nullptr : real + at,
                             (at - i) * blocks + parameter);
        // Beyond the map.
        if (marked) whole = hn::IfThenElse(hn::Eq(sum, lowest), lowest, whole);
        hn::StoreU(whole, d16, membranes + at);
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_ROUND_INL_H_
