// Tests which compiled variant of the kernels runs: every variant that the machine supports must be
// there.
#include "runtime/simd_variant.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cssrun/version.h"
#include "hwy/targets.h"
#include "runtime/dot_products.h"

namespace cssrun::internal {
namespace {

// Kernels keep vectors in arrays, which the sizeless types of these targets do not allow: see
// runtime/CMakeLists.txt.
constexpr int64_t kNeverCompiled = HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV;
// Every machine has both; Highway compiles one of them, depending on the compiler.
constexpr int64_t kFallbacks = HWY_EMU128 | HWY_SCALAR;

int64_t CompiledTargets() {
  int64_t targets = 0;
  for (const SimdVariant& variant : CompiledVariants()) targets |= variant.target;
  return targets;
}

class SimdVariantTest : public testing::Test {
 protected:
  void TearDown() override { Allow(0); }
  // Allows one target only; 0 allows all targets of the machine.
  static void Allow(int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    AllowAvxVnni(targets == 0);
    AllowDotProducts(targets == 0);
  }
  const int64_t machine_ =
      hwy::SupportedTargets() & ~kNeverCompiled & (~kFallbacks | CompiledTargets());
};

TEST_F(SimdVariantTest, TheBestOfTheMachineRuns) {
  const SimdVariant running = RunningVariant();
  for (const SimdVariant& variant : CompiledVariants()) {
    std::printf("%-8s %-22s %s%s\n", variant.name,
                variant.byte_products ? "products of bytes" : "products of 16 bits",
                (machine_ & variant.target) != 0 ? "this machine has it" : "not on this machine",
                variant.target == running.target ? ", RUNS" : "");
  }
  EXPECT_EQ(running.target, machine_ & -machine_)
      << "the machine has " << hwy::TargetName(machine_ & -machine_) << ", but " << running.name
      << " runs";
  EXPECT_STREQ(SimdTarget(), running.name);
}

TEST_F(SimdVariantTest, EveryTargetOfTheMachineIsCompiledAndCanBeReached) {
  const int64_t compiled = CompiledTargets();
  size_t reached = 0;
  for (int64_t rest = machine_; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    EXPECT_NE(compiled & target, 0);
    Allow(target);
    EXPECT_EQ(RunningVariant().target, target);
    EXPECT_STREQ(SimdTarget(), hwy::TargetName(target));
    ++reached;
  }
#if defined(__x86_64__)  // elsewhere Highway compiles nothing below the baseline
  EXPECT_GT(reached, 1U) << "scalar code alone";
#else
  EXPECT_GT(reached, 0U);
#endif
}

#if defined(__x86_64__)
// Asks the processor itself, since Highway might know the instruction under the name of a newer
// target.
TEST_F(SimdVariantTest, BytesAreMultipliedWhereTheProcessorCan) {
  const bool vnni =
      __builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512vbmi2") != 0 &&
      __builtin_cpu_supports("avx512bitalg") != 0 && __builtin_cpu_supports("avx512vpopcntdq") != 0;
  const bool avx2 = RunningVariant().target == HWY_AVX2;
  EXPECT_EQ(RunningVariant().byte_products, vnni || (avx2 && HasAvxVnni()));
}

// Under AVX2's name, Highway knows no other for it.
TEST_F(SimdVariantTest, Avx2TakesVnniWhereTheProcessorHasIt) {
  if ((machine_ & HWY_AVX2) == 0) return;
  Allow(HWY_AVX2);
  EXPECT_STREQ(RunningVariant().name, "AVX2");
  EXPECT_FALSE(RunningVariant().byte_products);
  AllowAvxVnni(true);
  EXPECT_EQ(RunningVariant().byte_products, HasAvxVnni());
  EXPECT_STREQ(RunningVariant().name, HasAvxVnni() ? "AVX2_VNNI" : "AVX2");
}
#endif

#if defined(__aarch64__)
TEST_F(SimdVariantTest, NeonTakesDotProductsWhereTheProcessorHasThem) {
  Allow(HWY_NEON);
  EXPECT_STREQ(RunningVariant().name, "NEON");
  EXPECT_FALSE(RunningVariant().byte_products);
  AllowDotProducts(true);
  EXPECT_EQ(RunningVariant().byte_products, HasDotProducts());
  EXPECT_STREQ(RunningVariant().name, HasDotProducts() ? "NEON_DOT" : "NEON");
}
#endif

}  // namespace
}  // namespace cssrun::internal
