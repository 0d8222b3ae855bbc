// The one place for the settings of the CSS code and their defaults.
#ifndef CSSRUN_CONVERTER_CODE_SETTINGS_H_
#define CSSRUN_CONVERTER_CODE_SETTINGS_H_

#include <cmath>
#include <cstdint>
#include <vector>

namespace cssrun::converter {

struct CodeSettings {
  uint32_t timesteps = 12;    // T
  float beta = 1.5F;          // how much one spike outweighs the next
  uint32_t silent_steps = 2;  // L
  float threshold = 0.7F;     // share of the amplitude at which a neuron fires
  bool negative_spikes = true;

  // sb: the largest value that a train of amplitude 1 carries.
  double SumOfWeights() const {
    double sum = 0;
    for (uint32_t k = 0; k < timesteps; ++k) sum += std::pow(static_cast<double>(beta), k);
    return sum;
  }

  // By spike index. The last spike rounds to nearest; without negative spikes nothing that was sent
  // can be taken back, so a neuron fires only when it has a whole amplitude.
  std::vector<float> Thresholds(bool negative) const {
    std::vector<float> thresholds(timesteps, negative ? threshold : 1.0F);
    if (negative) thresholds.back() = 0.5F;
    return thresholds;
  }
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_CODE_SETTINGS_H_
