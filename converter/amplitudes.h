// The amplitude theta of every layer: what one spike of weight 1 stands for.
//
// A train of amplitude theta carries multiples of theta up to theta sb. A large theta rounds
// coarsely and a small one clips large values; each rule balances the two errors differently.
#ifndef CSSRUN_CONVERTER_AMPLITUDES_H_
#define CSSRUN_CONVERTER_AMPLITUDES_H_

#include <vector>

#include "converter/calibrate.h"
#include "converter/code_settings.h"
#include "converter/spiking.h"
#include "cssrun/network.h"

namespace cssrun::converter {

enum class AmplitudeRule {
  kPercentile,    // of the activations: a train just carries it
  kMaximum,       // nothing is cut off
  kLeastSquares,  // the smallest mean square of what is lost by rounding and cutting off
};

struct AmplitudeSettings {
  AmplitudeRule rule = AmplitudeRule::kPercentile;
  double percentile = 99.99;
  // One amplitude per channel, except where an identity adds channels of different nodes: those
  // nodes use one amplitude.
  bool per_channel = false;
  unsigned adjust_rounds = 0;  // of appendix A.3, see adjust.h
};

// How one spiking node codes its values.
struct NodeCode {
  std::vector<double> amplitudes;  // one, or one per channel
  std::vector<float> thresholds;   // of neurons, by spike index, as shares of the amplitude

  double AmplitudeOf(size_t channel) const {
    return amplitudes.size() == 1 ? amplitudes[0] : amplitudes[channel];
  }
  double Largest() const;
};

// By node. The encoder's amplitude is exact, since pixels are bounded; a Clip's or Quantize's limit
// holds whatever the rule says; the readout's is 1.
std::vector<NodeCode> ChooseAmplitudes(const SpikingNetwork& network,
                                       const Calibration& calibration, const InputFormat& input,
                                       const CodeSettings& code, const AmplitudeSettings& settings);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_AMPLITUDES_H_
