#include "kernels/roofline.h"

#include <benchmark/benchmark.h>

#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/roofline.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/runs-inl.h"

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

// Instructions that multiply bytes. Operands are hidden from the compiler where it knows the
// instruction: it would multiply equal ones only once, before the loop.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
template <class V>
HWY_INLINE void Forget(V& operand) {
  asm volatile("" : "+v"(operand.raw));
}
#else
template <class V>
HWY_INLINE void Forget(V& operand) {
  benchmark::DoNotOptimize(operand);
}
#endif

#if CSSRUN_TARGET_VNNI || CSSRUN_TARGET_MAY_HAVE_AVX_VNNI
struct Vnni {
#if CSSRUN_TARGET_VNNI
  static constexpr const char* kName = "8-bit products (VNNI)";
#else
  static constexpr const char* kName = "8-bit products (AVX-VNNI)";
#endif
  using D8 = hn::ScalableTag<int8_t>;
  using DSum = hn::ScalableTag<int32_t>;
  using Operand = hn::Vec<DSum>;
  static constexpr size_t kProducts = hn::MaxLanes(D8());  // of one instruction

  static HWY_INLINE Operand Load(const int8_t* from) {
    return hn::BitCast(DSum(), hn::Load(D8(), from));
  }
  static HWY_INLINE void MultiplyAdd(Operand a, Operand b, hn::Vec<DSum>& sum) {
#if CSSRUN_TARGET_VNNI
    asm volatile("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
#else
    asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.raw) : "x"(a.raw), "x"(b.raw));
#endif
  }
};
#endif

#if CSSRUN_TARGET_VNNI
using Multiplication = Vnni;
#elif CSSRUN_TARGET_BYTE_PAIRS
// As if 16 bits held any number of products.
struct Multiplication {
  static constexpr const char* kName = "8-bit products in 16-bit sums";
  using Runs = internal::HWY_NAMESPACE::ByteRuns;
  using DSum = Runs::D16;
  using Operand = Runs::V;
  static constexpr size_t kProducts = hn::MaxLanes(Runs::D8());

  static HWY_INLINE Operand Load(const int8_t* from) { return Runs::LoadWeights(from, 0); }
  static HWY_INLINE void MultiplyAdd(Operand a, Operand b, hn::Vec<DSum>& sum) {
    Forget(a);
    sum = hn::Add(sum, Runs::Products(a, b));
  }
};
// Where 16 bits hold two products and no more: each pair goes on to 32 bits at once.
struct PairMultiplication {
  using Runs = internal::HWY_NAMESPACE::ByteRuns;
  using DSum = Runs::D;
  using Operand = Runs::V;
  static constexpr size_t kProducts = Multiplication::kProducts;

  static HWY_INLINE Operand Load(const int8_t* from) { return Runs::LoadWeights(from, 0); }
  static HWY_INLINE void MultiplyAdd(Operand a, Operand b, hn::Vec<DSum>& sum) {
    Forget(a);
    const auto one = hn::Set(Runs::D16(), int16_t{1});
    sum = hn::Add(sum, Runs::PairSums(Runs::Products(a, b), one));
  }
};
#else
struct Multiplication {
  static constexpr const char* kName = "16-bit pairs";
  using D16 = hn::CappedTag<int16_t, internal::kLineLanes>;
  using DSum = hn::RepartitionToWide<D16>;
  using Operand = hn::Vec<D16>;
  static constexpr size_t kProducts = hn::MaxLanes(D16());

  static HWY_INLINE Operand Load(const int8_t* from) {
    return hn::PromoteTo(D16(), hn::Load(hn::Rebind<int8_t, D16>(), from));
  }
  static HWY_INLINE void MultiplyAdd(Operand a, Operand b, hn::Vec<DSum>& sum) {
    Forget(a);
#if HWY_TARGET == HWY_SCALAR
    sum = hn::Add(sum, hn::Set(DSum(), int32_t{hn::GetLane(a)} * hn::GetLane(b)));
#else
    auto odd = hn::Zero(DSum());
    sum = hn::Add(sum, hn::ReorderWidenMulAccumulate(DSum(), a, b, hn::Zero(DSum()), odd));
#endif
  }
};
#endif

