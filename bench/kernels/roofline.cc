#include "kernels/roofline.h"

#include <benchmark/benchmark.h>

#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/roofline.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kLanes = 8192;
constexpr size_t kRepeats = 64;

// Uses enough sums to hide the latency of an addition.
size_t LoadAndAddTarget() {
  const hn::ScalableTag<int16_t> d;
  const size_t lanes = hn::Lanes(d);
  // The values are not zeros, because untouched pages would all be one and the same page of zeros.
  alignas(64) static int16_t values[kLanes] = {1};
  benchmark::DoNotOptimize(values);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (size_t repeat = 0; repeat < kRepeats; ++repeat) {
    benchmark::ClobberMemory();
    const int16_t* HWY_RESTRICT from = values;
    for (size_t i = 0; i < kLanes; i += 8 * lanes, from += 8 * lanes) {
      s0 = hn::Add(s0, hn::Load(d, from));
      s1 = hn::Add(s1, hn::Load(d, from + lanes));
      s2 = hn::Add(s2, hn::Load(d, from + 2 * lanes));
      s3 = hn::Add(s3, hn::Load(d, from + 3 * lanes));
      s4 = hn::Add(s4, hn::Load(d, from + 4 * lanes));
      s5 = hn::Add(s5, hn::Load(d, from + 5 * lanes));
      s6 = hn::Add(s6, hn::Load(d, from + 6 * lanes));
      s7 = hn::Add(s7, hn::Load(d, from + 7 * lanes));
    }
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  hn::StoreU(sum, d, values);
  return kLanes * kRepeats;
}

size_t AddRowsTarget(const int16_t* HWY_RESTRICT table, const uint16_t* HWY_RESTRICT rows,
                     const uint32_t* bounds, size_t lists) {
  constexpr size_t kRowLanes = 64;
  const hn::CappedTag<int16_t, 32> d;
  const size_t lanes = hn::Lanes(d);
  alignas(64) int16_t sums[kRowLanes] = {};
  for (size_t first = 0; first < kRowLanes; first += 2 * lanes) {
    for (size_t list = 0; list < lists; ++list) {
      auto s0 = hn::Zero(d), s1 = s0;
      for (size_t i = bounds[list]; i < bounds[list + 1]; i += 4) {
        for (size_t j = 0; j < 4; ++j) {
          const int16_t* HWY_RESTRICT row = table + rows[i + j] * kRowLanes + first;
          s0 = hn::Add(s0, hn::Load(d, row));
          s1 = hn::Add(s1, hn::Load(d, row + lanes));
        }
      }
      hn::Store(hn::SaturatedAdd(s0, hn::Load(d, sums + first)), d, sums + first);
      hn::Store(hn::SaturatedAdd(s1, hn::Load(d, sums + first + lanes)), d, sums + first + lanes);
    }
  }
  benchmark::DoNotOptimize(sums);
  return (bounds[lists] - bounds[0]) * kRowLanes;
}

// Makes eight products in each iteration, which are enough sums to hide the latency. Each sum is a
// variable of its own, since GCC keeps arrays of vectors in memory.
#if CSSRUN_TARGET_VNNI
constexpr const char* kProductsVariant = "8-bit products (VNNI)";
using D8 = hn::ScalableTag<int8_t>;
using D32 = hn::ScalableTag<int32_t>;
using Operand = hn::Vec<D32>;
constexpr size_t kProducts = hn::MaxLanes(D8());  // products of one instruction

HWY_INLINE Operand LoadOperand(const int8_t* from) {
  return hn::BitCast(D32(), hn::Load(D8(), from));
}
HWY_INLINE void MultiplyAdd(Operand a, Operand b, hn::Vec<D32>& sum) {
  asm volatile("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
}
#else
constexpr const char* kProductsVariant = "16-bit pairs";
using D16 = hn::CappedTag<int16_t, internal::kLineLanes>;
using D32 = hn::RepartitionToWide<D16>;
using Operand = hn::Vec<D16>;
constexpr size_t kProducts = hn::MaxLanes(D16());

HWY_INLINE Operand LoadOperand(const int8_t* from) {
  return hn::PromoteTo(D16(), hn::Load(hn::Rebind<int8_t, D16>(), from));
}
// Hides the operand's value from the compiler, which would otherwise multiply equal operands only
// once, before the loop.
HWY_INLINE void Forget(Operand& operand) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  asm volatile("" : "+v"(operand.raw));
#else
  benchmark::DoNotOptimize(operand);
#endif
}
HWY_INLINE void MultiplyAdd(Operand a, Operand b, hn::Vec<D32>& sum) {
  Forget(a);
#if HWY_TARGET == HWY_SCALAR
  sum = hn::Add(sum, hn::Set(D32(), int32_t{hn::GetLane(a)} * hn::GetLane(b)));
#else
  auto odd = hn::Zero(D32());
  sum = hn::Add(sum, hn::ReorderWidenMulAccumulate(D32(), a, b, hn::Zero(D32()), odd));
#endif
}
#endif

template <bool kLoads>
HWY_INLINE size_t MultiplyBytesOf() {
  constexpr size_t kBytes = 4096;
  constexpr size_t kTurns = 2048;
  alignas(64) static int8_t weights[kBytes] = {1};
  benchmark::DoNotOptimize(weights);
  auto s0 = hn::Zero(D32()), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  Operand levels = LoadOperand(weights);
  Operand first = levels;
  Operand second = LoadOperand(weights + kProducts);
  for (size_t turn = 0; turn < kTurns; ++turn) {
    if constexpr (kLoads) {
      const int8_t* from = weights + turn * 2 * kProducts % kBytes;
      first = LoadOperand(from);
      second = LoadOperand(from + kProducts);
    }
    MultiplyAdd(levels, first, s0);
    MultiplyAdd(levels, second, s1);
    MultiplyAdd(first, levels, s2);
    MultiplyAdd(second, levels, s3);
    MultiplyAdd(first, first, s4);
    MultiplyAdd(second, second, s5);
    MultiplyAdd(first, second, s6);
    MultiplyAdd(second, first, s7);
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  int32_t lane = hn::GetLane(sum);
  benchmark::DoNotOptimize(lane);
  return kTurns * 8 * kProducts;
}

size_t MultiplyBytesTarget() { return MultiplyBytesOf<false>(); }
size_t LoadAndMultiplyBytesTarget() { return MultiplyBytesOf<true>(); }
const char* ByteProductsVariantTarget() { return kProductsVariant; }

size_t StreamFloatsTarget() {
  constexpr size_t kFloats = 2048;
  const hn::ScalableTag<float> d;
  alignas(64) static float from[kFloats] = {1};
  alignas(64) static float to[kFloats] = {1};
  const auto factor = hn::Set(d, 1.5F);
  const auto addend = hn::Set(d, 0.5F);
  for (size_t repeat = 0; repeat < kRepeats; ++repeat) {
    benchmark::ClobberMemory();
    for (size_t i = 0; i < kFloats; i += hn::Lanes(d)) {
      hn::Store(hn::Add(hn::Mul(hn::Load(d, from + i), factor), addend), d, to + i);
    }
  }
  benchmark::DoNotOptimize(to);
  return kFloats * kRepeats;
}

}  // namespace cssrun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun {
HWY_EXPORT(LoadAndAddTarget);
HWY_EXPORT(AddRowsTarget);
HWY_EXPORT(ByteProductsVariantTarget);
HWY_EXPORT(LoadAndMultiplyBytesTarget);
HWY_EXPORT(MultiplyBytesTarget);
HWY_EXPORT(StreamFloatsTarget);
size_t AddRowsOfTable(std::span<const int16_t> table, std::span<const uint16_t> rows,
                      std::span<const uint32_t> bounds) {
  return HWY_DYNAMIC_DISPATCH(AddRowsTarget)(table.data(), rows.data(), bounds.data(),
                                             bounds.size() - 1);
}
const char* ByteProductsVariant() { return HWY_DYNAMIC_DISPATCH(ByteProductsVariantTarget)(); }
size_t MultiplyBytes() { return HWY_DYNAMIC_DISPATCH(MultiplyBytesTarget)(); }
size_t LoadAndMultiplyBytes() { return HWY_DYNAMIC_DISPATCH(LoadAndMultiplyBytesTarget)(); }
size_t StreamFloats() { return HWY_DYNAMIC_DISPATCH(StreamFloatsTarget)(); }
size_t LoadAndAddLanes() { return HWY_DYNAMIC_DISPATCH(LoadAndAddTarget)(); }
}  // namespace cssrun
#endif
