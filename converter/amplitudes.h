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
  kPercentile,    // a train just carries this percentile of the activations
  kMaximum,       // a train carries the largest activation
  kLeastSquares,  // minimizes the mean square error of rounding and clipping
};

struct AmplitudeSettings {
  AmplitudeRule rule = AmplitudeRule::kPercentile;
  double percentile = 99.99;
  // One amplitude per channel, except where an identity adds channels of different nodes: those
  // nodes use one amplitude.
  bool per_channel = false;
  unsigned adjust_rounds = 0;  // rounds of appendix A.3's adjustment, see adjust.h
};

// How one spiking node codes its values.
struct NodeCode {
  std::vector<double> amplitudes;  // one for the node, or one per channel
  std::vector<float> thresholds;   // of neurons, by spike index, as shares of the amplitude
  // Limits of what a train carries, in amplitudes; both 0: none.
  int32_t lowest_level = 0;
  int32_t highest_level = 0;

  double AmplitudeOf(size_t channel) const {
    return amplitudes.size() == 1 ? amplitudes[0] : amplitudes[channel];
  }
  double Largest() const;
};

// Returns the codes by node. The encoder's amplitude is exact, since pixels are bounded. The limit
// of a Clip or Quantize holds for every rule; the readout's amplitude is 1.
std::vector<NodeCode> ChooseAmplitudes(const SpikingNetwork& network,
                                       const Calibration& calibration, const InputFormat& input,
                                       const CodeSettings& code, const AmplitudeSettings& settings);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_AMPLITUDES_H_
