// Sums of LevelDepthwise for a group of channels, which become levels in registers: square windows
// of 3 or 5 columns at stride 1 or 2, of layers to whose sums nothing but the bias is added.
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
#include "runtime/integer/kernels/level_depthwise/products-inl.h"
#include "runtime/integer/neurons/level_rule.h"
#include "runtime/integer/neurons/potential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

// Some channels of a row. Target column x at tap kx reads the levels at
//
//     rows.rows[ky] + (x * stride + kx) * position
template <size_t kSide>
struct DepthwiseGroup {
  const LevelDepthwise* kernel = nullptr;
  GroupRows<kSide> rows;
  size_t position = 0;           // bytes from one source column to the next
  size_t block = 0;              // of the first channel
  size_t lane = 0;               // likewise
  const float* start = nullptr;  // by channel: what zero brings that is no level
  const float* scale = nullptr;  // by channel: settled units per unit
  const float* bias = nullptr;   // by channel, in settled units
  bool rectify = false;
  const LevelRule* rule = nullptr;
  uint8_t* levels = nullptr;   // of the first channel at target column 0
  size_t target_position = 0;  // bytes from one target column to the next
};

// Turns the sums of a group into levels. In the order of operations of StoreNeurons().
template <class P, class D32>
struct GroupLevels {
  using D = hn::RebindToFloat<D32>;
  using D16 = hn::Repartition<int16_t, D32>;

  template <size_t kSide>
  explicit HWY_INLINE GroupLevels(const DepthwiseGroup<kSide>& group)
      : rectify(group.rectify), fraction(group.rule->fraction) {
    const LevelRule& rule = *group.rule;
    HWY_UNROLL(4)
    for (size_t v = 0; v < kGroupVectors; ++v) {
      scale[v] = P::Parameter(group.scale, v);
      bias[v] = P::Parameter(group.bias, v);
    }
    offset = hn::Set(D16(), rule.offset);
    least = hn::Set(D16(), rule.least);
    most = hn::Set(D16(), rule.most);
    zero = hn::Set(D16(), static_cast<int16_t>(rule.zero));
  }

  HWY_INLINE hn::Vec<D32> Potential(typename P::Sum sum, size_t v) const {
    const auto z = hn::Add(hn::Mul(P::AsFloats(sum), scale[v]), bias[v]);
    return Truncated(D(), rectify ? z : hn::Floor(z));
  }
  HWY_INLINE hn::Vec<D16> Levels(hn::Vec<D16> potentials) const {
    const auto level = hn::ShiftRightSame(hn::SaturatedAdd(potentials, offset), fraction);
    return hn::Add(hn::Min(hn::Max(level, least), most), zero);
  }
  HWY_INLINE void Store(const typename P::Sum (&sums)[kGroupVectors], uint8_t* to) const {
    const auto first = Levels(NarrowBlocks(D16(), Potential(sums[0], 0), Potential(sums[1], 1)));
    const auto last = Levels(NarrowBlocks(D16(), Potential(sums[2], 2), Potential(sums[3], 3)));
    P::StoreLevels(first, last, to);
  }

  hn::Vec<D> scale[kGroupVectors];
  hn::Vec<D> bias[kGroupVectors];
  hn::Vec<D16> offset;
  hn::Vec<D16> least;
  hn::Vec<D16> most;
  hn::Vec<D16> zero;
  bool rectify;
  int fraction;
};

// Source columns go by once: each is loaded for all windows that see it, of which the oldest is
// complete with the first column of a stride.
template <class P, class D32, size_t kSide, size_t kStride>
HWY_NOINLINE void SumGroup(const DepthwiseGroup<kSide>& group, const ColumnRange& columns) {
  constexpr size_t kOpen = kSeenBy<kSide, kStride>;
  static_assert((kSide - 1) % kStride == 0 && kStride <= 2);
  const GroupRows<kSide> rows = group.rows;  // copies that no store can change
  const GroupLevels<P, D32> neurons(group);
  const typename P::template Weights<kSide> weights(*group.kernel, rows, group.block, group.lane);
  typename P::Sum start[kGroupVectors];
  typename P::Sum sums[kOpen][kGroupVectors];
  HWY_UNROLL(4)
  for (size_t v = 0; v < kGroupVectors; ++v) start[v] = P::Start(group.start, v);
  HWY_UNROLL(5)
  for (size_t j = 0; j < kOpen; ++j) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kGroupVectors; ++v) sums[j][v] = start[v];
  }
  const size_t position = group.position;
  const size_t target_position = group.target_position;
  size_t offset = columns.first * kStride * position;
  uint8_t* to = group.levels + columns.first * target_position;
  const size_t steps = columns.last - columns.first + kOpen - 1;
  for (size_t step = 0;;) {
    P::template AddColumn<kSide, kStride, 0>(rows, offset, weights, sums);
    offset += position;
    if (step >= kOpen - 1) {
      neurons.Store(sums[kOpen - 1], to);
      to += target_position;
    }
    if (++step == steps) return;
    if constexpr (kStride == 2) {
      P::template AddColumn<kSide, kStride, 1>(rows, offset, weights, sums);
      offset += position;
    }
    HWY_UNROLL(5)
    for (size_t j = kOpen - 1; j > 0; --j) {
      HWY_UNROLL(4)
      for (size_t v = 0; v < kGroupVectors; ++v) sums[j][v] = sums[j - 1][v];
    }
    HWY_UNROLL(4)
    for (size_t v = 0; v < kGroupVectors; ++v) sums[0][v] = start[v];
  }
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_GROUPS_INL_H_
