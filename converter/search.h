// --auto: the cheapest code whose answers still agree with the ANN's.
//
// Settings are tried on one half of the calibration images; the other half has to confirm what is
// chosen. First the settings of the whole network (T, beta, L, threshold, amplitude rule, input),
// then, from the best of them, the threshold of each spike index, and each layer's own amplitude
// and last threshold: how many SyOPs a change saves against how much it moves the logits. Errors
// nearly add up while they are small, so at a given price of an error every change is taken or left
// by itself; several prices make a frontier. (A second round of tuning gained nothing.)
#ifndef CSSRUN_CONVERTER_SEARCH_H_
#define CSSRUN_CONVERTER_SEARCH_H_

#include <vector>

#include "converter/amplitudes.h"
#include "converter/convert.h"

namespace cssrun::converter {

// One pixel's multiply-accumulate in SyOPs: the ratio of their energies (4.6 and 0.9 pJ).
constexpr double kSynopsPerMac = 4.6 / 0.9;

struct SearchResult {
  CodeSettings code;
  AmplitudeSettings amplitudes;
  std::vector<NodeCode> codes;
  std::vector<FrontierPoint> frontier;  // the cheapest first; one of them is chosen
};

// `tolerance`: share of the calibration images on which ANN and SNN may differ. When nothing stays
// within it, the setting that differs least is chosen. Deterministic. Error: kBadModel from running
// a candidate.
Result<SearchResult> SearchCode(const Model& model, const PreparedModel& prepared,
                                const ImageSet& images, const ConvertOptions& options,
                                double tolerance, const StageProgress& progress);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_SEARCH_H_
