// The CSS encoder's equation (Theorem 3), one pixel at a time: both engines encode with it.
#ifndef CSSRUN_RUNTIME_NEURON_PIXEL_CODE_H_
#define CSSRUN_RUNTIME_NEURON_PIXEL_CODE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace cssrun::internal {

// theta beta^T, by which a normalized pixel is divided to start with.
inline double EncoderScale(float amplitude, float beta, uint32_t timesteps) {
  return static_cast<double>(amplitude) * std::pow(static_cast<double>(beta), timesteps);
}

// The potential of a value of 0 to 1 before the first step: normalization and the division at once.
inline float StartingPotential(float value, float mean, float stddev, double scale) {
  const double normalized =
      (static_cast<double>(value) - static_cast<double>(mean)) / static_cast<double>(stddev);
  return static_cast<float>(normalized / scale);
}

// The same of an 8-bit pixel: a float divided by 255, as everybody does who hands over floats.
inline float StartingPotential(size_t pixel, float mean, float stddev, double scale) {
  return StartingPotential(static_cast<float>(pixel) / 255.0F, mean, stddev, scale);
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

#endif  // CSSRUN_RUNTIME_NEURON_PIXEL_CODE_H_
