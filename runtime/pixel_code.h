// The CSS encoder's equation (Theorem 3), one pixel at a time: both engines encode with it.
#ifndef CSSRUN_RUNTIME_PIXEL_CODE_H_
#define CSSRUN_RUNTIME_PIXEL_CODE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace cssrun::internal {

// theta beta^T, by which a normalized pixel is divided to start with.
inline double EncoderScale(float amplitude, float beta, uint32_t timesteps) {
  return static_cast<double>(amplitude) * std::pow(static_cast<double>(beta), timesteps);
}

// The potential of a pixel value before the first step: normalization and the division at once.
inline float StartingPotential(size_t pixel, float mean, float stddev, double scale) {
  const double normalized = (static_cast<double>(pixel) / 255.0 - static_cast<double>(mean)) /
                            static_cast<double>(stddev);
  return static_cast<float>(normalized / scale);
}

// One step: M *= beta; a spike, +1 or -1, where |M| reaches the threshold; what it weighs leaves M.
inline int EncodeStep(float beta, float threshold, float& potential) {
  potential *= beta;
  const int spike =
      static_cast<int>(potential >= threshold) - static_cast<int>(potential <= -threshold);
  potential -= static_cast<float>(spike);
  return spike;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_PIXEL_CODE_H_
