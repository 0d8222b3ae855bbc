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
  alignas(64) static int16_t values[kLanes];
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

}  // namespace cssrun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun {
HWY_EXPORT(LoadAndAddTarget);
size_t LoadAndAddLanes() { return HWY_DYNAMIC_DISPATCH(LoadAndAddTarget)(); }
}  // namespace cssrun
#endif
