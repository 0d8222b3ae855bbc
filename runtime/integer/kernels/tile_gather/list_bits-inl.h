// Lists the spikes of a word.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_LIST_BITS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_LIST_BITS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_LIST_BITS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_LIST_BITS_INL_H_
#endif

#include <bit>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/bit_lists.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Indices16 = hn::CappedTag<uint16_t, kLineLanes>;

#if HWY_TARGET == HWY_SCALAR
// Appends `first` + k for each bit k of `half` and returns the end.
HWY_INLINE uint16_t* ListBits(uint32_t half, uint16_t first, uint16_t* HWY_RESTRICT out) {
  for (; half != 0; half &= half - 1) {
    *out++ = static_cast<uint16_t>(first + std::countr_zero(half));
  }
  return out;
}

// The same for the spikes of a whole word; negative ones count from `first` + 32.
HWY_INLINE uint16_t* ListWord(uint32_t positive, uint32_t negative, uint16_t first,
                              uint16_t* HWY_RESTRICT out) {
  for (uint32_t any = positive | negative; any != 0; any &= any - 1) {
    const int bit = std::countr_zero(any);
    const bool down = (negative >> bit & 1) != 0;
    *out++ = static_cast<uint16_t>(first + bit + (down ? kLineLanes : 0));
  }
  return out;
}

#elif CSSRUN_TARGET_AVX512
HWY_INLINE uint16_t* ListBits(uint32_t half, uint16_t first, uint16_t* HWY_RESTRICT out) {
  const Indices16 d;
  for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
    const auto mask = hn::RebindMask(d, MaskOf(half, i));
    hn::StoreU(hn::Compress(hn::Iota(d, static_cast<uint16_t>(first + i)), mask), d, out);
    out += std::popcount(static_cast<uint32_t>(half >> i << (32 - hn::Lanes(d))));
  }
  return out;
}

HWY_INLINE uint16_t* ListWord(uint32_t positive, uint32_t negative, uint16_t first,
                              uint16_t* HWY_RESTRICT out) {
  const Indices16 d;
  const uint32_t any = positive | negative;
  for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
    const auto indices = hn::Iota(d, static_cast<uint16_t>(first + i));
    const auto down = hn::RebindMask(d, MaskOf(negative, i));
    const auto shift = hn::IfThenElseZero(down, hn::Set(d, uint16_t{kLineLanes}));
    const auto spikes = hn::RebindMask(d, MaskOf(any, i));
    hn::StoreU(hn::Compress(hn::Add(indices, shift), spikes), d, out);
    out += std::popcount(static_cast<uint32_t>(any >> i << (32 - hn::Lanes(d))));
  }
  return out;
}

#else
// Without an instruction that compresses, Highway 1.0.3 looks shuffles up in a table that GCC
// copies to the stack at each call. A table of the lists themselves needs no shuffle.
HWY_INLINE uint16_t* ListBits(uint32_t half, uint16_t first, uint16_t* HWY_RESTRICT out) {
  const hn::CappedTag<uint16_t, 8> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  HWY_UNROLL(4)
  for (uint32_t i = 0; i < kLineLanes; i += 8) {
    const uint32_t byte = half >> i & 0xFF;
    const auto bits = hn::PromoteTo(d, hn::Load(d8, kBitLists.bits[byte]));
    hn::StoreU(hn::Add(bits, hn::Set(d, static_cast<uint16_t>(first + i))), d, out);
    out += kBitLists.counts[byte];
  }
  return out;
}

HWY_INLINE uint16_t* ListWord(uint32_t positive, uint32_t negative, uint16_t first,
                              uint16_t* HWY_RESTRICT out) {
  if (negative == 0) return ListBits(positive, first, out);
  const hn::CappedTag<uint16_t, 8> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const auto down = hn::Set(d8, uint8_t{kLineLanes});
  const uint32_t any = positive | negative;
  HWY_UNROLL(4)
  for (uint32_t i = 0; i < kLineLanes; i += 8) {
    const uint32_t byte = any >> i & 0xFF;
    const auto shift = hn::IfThenElseZero(MaskOf(d8, negative, i), down);
    const auto list = hn::Load(d8, kBitLists.bits[byte]);
    const auto bits = hn::PromoteTo(d, hn::Add(list, hn::TableLookupBytes(shift, list)));
    hn::StoreU(hn::Add(bits, hn::Set(d, static_cast<uint16_t>(first + i))), d, out);
    out += kBitLists.counts[byte];
  }
  return out;
}
#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_LIST_BITS_INL_H_
