// Neurons that have all of their input when the first spike leaves: beta = 2 and L >= T - 1.
//
// Then a train is nothing but the rounding of one number, z = (what came in) + (bias), to T signed
// digits, and all T spikes leave at once, with no membrane written in between. The sums of spikes
// are whole numbers in 16 bits, exact where weights are those of a quantized model; z is a float,
// so that biases, shortcuts and pixels need no rounding either. Networks of few steps need that:
// one neuron of a 3-bit ResNet-20 rounded otherwise changes three in the next layer, and after
// twenty layers a third of them.
#if defined(CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "hwy/highway.h"
#include "runtime/integer/fire-inl.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/levels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE uint64_t BitsOf(D df, hn::Mask<D> mask) {
  if constexpr (HWY_TARGET == HWY_SCALAR) {
    return static_cast<uint64_t>(hn::CountTrue(df, mask));
  } else {
    uint8_t bytes[8] = {};
    hn::StoreMaskBits(df, mask, bytes);
    uint64_t bits = 0;
    std::memcpy(&bits, bytes, sizeof(bits));
    return bits;
  }
}

// A word of each step's spikes.
struct SettledWords {
  template <class D>
  HWY_INLINE void Add(D df, uint32_t k, size_t first, hn::Mask<D> up, hn::Mask<D> down) {
    spikes[k] |= BitsOf(df, up) << first | BitsOf(df, down) << (first + kChunkLanes);
  }

  uint64_t spikes[kMostSettledSteps] = {};
};

// `taken` is the levels, negative.
template <class D>
HWY_INLINE void WriteLevels(D df, hn::Vec<D> taken, int8_t* levels) {
  // Floats of this size differ as their bits do, which costs a third of a conversion.
  const auto zero = hn::Set(df, 12582912.0F);
  const hn::RebindToSigned<D> d32;
  const auto whole = hn::Sub(hn::BitCast(d32, hn::Sub(zero, taken)), hn::BitCast(d32, zero));
  const hn::Rebind<int8_t, D> d8;
  hn::StoreU(hn::DemoteTo(d8, whole), d8, levels);
}

// All spikes of `kVectors` vectors of `z`, in amplitudes: the greedy digits of 2^(T-1), ... 2, 1.
// The vectors do not wait for each other. Returns in `taken` the sums of the digits, negative.
template <bool kRectify, size_t kVectors, class D, class Write>
HWY_INLINE void Digits(D df, uint32_t timesteps, const float* HWY_RESTRICT thresholds,
                       bool negative_spikes, hn::Vec<D>* z, hn::Vec<D>* taken, const Write& write) {
  for (size_t v = 0; v < kVectors; ++v) taken[v] = hn::Zero(df);
  // Without negative spikes nothing is below.
  const auto factor = hn::Set(df, negative_spikes ? -1.0F : -1e30F);
  for (uint32_t k = 0; k < timesteps; ++k) {
    const auto unit = hn::Set(df, static_cast<float>(1U << (timesteps - 1 - k)));
    const auto threshold = hn::Set(df, thresholds[k]);
    const auto lowest = hn::Mul(threshold, factor);
    HWY_UNROLL(2)
    for (size_t v = 0; v < kVectors; ++v) {
      if (kRectify && k == 0) {  // nothing is sent that could be taken back
        const auto up = hn::Ge(z[v], threshold);
        write(k, v, up, hn::FirstN(df, 0));
        z[v] = hn::Sub(z[v], hn::IfThenElseZero(up, unit));
        taken[v] = hn::IfThenElseZero(up, hn::Neg(unit));
        continue;
      }
      auto drive = z[v];
      if constexpr (kRectify) drive = hn::Max(z[v], taken[v]);
      const auto up = hn::Ge(drive, threshold);
      const auto down = hn::Le(drive, lowest);
      write(k, v, up, down);
      const auto digit = hn::Sub(hn::IfThenElseZero(up, unit), hn::IfThenElseZero(down, unit));
      z[v] = hn::Sub(z[v], digit);
      taken[v] = hn::Sub(taken[v], digit);
    }
  }
}

