// The CSS encoder's equation (Theorem 3) for one pixel. Both engines encode with these functions.
//
//   start       M = a / (theta beta^T)     a: the normalized pixel, (value - mean) / stddev
//   each step   M = beta M;  a spike s = +1 where M >= S, -1 where M <= -S, else 0;  M = M - s
#ifndef CSSRUN_RUNTIME_NEURON_PIXEL_CODE_H_
#define CSSRUN_RUNTIME_NEURON_PIXEL_CODE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/assert.h"
#include "runtime/neuron/power.h"

namespace cssrun::internal {

// theta beta^T, the divisor of the starting potential.
inline double EncoderScale(float amplitude, float beta, uint32_t timesteps) {
  return static_cast<double>(amplitude) * PowerOf(beta, timesteps);
}

// M before the first step, for a pixel `value` from 0 to 1. Computed in double and rounded once.
inline float StartingPotential(float value, float mean, float stddev, double scale) {
  CSSRUN_ASSERT(stddev > 0);
  CSSRUN_ASSERT(scale > 0);
  const double normalized =
      (static_cast<double>(value) - static_cast<double>(mean)) / static_cast<double>(stddev);
  return static_cast<float>(normalized / scale);
}

// The same for an 8-bit pixel. The division by 255 is in float, as callers who pass floats do it,
// so that both ways of passing an image give the same bits.
inline float StartingPotential(size_t pixel, float mean, float stddev, double scale) {
  CSSRUN_ASSERT(pixel <= 255);
  return StartingPotential(static_cast<float>(pixel) / 255.0F, mean, stddev, scale);
}

// One step of M = `potential`, as above. Returns the spike: +1, -1 or 0.
inline int EncodeStep(float beta, float threshold, float& potential) {
  potential *= beta;
  const int spike =
      static_cast<int>(potential >= threshold) - static_cast<int>(potential <= -threshold);
  potential -= static_cast<float>(spike);
  return spike;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NEURON_PIXEL_CODE_H_
