// The neuron equation in 16 bits: fire, subtract, grow.
//
// Kept per neuron: M, the residual (what came in less what was sent), and G, what was sent (the
// residual form of TSA-ReLU, appendix A.7): o = max(M, -G), a spike where |o| reaches the
// threshold, M -= u, G += u. A pool's members share G; since max over members of max(h, 0) - G is
// max(max M, -G), every member loses what the pool sends.
#if defined(CSSRUN_RUNTIME_INTEGER_FIRE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_FIRE_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_FIRE_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_FIRE_INL_H_
#endif

#include <bit>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

enum class GrowthKind { kOneAndHalf, kTwo, kGeneral };

// beta * v, saturating.
template <GrowthKind kGrowth, class D, class V = hn::Vec<D>>
HWY_INLINE V Grow(D d, V v, const LayerStep& step) {
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

// Writes which lanes fire into a row of words; `number` is that of the first lane.
template <class D, class M>
HWY_INLINE void WriteSpikes(D d, M up, M down, size_t number, uint64_t* words) {
  if constexpr (HWY_TARGET == HWY_SCALAR) {
    const size_t bit = number % kChunkLanes;
    uint64_t& word = words[number / kChunkLanes];
    if (bit == 0) word = 0;
    word |= static_cast<uint64_t>(hn::CountTrue(d, up)) << bit;
    word |= static_cast<uint64_t>(hn::CountTrue(d, down)) << (kChunkLanes + bit);
  } else {
    auto* bytes = reinterpret_cast<uint8_t*>(words + number / kChunkLanes);
    bytes += number % kChunkLanes / 8;
    hn::StoreMaskBits(d, up, bytes);
    hn::StoreMaskBits(d, down, bytes + sizeof(uint32_t));
  }
}

// Of the channels of one vector.
template <class D>
struct Parameters {
  HWY_INLINE Parameters(D d, const LayerStep& step, size_t first)
      : exceed(hn::LoadU(d, step.thresholds + first)),
        unit(hn::LoadU(d, step.layer->unit.get() + first)),
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
HWY_NOINLINE void FireRow(const LayerStep& step, size_t row) {
  const IntegerLayer& layer = *step.layer;
  const hn::CappedTag<int16_t, kChunkLanes> d;
  const size_t lanes = hn::Lanes(d);
  const size_t blocks = layer.layout.blocks;
  const size_t neurons = size_t{layer.columns} * layer.layout.stride();
  const size_t chunks = (neurons + kChunkLanes - 1) / kChunkLanes;
  const size_t columns = chunks / blocks;  // of chunks; several positions where lanes < 32
  uint64_t* HWY_RESTRICT words = step.spikes->Row(row);
  const LayerStep grow = step;  // a copy that no store below can change
  for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
    for (size_t i = 0; i < kChunkLanes; i += lanes) {
      const Parameters<decltype(d)> parameters(d, step, block * kChunkLanes + i);
      int16_t* HWY_RESTRICT membranes = step.membranes + block * layer.block_lanes() +
                                        row * layer.row_lanes + layer.guard_lanes + i;
      size_t number = block * kChunkLanes + i;
      int16_t* HWY_RESTRICT sent =
          kRectify ? step.sent + row * chunks * kChunkLanes + number : nullptr;
      for (size_t column = 0; column < columns; ++column) {
        auto m = hn::LoadU(d, membranes);
        auto g = hn::Zero(d);
        auto drive = m;
        if constexpr (kRectify) {
          g = hn::Load(d, sent);
          drive = hn::Max(m, hn::SaturatedSub(hn::Zero(d), g));
        }
        const Decision<decltype(d)> decision(parameters, drive);
        WriteSpikes(d, decision.up, decision.down, number, words);
        m = Grow<kGrowth>(d, hn::SaturatedSub(m, decision.sent), grow);
        hn::StoreU(hn::SaturatedAdd(m, parameters.bias), d, membranes);
        if constexpr (kRectify) {
          hn::Store(Grow<kGrowth>(d, hn::SaturatedAdd(g, decision.sent), grow), d, sent);
          sent += blocks * kChunkLanes;
        }
        membranes += kChunkLanes;
        number += blocks * kChunkLanes;
      }
    }
  }
  // Beyond the map's last neuron lies the guard, whose membranes mean nothing.
  if (neurons % kChunkLanes != 0) {
    const uint64_t exist = (uint64_t{1} << (neurons % kChunkLanes)) - 1;
    words[chunks - 1] &= exist | (exist << kChunkLanes);
  }
}

// The neurons of one pooled position in one block, `D` lanes at a time.
template <GrowthKind kGrowth, bool kRectify, class D>
HWY_INLINE void FirePool(D d, const LayerStep& step, int16_t* members, int16_t* sent,
                         size_t parameter, size_t number, uint64_t* words) {
  const IntegerLayer& layer = *step.layer;
  auto m = hn::LoadU(d, members);
  for (size_t y = 0; y < layer.pool_y.members; ++y) {
    for (size_t x = 0; x < layer.pool_x.members; ++x) {
      m = hn::Max(m, hn::LoadU(d, members + y * layer.row_lanes + x * layer.layout.lanes));
    }
  }
  auto g = hn::Zero(d);
  if constexpr (kRectify) {
    g = hn::LoadU(d, sent);
    m = hn::Max(m, hn::SaturatedSub(hn::Zero(d), g));
  }
  const Decision<D> decision(Parameters<D>(d, step, parameter), m);
  WriteSpikes(d, decision.up, decision.down, number, words);
  for (size_t y = 0; y < layer.pool_y.members; ++y) {
    for (size_t x = 0; x < layer.pool_x.members; ++x) {
      int16_t* member = members + y * layer.row_lanes + x * layer.layout.lanes;
      hn::StoreU(hn::SaturatedSub(hn::LoadU(d, member), decision.sent), d, member);
    }
  }
  if constexpr (kRectify) {
    hn::StoreU(Grow<kGrowth>(d, hn::SaturatedAdd(g, decision.sent), step), d, sent);
  }
}

template <GrowthKind kGrowth, bool kRectify, class D>
HWY_INLINE void FirePooledRow(D d, const LayerStep& step, size_t row) {
  const IntegerLayer& layer = *step.layer;
  const size_t stride = layer.layout.stride();
  int16_t* members =
      step.membranes + row * layer.pool_y.stride * layer.row_lanes + layer.guard_lanes;
  int16_t* sent = kRectify ? step.sent + row * layer.spike_columns * stride : nullptr;
  uint64_t* words = step.spikes->Row(row);
  // The last word may be one in part; if so, of the only block.
  if (layer.layout.blocks == 1) words[step.spikes->words_per_row - 1] = 0;
  for (size_t column = 0; column < layer.spike_columns; ++column) {
    int16_t* position = members + column * layer.pool_x.stride * layer.layout.lanes;
    for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
      for (size_t i = 0; i < layer.layout.lanes; i += hn::Lanes(d)) {
        const size_t number = column * stride + block * kChunkLanes + i;
        FirePool<kGrowth, kRectify>(d, step, position + block * layer.block_lanes() + i,
                                    kRectify ? sent + number : nullptr, block * kChunkLanes + i,
                                    number, words);
      }
    }
  }
}

// Every membrane of a row grows; what lies in the guards may do so too.
template <GrowthKind kGrowth>
HWY_NOINLINE void GrowRow(const LayerStep& step, size_t row) {
  const IntegerLayer& layer = *step.layer;
  const hn::CappedTag<int16_t, kChunkLanes> d;
  const size_t used = size_t{layer.columns} * layer.layout.lanes;
  const LayerStep grow = step;
  for (size_t block = step.part.first_block; block < step.part.last_block; ++block) {
    for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
      const auto bias = step.biases == nullptr
                            ? hn::Zero(d)
                            : hn::LoadU(d, step.biases + block * kChunkLanes + i);
      int16_t* HWY_RESTRICT membranes =
          step.membranes + block * layer.block_lanes() + row * layer.row_lanes + layer.guard_lanes;
      for (size_t at = i; at < used; at += kChunkLanes) {
        const auto m = Grow<kGrowth>(d, hn::LoadU(d, membranes + at), grow);
        hn::StoreU(hn::SaturatedAdd(m, bias), d, membranes + at);
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_FIRE_INL_H_