// What spikes brought, in amplitudes.
template <class D>
HWY_INLINE hn::Vec<D> Amplitudes(D df, const int16_t* membranes, const float* scale) {
  const hn::Rebind<int16_t, D> d16;
  const hn::Rebind<int32_t, D> d32;
  const auto sum = hn::ConvertTo(df, hn::PromoteTo(d32, hn::LoadU(d16, membranes)));
  return hn::Mul(sum, hn::LoadU(df, scale));
}

// The source levels of one row of an aligned shortcut.
struct ShortcutRow {
  const int8_t* levels;
  float weight;
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

// With as many steps as the layer has, or `kSteps` that the compiler knows.
template <bool kRectify, uint32_t kSteps>
HWY_NOINLINE void SettleRow(const LayerStep& step, size_t row) {
  const hn::CappedTag<float, 16> df;
  const IntegerLayer& layer = *step.layer;
  const SettledStep& settled = *step.settled;
  const uint32_t timesteps = kSteps > 0 ? kSteps : settled.timesteps;
  const size_t blocks = layer.layout.blocks;
  const size_t neurons = size_t{layer.columns} * layer.layout.stride();
  const size_t chunks = (neurons + kChunkLanes - 1) / kChunkLanes;
  const size_t columns = chunks / blocks;
  ShortcutRow shortcuts[kMostAlignedShortcuts];
  size_t shortcut_count = 0;
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
    shortcuts[shortcut_count++] = {settled.inputs[s]->Row(static_cast<size_t>(first)),
                                   synapses.shortcut_weight};
  }
  int8_t* levels = settled.levels == nullptr ? nullptr : settled.levels->Row(row);
  uint64_t* spikes[kMostSettledSteps];
  float thresholds[kMostSettledSteps];
  for (uint32_t k = 0; k < timesteps; ++k) {
    spikes[k] = settled.spikes[k]->Row(row);
    thresholds[k] = layer.settled_thresholds[k];
  }
  const bool negative_spikes = step.negative_spikes;
  const float* HWY_RESTRICT scale = layer.inverse_scale.get();
  const float* HWY_RESTRICT bias = layer.settled_bias.get();
  for (size_t block = 0; block < blocks; ++block) {
    const int16_t* membranes =
        step.membranes + block * layer.block_lanes() + row * layer.row_lanes + layer.guard_lanes;
    const float* real =
        step.real == nullptr ? nullptr : step.real + (block * layer.rows + row) * layer.map_lanes();
    for (size_t column = 0; column < columns; ++column) {
      const size_t chunk = column * blocks + block;
      constexpr size_t kVectors = 2;
      const size_t together = hn::Lanes(df) * kVectors;
      SettledWords words;
      for (size_t i = 0; i < kChunkLanes; i += together) {
        hn::Vec<decltype(df)> z[kVectors];
        hn::Vec<decltype(df)> taken[kVectors];
        for (size_t v = 0; v < kVectors; ++v) {
          const size_t first = i + v * hn::Lanes(df);
          const size_t lane = column * kChunkLanes + first;
          z[v] = Amplitudes(df, membranes + lane, scale + block * kChunkLanes + first);
          z[v] = hn::Add(z[v], hn::LoadU(df, bias + block * kChunkLanes + first));
          if (real != nullptr) z[v] = hn::Add(z[v], hn::LoadU(df, real + lane));
        }
        for (size_t s = 0; s < shortcut_count; ++s) {
          for (size_t v = 0; v < kVectors; ++v) {
            const size_t number = chunk * kChunkLanes + i + v * hn::Lanes(df);
            const auto value = ValueOf(df, shortcuts[s].levels + number);
            z[v] = hn::Add(z[v], hn::Mul(value, hn::Set(df, shortcuts[s].weight)));
          }
        }
        Digits<kRectify, kVectors>(df, timesteps, thresholds, negative_spikes, z, taken,
                                   [&](uint32_t k, size_t v, auto up, auto down) {
                                     const size_t first = i + v * hn::Lanes(df);
                                     if constexpr (hn::MaxLanes(df) >= 8) {
                                       WriteSpikes(df, up, down, first, spikes[k] + chunk);
                                     } else {
                                       words.Add(df, k, first, up, down);
                                     }
                                   });
        if (levels == nullptr) continue;
        for (size_t v = 0; v < kVectors; ++v) {
          WriteLevels(df, taken[v], levels + chunk * kChunkLanes + i + v * hn::Lanes(df));
        }
      }
      if constexpr (hn::MaxLanes(df) >= 8) continue;
      for (uint32_t k = 0; k < timesteps; ++k) spikes[k][chunk] = words.spikes[k];
    }
  }
  for (uint32_t k = 0; k < timesteps; ++k) {
    // Beyond the map's last neuron lies the guard, whose membranes mean nothing.
    if (neurons % kChunkLanes != 0) {
      const uint64_t exist = (uint64_t{1} << (neurons % kChunkLanes)) - 1;
      spikes[k][chunks - 1] &= exist | (exist << kChunkLanes);
    }
  }
  if (levels != nullptr) std::fill(levels + neurons, levels + chunks * kChunkLanes, int8_t{0});
}

