// How numbers of weights become whole ones when a network is loaded.
#ifndef CSSRUN_RUNTIME_ROUNDING_H_
#define CSSRUN_RUNTIME_ROUNDING_H_

#include "runtime/assert.h"

namespace cssrun::internal {

// Rounds to the nearest whole number, halves to the even one, as std::nearbyint does. That is a
// call of the C library, for each weight of a network, where the compiler may use SSE2 alone; this
// is two additions. |x| is at most 2^51.
inline double RoundToWhole(double x) {
  constexpr double kNoFractions = 0x1.8p52;  // doubles of this size are whole numbers
  CSSRUN_ASSERT(x >= -0x1p51 && x <= 0x1p51);
  return (x + kNoFractions) - kNoFractions;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ROUNDING_H_
