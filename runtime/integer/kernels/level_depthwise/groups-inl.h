// Sums of LevelDepthwise for a group of channels, which become levels in registers: for square
// windows of 3 or 5 columns at stride 1 or 2, in layers that add only the bias to their sums.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_GROUPS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_GROUPS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_GROUPS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_GROUPS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels/level_depthwise/neon-inl.h"
#include "runtime/integer/kernels/level_depthwise/products-inl.h"
#include "runtime/integer/neurons/level_rule.h"
#include "runtime/integer/neurons/potential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

// Some channels of a row of target columns, or all channels of several neighbouring columns at
// stride 1. A vector of target columns at tap kx reads the levels at
//
//     rows.rows[ky] + (first source column of the vector + kx) * position
template <size_t kSide>
struct DepthwiseGroup {
  const LevelDepthwise* kernel = nullptr;
  GroupRows<kSide> rows;
  GroupChannels channels;
  size_t position = 0;           // bytes from one source column to the next
  const float* start = nullptr;  // by channel: what zero brings that is no level; null: nothing
  const float* scale = nullptr;  // by channel: settled units per unit
  const float* bias = nullptr;   // by channel, in settled units
  bool in_bytes = false;         // weights fit bytes, and the machine multiplies them
  bool rectify = false;
  const LevelRule* rule = nullptr;
  uint8_t* levels = nullptr;   // of the first channel at target column 0
  LevelBounds bounds = {};     // written, too, unless empty
  size_t target_position = 0;  // bytes from one vector of target columns to the next

  // Whether levels need no clamp and no potential is rounded down below zero.
  bool IsPlain() const { return rectify && rule->fills_byte(); }
  // Leaves out the first ones, of a block. `levels` stays.
  void SkipChannels(size_t count) {
    for (const uint8_t*& row : rows.rows) row += count;
    channels.lane += count;
    if (start != nullptr) start += count;
    scale += count;
    bias += count;
  }
};

// Turns the sums of a group into levels. In the order of operations of StoreNeurons().
template <class P, class D32, bool kPlain>
struct GroupLevels {
  using D = hn::RebindToFloat<D32>;
  using D16 = hn::Repartition<int16_t, D32>;

  template <size_t kSide>
  explicit HWY_INLINE GroupLevels(const DepthwiseGroup<kSide>& group) {
    const LevelRule& rule = *group.rule;
    HWY_UNROLL(4)
    for (size_t v = 0; v < P::kVectors; ++v) {
      scale[v] = P::Parameter(group.scale, group.channels, v);
      bias[v] = P::Parameter(group.bias, group.channels, v);
    }
    offset = hn::Set(D16(), static_cast<int16_t>(kPlain ? rule.offset_to_byte() : rule.offset));
    least = hn::Set(D16(), rule.least);
    most = hn::Set(D16(), rule.most);
    zero = hn::Set(D16(), static_cast<int16_t>(rule.zero));
  }

  HWY_INLINE hn::Vec<D32> Potential(typename P::Sum sum, size_t v, bool rectify) const {
    const auto z = hn::Add(hn::Mul(P::AsFloats(sum), scale[v]), bias[v]);
    return TruncatedToNarrow(D(), kPlain || rectify ? z : hn::Floor(z));
  }
  HWY_INLINE hn::Vec<D16> Levels(hn::Vec<D16> potentials, int fraction) const {
    const auto level = hn::ShiftRightSame(hn::SaturatedAdd(potentials, offset), fraction);
    if constexpr (kPlain) return level;
    return hn::Add(hn::Min(hn::Max(level, least), most), zero);
  }
  HWY_INLINE void Store(const typename P::Sum (&sums)[P::kVectors], bool rectify, int fraction,
                        uint8_t* to, const LevelRule& rule, const LevelBounds& bounds) const {
    const auto first = NarrowBlocks(D16(), Potential(sums[0], 0, rectify),  //
                                    Potential(sums[1], 1, rectify));
    if constexpr (P::kVectors == 2) {
      P::StoreLevels(Levels(first, fraction), to);
      if (bounds.empty()) return;
      StoreBounds(rule, bounds, to, [&](int16_t added, uint8_t* bound) HWY_ATTR {
        P::StoreLevels(NarrowLevelsBy(D16(), first, rule, added), bound);
      });
    } else {
      const auto last = NarrowBlocks(D16(), Potential(sums[2], 2, rectify),  //
                                     Potential(sums[3], 3, rectify));
      P::StoreLevels(Levels(first, fraction), Levels(last, fraction), to);
      if (bounds.empty()) return;
      StoreBounds(rule, bounds, to, [&](int16_t added, uint8_t* bound) HWY_ATTR {
        P::StoreLevels(NarrowLevelsBy(D16(), first, rule, added),
                       NarrowLevelsBy(D16(), last, rule, added), bound);
      });
    }
  }
  // Calls store(added, bound) for both bounds of the levels at `to`.
  template <class StoreBy>
  static HWY_INLINE void StoreBounds(const LevelRule& rule, const LevelBounds& bounds, uint8_t* to,
                                     const StoreBy& store) {
    store(bounds.LowestOffset(rule.fraction), to + bounds.apart);
    store(bounds.HighestOffset(), to + 2 * bounds.apart);
  }