// Makes eight products in each iteration, which are enough sums to hide the latency. Each sum is a
// variable of its own, since GCC keeps arrays of vectors in memory.
template <class M, bool kLoads>
HWY_INLINE size_t MultiplyBytesOf() {
  constexpr size_t kBytes = 4096;
  constexpr size_t kTurns = 2048;
  const typename M::DSum d;
  alignas(64) static int8_t weights[kBytes] = {1};
  benchmark::DoNotOptimize(weights);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  typename M::Operand levels = M::Load(weights);
  typename M::Operand first = levels;
  typename M::Operand second = M::Load(weights + M::kProducts);
  for (size_t turn = 0; turn < kTurns; ++turn) {
    if constexpr (kLoads) {
      const int8_t* from = weights + turn * 2 * M::kProducts % kBytes;
      first = M::Load(from);
      second = M::Load(from + M::kProducts);
    }
    M::MultiplyAdd(levels, first, s0);
    M::MultiplyAdd(levels, second, s1);
    M::MultiplyAdd(first, levels, s2);
    M::MultiplyAdd(second, levels, s3);
    M::MultiplyAdd(first, first, s4);
    M::MultiplyAdd(second, second, s5);
    M::MultiplyAdd(first, second, s6);
    M::MultiplyAdd(second, first, s7);
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  auto lane = hn::GetLane(sum);
  benchmark::DoNotOptimize(lane);
  return kTurns * 8 * M::kProducts;
}

#if CSSRUN_TARGET_MAY_HAVE_AVX_VNNI
template <bool kLoads>
size_t MultiplyBytesOfBest() {
  return internal::HasAvxVnni() ? MultiplyBytesOf<Vnni, kLoads>()
                                : MultiplyBytesOf<Multiplication, kLoads>();
}
size_t MultiplyBytesTarget() { return MultiplyBytesOfBest<false>(); }
size_t LoadAndMultiplyBytesTarget() { return MultiplyBytesOfBest<true>(); }
const char* ByteProductsVariantTarget() {
  return internal::HasAvxVnni() ? Vnni::kName : Multiplication::kName;
}
#else
size_t MultiplyBytesTarget() { return MultiplyBytesOf<Multiplication, false>(); }
size_t LoadAndMultiplyBytesTarget() { return MultiplyBytesOf<Multiplication, true>(); }
const char* ByteProductsVariantTarget() { return Multiplication::kName; }
#endif

size_t MultiplyPairsOfBytesTarget() {
#if CSSRUN_TARGET_BYTE_PAIRS
  return MultiplyBytesOf<PairMultiplication, false>();
#else
  return MultiplyBytesTarget();
#endif
}

// Products of floats added to sums, in registers.
size_t MultiplyFloatsTarget() {
  constexpr size_t kTurns = 2048;
  const hn::CappedTag<float, 16> d;
  auto s0 = hn::Set(d, 1.0F), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  auto a = hn::Set(d, 1e-9F);
  for (size_t turn = 0; turn < kTurns; ++turn) {
    Forget(a);
    s0 = hn::MulAdd(a, a, s0);
    s1 = hn::MulAdd(a, a, s1);
    s2 = hn::MulAdd(a, a, s2);
    s3 = hn::MulAdd(a, a, s3);
    s4 = hn::MulAdd(a, a, s4);
    s5 = hn::MulAdd(a, a, s5);
    s6 = hn::MulAdd(a, a, s6);
    s7 = hn::MulAdd(a, a, s7);
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  float lane = hn::GetLane(sum);
  benchmark::DoNotOptimize(lane);
  return kTurns * 8 * hn::Lanes(d);
}

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
HWY_EXPORT(MultiplyPairsOfBytesTarget);
HWY_EXPORT(MultiplyFloatsTarget);
HWY_EXPORT(StreamFloatsTarget);
size_t AddRowsOfTable(std::span<const int16_t> table, std::span<const uint16_t> rows,
                      std::span<const uint32_t> bounds) {
  return HWY_DYNAMIC_DISPATCH(AddRowsTarget)(table.data(), rows.data(), bounds.data(),
                                             bounds.size() - 1);
}
const char* ByteProductsVariant() { return HWY_DYNAMIC_DISPATCH(ByteProductsVariantTarget)(); }
size_t MultiplyBytes() { return HWY_DYNAMIC_DISPATCH(MultiplyBytesTarget)(); }
size_t LoadAndMultiplyBytes() { return HWY_DYNAMIC_DISPATCH(LoadAndMultiplyBytesTarget)(); }
size_t MultiplyPairsOfBytes() { return HWY_DYNAMIC_DISPATCH(MultiplyPairsOfBytesTarget)(); }
size_t MultiplyFloats() { return HWY_DYNAMIC_DISPATCH(MultiplyFloatsTarget)(); }
size_t StreamFloats() { return HWY_DYNAMIC_DISPATCH(StreamFloatsTarget)(); }
size_t LoadAndAddLanes() { return HWY_DYNAMIC_DISPATCH(LoadAndAddTarget)(); }
}  // namespace cssrun
#endif
