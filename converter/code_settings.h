// The settings of the spike code, of the search for one, and their defaults, defined only here.
#ifndef CSSRUN_CONVERTER_CODE_SETTINGS_H_
#define CSSRUN_CONVERTER_CODE_SETTINGS_H_

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/neuron/settled.h"

namespace cssrun::converter {

enum class Coding {
  kCss,   // the weight of a spike falls by beta every step
  kRate,  // the baseline: every spike weighs the same; soft-reset IF neurons, starting half charged
};

enum class InputCoding {
  kCss,     // the encoder codes pixels in spikes
  kDirect,  // the first layers' potentials are computed by multiplication, see
            // runtime/direct_input.h
};

// An 8-bit image that is coded in fewer steps loses too much. With wide sums, spikes of the image
// would be the only input that is not exact.
constexpr uint32_t kFewestEncodedSteps = 6;

// A settled neuron has all of its input, so it fires where its digit rounds up and never takes a
// spike back. The number of spikes of a train then follows from its level, so layers send only
// levels: see runtime/integer/neurons/level_rule.h.
constexpr float kSettledThreshold = 0.75F;

struct CodeSettings {
  Coding coding = Coding::kCss;
  uint32_t timesteps = 12;    // T
  float beta = 1.5F;          // how much one spike outweighs the next
  uint32_t silent_steps = 2;  // L
  float threshold = 0.7F;     // a neuron fires at this share of the amplitude
  // The share for a neuron's last spike: 1/2 rounds to nearest, more leaves out spikes that gain
  // little.
  float last_threshold = 0.5F;
  bool negative_spikes = true;
  std::optional<InputCoding> input;  // without a value, the one that fits, see DirectInput()

  // Returns the settings of the paper's experiments.
  static CodeSettings Paper() {
    CodeSettings code;
    code.timesteps = 12;
    code.beta = 1.5F;
    code.silent_steps = 1;
    code.threshold = 0.5F;
    return code;
  }

  // Returns the settings of rate-coded soft-reset IF neurons, which are the same neuron with other
  // constants.
  static CodeSettings Rate(uint32_t timesteps, bool negative_spikes) {
    CodeSettings code;
    code.coding = Coding::kRate;
    code.timesteps = timesteps;
    code.beta = 1;
    code.silent_steps = 0;
    code.threshold = 1;
    code.negative_spikes = negative_spikes;
    return code;
  }

  bool Settled() const { return internal::IsSettled(beta, timesteps, silent_steps); }

  bool DirectInput() const {
    if (input.has_value()) return *input == InputCoding::kDirect;
    return coding == Coding::kRate || timesteps < kFewestEncodedSteps ||
           internal::SumsAreWide(Settled(), timesteps);
  }

  // Returns sb, the largest value that a train of amplitude 1 carries.
  double SumOfWeights() const {
    double sum = 0;
    for (uint32_t k = 0; k < timesteps; ++k) sum += std::pow(static_cast<double>(beta), k);
    return sum;
  }

  // Returns the initial potential of every membrane, in amplitudes of the last step. A rate code
  // starts half charged, so that it rounds to nearest.
  float InitialPotential() const { return coding == Coding::kRate ? 0.5F : 0.0F; }

  // Returns the thresholds of neurons by spike index. Without negative spikes a spike cannot be
  // taken back, so a neuron fires only when it has a whole amplitude; so do all neurons of a rate
  // code.
  std::vector<float> Thresholds() const {
    if (coding == Coding::kRate || !negative_spikes) return std::vector<float>(timesteps, 1.0F);
    std::vector<float> thresholds(timesteps, threshold);
    thresholds.back() = last_threshold;
    return thresholds;
  }

  // Returns the thresholds of the encoder, which is always signed, and has all of its input before
  // the first step.
  std::vector<float> EncoderThresholds() const {
    if (DirectInput()) return {};
    if (coding == Coding::kRate) return std::vector<float>(timesteps, 0.5F);
    std::vector<float> thresholds(timesteps, threshold);
    thresholds.back() = 0.5F;
    return thresholds;
  }
};

// The goal by which a code is chosen if none is named.
enum class Goal {
  kSpeed,         // the least expected time of an image with this machine's kernels
  kEnergy,        // the fewest SyOPs: search.h, which also chooses amplitudes and thresholds
  kLatencySteps,  // the fewest steps from the first to the last spike
};

// The default for the expected share of images on which a code must agree with the ANN. The aim is
// 97 % on other images; half of the difference to 100 % is left for those.
constexpr double kEnoughAgreement = 0.985;

// A search for the best code whose answers agree with the ANN's on this share of the images.
struct CodeSearch {
  Goal goal = Goal::kSpeed;
  double agreement = kEnoughAgreement;
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_CODE_SETTINGS_H_
