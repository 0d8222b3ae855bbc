// Powers of beta.
#ifndef CSSRUN_RUNTIME_NEURON_POWER_H_
#define CSSRUN_RUNTIME_NEURON_POWER_H_

#include <cstdint>

namespace cssrun::internal {

// base^exponent by products. The last bits of std::pow depend on whether the C library uses fused
// multiply-adds, and answers must have the same bits on every machine.
inline double PowerOf(float base, uint32_t exponent) {
  double power = 1;
  for (uint32_t k = 0; k < exponent; ++k) power *= static_cast<double>(base);
  return power;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NEURON_POWER_H_