  hn::Vec<D> scale[P::kVectors];
  hn::Vec<D> bias[P::kVectors];
  hn::Vec<D16> offset;
  hn::Vec<D16> least;
  hn::Vec<D16> most;
  hn::Vec<D16> zero;
};

// Adds source columns kTap and on of a step, as far as a window sees them, up to the one that
// completes the oldest window or the last one.
template <class P, size_t kSide, size_t kStep, size_t kTap, size_t kLast>
HWY_INLINE void AddColumns(const GroupRows<kSide>& rows, size_t offset, size_t position,
                           const typename P::template Weights<kSide>& weights,
                           typename P::Sum (&sums)[kSeenBy<kSide, kStep>][P::kVectors]) {
  if constexpr (kTap < kLast) {
    P::template AddColumn<kSide, kStep, kTap>(rows, offset, weights, sums);
    AddColumns<P, kSide, kStep, kTap + 1, kLast>(rows, offset + position, position, weights, sums);
  }
}

// `steps` vectors of target columns from source column `first` on. Each source column is loaded
// once, for all windows that see it. `kStep`: source columns from one vector to the next.
template <class P, class D32, size_t kSide, size_t kStep, bool kPlain>
HWY_NOINLINE void SumGroup(const DepthwiseGroup<kSide>& group, size_t first, size_t steps,
                           uint8_t* to) {
  constexpr size_t kOpen = kSeenBy<kSide, kStep>;
  constexpr size_t kCompletes = (kSide - 1) % kStep + 1;  // columns of a step
  constexpr size_t kSeen = kStep < kSide ? kStep : kSide;
  const GroupRows<kSide> rows = group.rows;  // copies that no store can change
  GroupLevels<P, D32, kPlain> neurons(group);
  typename P::template Weights<kSide> weights(*group.kernel, rows, group.channels);
  typename P::Sum start[P::kVectors];
  typename P::Sum sums[kOpen][P::kVectors];
  HWY_UNROLL(4)
  for (size_t v = 0; v < P::kVectors; ++v) start[v] = P::Start(group.start, group.channels, v);
  HWY_UNROLL(5)
  for (size_t j = 0; j < kOpen; ++j) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < P::kVectors; ++v) sums[j][v] = start[v];
  }
  const size_t position = group.position;
  const size_t target_position = group.target_position;
  const bool rectify = group.rectify;
  const int fraction = group.rule->fraction;
  size_t offset = first * position;
  steps += kOpen - 1;
  for (size_t step = 0;;) {
    // Keeps these values in memory, from where instructions can use them; registers are for sums.
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
    asm("" : "+m"(start), "+m"(neurons));
    if constexpr (!P::template kKeepsWeights<kSide>) asm("" : "+m"(weights));
#endif
    AddColumns<P, kSide, kStep, 0, kCompletes>(rows, offset, position, weights, sums);
    if (step >= kOpen - 1) {
      neurons.Store(sums[kOpen - 1], rectify, fraction, to, *group.rule, group.bounds);
      to += target_position;
    }
    if (++step == steps) return;
    AddColumns<P, kSide, kStep, kCompletes, kSeen>(rows, offset + kCompletes * position, position,
                                                   weights, sums);
    offset += kStep * position;
    HWY_UNROLL(5)
    for (size_t j = kOpen - 1; j > 0; --j) {
      HWY_UNROLL(4)
      for (size_t v = 0; v < P::kVectors; ++v) sums[j][v] = sums[j - 1][v];
    }
    HWY_UNROLL(4)
    for (size_t v = 0; v < P::kVectors; ++v) sums[0][v] = start[v];
  }
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_GROUPS_INL_H_
