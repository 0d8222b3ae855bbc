#include "roofline.h"

#include <benchmark/benchmark.h>

#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "roofline.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kLanes = 8192;
constexpr size_t kRepeats = 64;

// As many sums as hide the latency of an addition.
size_t LoadAndAddTarget() {
  const hn::ScalableTag<int16_t> d;
  const size_t lanes = hn::Lanes(d);
  // Not zeros: untouched pages would be one and the same page of zeros.
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

}  // namespace cssrun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun {
HWY_EXPORT(LoadAndAddTarget);
HWY_EXPORT(AddRowsTarget);
size_t AddRowsOfTable(std::span<const int16_t> table, std::span<const uint16_t> rows,
                      std::span<const uint32_t> bounds) {
  return HWY_DYNAMIC_DISPATCH(AddRowsTarget)(table.data(), rows.data(), bounds.data(),
                                             bounds.size() - 1);
}
size_t LoadAndAddLanes() { return HWY_DYNAMIC_DISPATCH(LoadAndAddTarget)(); }
}  // namespace cssrun
#endif
