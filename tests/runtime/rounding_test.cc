#include "runtime/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace cssrun::internal {
namespace {

TEST(RoundingTest, HalvesGoToTheEvenNeighbour) {
  EXPECT_EQ(RoundToWhole(0.5), 0);
  EXPECT_EQ(RoundToWhole(1.5), 2);
  EXPECT_EQ(RoundToWhole(2.5), 2);
  EXPECT_EQ(RoundToWhole(-0.5), 0);
  EXPECT_EQ(RoundToWhole(-1.5), -2);
  EXPECT_EQ(RoundToWhole(-2.5), -2);
  EXPECT_EQ(RoundToWhole(std::nextafter(0.5, 1.0)), 1);
  EXPECT_EQ(RoundToWhole(std::nextafter(-0.5, -1.0)), -1);
}

TEST(RoundingTest, IsTheCLibrarysRounding) {
  std::mt19937_64 generator(1);
  for (const double largest : {1.0, 128.0, 32768.0, 0x1p30, 0x1p51}) {
    std::uniform_real_distribution<double> draw(-largest, largest);
    for (int i = 0; i < 10000; ++i) {
      const double x = draw(generator);
      ASSERT_EQ(RoundToWhole(x), std::nearbyint(x)) << x;
      const double half = std::floor(x / 2) + 0.5;
      ASSERT_EQ(RoundToWhole(half), std::nearbyint(half)) << half;
    }
    ASSERT_EQ(RoundToWhole(largest), largest);
    ASSERT_EQ(RoundToWhole(-largest), -largest);
  }
}

}  // namespace
}  // namespace cssrun::internal