// The pool's members are rounded together: the largest is what the pool sends.
template <bool kRectify, class D>
HWY_NOINLINE void SettlePooledRow(D df, const LayerStep& step, size_t pool) {
  const hn::Rebind<int16_t, D> d16;
  const IntegerLayer& layer = *step.layer;
  const SettledStep& settled = *step.settled;
  const size_t first_row = pool * layer.pool_y.stride;
  for (size_t s = 0; s < layer.synapses.size(); ++s) {
    if (layer.synapses[s].kind != AccumulateKind::kIdentity) continue;
    for (size_t y = 0; y < layer.pool_y.members; ++y) AddShortcut(step, s, first_row + y);
  }
  for (uint32_t k = 0; k < settled.timesteps; ++k) {
    std::fill_n(settled.spikes[k]->Row(pool), settled.spikes[k]->words_per_row, uint64_t{0});
  }
  const auto lowest = hn::Set(df, std::numeric_limits<float>::lowest());
  for (size_t column = 0; column < layer.spike_columns; ++column) {
    for (size_t block = 0; block < layer.layout.blocks; ++block) {
      for (size_t i = 0; i < layer.layout.lanes; i += hn::Lanes(df)) {
        const size_t parameter = block * kChunkLanes + i;
        auto top = lowest;
        for (size_t y = 0; y < layer.pool_y.members; ++y) {
          const size_t row = first_row + y;
          for (size_t x = 0; x < layer.pool_x.members; ++x) {
            const size_t lane = (column * layer.pool_x.stride + x) * layer.layout.lanes + i;
            const int16_t* member = step.membranes + block * layer.block_lanes() +
                                    row * layer.row_lanes + layer.guard_lanes + lane;
            auto z = Amplitudes(df, member, layer.inverse_scale.get() + parameter);
            if (step.real != nullptr) {
              const size_t at = (block * layer.rows + row) * layer.map_lanes() + lane;
              z = hn::Add(z, hn::LoadU(df, step.real + at));
            }
            // As low as can be: beyond the map.
            const hn::Rebind<int32_t, D> d32;
            const auto wide = hn::PromoteTo(d32, hn::LoadU(d16, member));
            const auto beyond = hn::Eq(wide, hn::Set(d32, std::numeric_limits<int16_t>::min()));
            top = hn::Max(top, hn::IfThenElse(hn::RebindMask(df, beyond), lowest, z));
          }
        }
        top = hn::Add(top, hn::LoadU(df, layer.settled_bias.get() + parameter));
        const size_t number = column * layer.layout.stride() + block * kChunkLanes + i;
        SettledWords words;
        auto taken = hn::Zero(df);
        Digits<kRectify, 1>(df, settled.timesteps, layer.settled_thresholds.data(),
                            step.negative_spikes, &top, &taken,
                            [&](uint32_t k, size_t, auto up, auto down) {
                              words.Add(df, k, number % kChunkLanes, up, down);
                            });
        for (uint32_t k = 0; k < settled.timesteps; ++k) {
          settled.spikes[k]->Row(pool)[number / kChunkLanes] |= words.spikes[k];
        }
        if (settled.levels != nullptr) WriteLevels(df, taken, settled.levels->Row(pool) + number);
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
