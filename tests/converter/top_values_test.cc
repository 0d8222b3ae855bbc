#include "converter/top_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace cssrun::converter {
namespace {

// Computes NumPy's linear interpolation on all values at once.
double SortedQuantile(std::vector<float> values, double share) {
  for (float& value : values) value = std::abs(value);
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values.size() - 1);
  const auto low = static_cast<double>(values[below]);
  return low + (static_cast<double>(values[above]) - low) * (position - std::floor(position));
}

TEST(TopValuesTest, EqualsSortingEverything) {
  std::mt19937 generator(1);
  for (const size_t count : {1U, 2U, 7U, 1000U, 30000U}) {
    for (const double share : {0.0, 0.5, 0.99, 0.9999, 1.0}) {
      // There are many equal values (zeros of a ReLU) and some large ones, added in parts of uneven
      // size.
      std::vector<float> values(count);
      for (float& value : values) {
        value = std::max(0.0F, std::round(std::normal_distribution<float>(0, 4)(generator)));
      }
      TopValues top(count, share);
      for (size_t first = 0; first < count;) {
        const size_t part = std::min<size_t>(
            count - first, std::uniform_int_distribution<size_t>(1, count)(generator));
        top.Add(std::span(values).subspan(first, part));
        first += part;
      }
      const double expected = SortedQuantile(values, share);
      EXPECT_DOUBLE_EQ(top.Quantile(), expected) << count << " values, share " << share;
      const float largest = *std::max_element(values.begin(), values.end());
      EXPECT_EQ(top.Maximum(), static_cast<double>(largest));
      const auto above = std::count_if(values.begin(), values.end(), [&](float value) {
        return static_cast<double>(value) > expected;
      });
      EXPECT_DOUBLE_EQ(top.ShareAbove(expected),
                       static_cast<double>(above) / static_cast<double>(count));
    }
  }
}

}  // namespace
}  // namespace cssrun::converter
