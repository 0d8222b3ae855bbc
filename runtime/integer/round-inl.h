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
HWY_INLINE void SourceRows(const ShortcutRows& rows, size_t row, int64_t& first, int64_t& last) {
  const int64_t seen = static_cast<int64_t>(row) * rows.stride - rows.pad;
  first = std::max<int64_t>(0, seen * rows.divisor);
  last = std::min<int64_t>(rows.seen, (seen + 1) * rows.divisor);
}

// Adds what a shortcut brings to a target row to `real`.
inline void AddShortcut(const LayerStep& step, size_t synapses, size_t row) {
  const hn::CappedTag<float, 16> df;
  const IntegerLayer& layer = *step.layer;
  const IntegerSynapses& s = layer.synapses[synapses];
  const float weight = s.shortcut_weight;
  int64_t first = 0;
  int64_t last = 0;
  SourceRows(s.shortcut_rows, row, first, last);
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
    SourceRows(synapses.shortcut_rows, row, first, last);
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

// What makes z of the sums of some lanes of every column of a row.
struct RowRounding {
  // All lanes of a block; `lanes` of them are a column's.
  RowRounding(const IntegerLayer& layer, const RowExtras& row_extras, size_t block, size_t lanes)
      : scale(layer.inverse_scale.get() + block * kChunkLanes),
        bias(layer.settled_bias.get() + block * kChunkLanes),
        number(block * kChunkLanes),
        lane_pitch(lanes),
        number_pitch(lanes * layer.layout.blocks),
        extras(row_extras) {
    if (extras.real != nullptr) extras.real += block * layer.rows * layer.map_lanes();
  }

  RowRounding From(size_t lane) const {
    RowRounding from = *this;
    from.scale += lane;
    from.bias += lane;
    from.number += lane;
    if (from.extras.real != nullptr) from.extras.real += lane;
    return from;
  }

  const float* scale;
  const float* bias;
  size_t number;        // of the first column's in rows of levels
  size_t lane_pitch;    // from one column to the next
  size_t number_pitch;  // likewise
  RowExtras extras;     // `real` from the first column on
};

// z, rounded down, of a column's lanes from `lane` on.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<int16_t, D>> Rounded(D df, hn::Vec<D> sums, const RowRounding& row,
                                                   size_t column, size_t lane) {
  const hn::Rebind<int16_t, D> d16;
  const RowExtras& extras = row.extras;
  auto z = hn::Add(hn::Mul(sums, hn::LoadU(df, row.scale + lane)), hn::LoadU(df, row.bias + lane));
  if (extras.real != nullptr) {
    z = hn::Add(z, hn::LoadU(df, extras.real + column * row.lane_pitch + lane));
  }
  const size_t number = row.number + column * row.number_pitch + lane;
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
  const size_t chunks = layer.map_lanes() / kChunkLanes;
  const auto lowest = hn::Set(d16, std::numeric_limits<int16_t>::min());
  const bool marked = !layer.pool_y.apart || !layer.pool_x.apart;
  for (size_t block = 0; block < layer.layout.blocks; ++block) {
    int16_t* HWY_RESTRICT membranes =
        step.membranes + block * layer.block_lanes() + row * layer.row_lanes + layer.guard_lanes;
    const RowRounding rounding(layer, extras, block, kChunkLanes);
    for (size_t chunk = 0; chunk < chunks; ++chunk, membranes += kChunkLanes) {
      for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(df)) {
        // What is there means nothing where nothing is added.
        const auto there = hn::LoadU(d16, membranes + i);
        const auto sums =
            layer.has_sums ? hn::ConvertTo(df, hn::PromoteTo(d32, there)) : hn::Zero(df);
        auto whole = Rounded(df, sums, rounding, chunk, i);
        // Beyond the map.
        if (marked) whole = hn::IfThenElse(hn::Eq(there, lowest), lowest, whole);
        hn::StoreU(whole, d16, membranes + i);
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_ROUND_INL_H_
