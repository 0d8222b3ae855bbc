// --goal energy, --auto: searches for the code of the fewest SyOPs whose answers still agree with
// the ANN's.
//
// Settings are tried on one half of the calibration images; the other half has to confirm the
// choice. The search first tries settings of the whole network (T, beta, L, threshold, amplitude
// rule, input). From the best of them it changes the threshold of each spike index, and each
// layer's own amplitude and last threshold, and measures how many SyOPs a change saves against how
// much it moves the logits. Small errors nearly add up, so at a given price of an error each change
// can be accepted or rejected by itself; several prices make a frontier. (A second round of tuning
// gained nothing.)
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

// `tolerance` is the share of the calibration images on which ANN and SNN may differ. When no
// setting stays within it, the setting that differs least is chosen. The result is deterministic.
// Error: kBadModel from running a candidate.
Result<SearchResult> SearchCode(const Model& model, const PreparedModel& prepared,
                                const ImageSet& images, const ConvertOptions& options,
                                double tolerance, const StageProgress& progress);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_SEARCH_H_
