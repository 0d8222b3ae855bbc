#include "runtime/integer/whole_scale.h"

#include <algorithm>
#include <cmath>

#include "runtime/rounding.h"

namespace cssrun::internal {

double WholeScale(std::span<const float> weights, double largest, int most) {
  constexpr double kWhole = 1e-3;
  if (largest == 0) return 0;
  for (int whole = 1; whole <= most; ++whole) {
    const double scale = whole / largest;
    const bool fits = std::all_of(weights.begin(), weights.end(), [&](float weight) {
      const double scaled = static_cast<double>(weight) * scale;
      return std::abs(scaled - RoundToWhole(scaled)) < kWhole;
    });
    if (fits) return scale;
  }
  return 0;
}

}  // namespace cssrun::internal
