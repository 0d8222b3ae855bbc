// Chooses the code by measurement if the user names none.
//
// Settled codes (beta = 2, L = T - 1) are exact and fast, except that they round to T bits.
// Networks need different numbers of bits: 5 or 6 for a small ResNet, 7 or 8 for MobileNets. For
// speed, the candidates are settled codes of 3 to 8 steps and one event code; for the latency in
// steps, codes with short silent periods, which lose accuracy instead. Candidates are sorted by
// their cost, which is known before they run, and the first that agrees well enough with the ANN on
// the calibration images is taken.
#ifndef CSSRUN_CONVERTER_DEFAULT_CODE_H_
#define CSSRUN_CONVERTER_DEFAULT_CODE_H_

#include <string>
#include <vector>

#include "converter/convert.h"

namespace cssrun::converter {

// The settled code of T steps.
CodeSettings SettledCode(uint32_t timesteps);

// Chooses for Goal::kSpeed or kLatencySteps. Sets `tried` to the codes that were measured, in
// order; one of them is chosen. If no code agrees as wanted, it is the cheapest within one point of
// the best. Keeps options.code's setting of negative spikes. The result does not depend on the
// number of threads, but machines with other kernels may find another code faster. Error: kBadModel
// from running a candidate.
Result<CodeSettings> ChooseDefaultCode(const Model& model, const PreparedModel& prepared,
                                       const ImageSet& images, const ConvertOptions& options,
                                       const CodeSearch& search, const StageProgress& progress,
                                       std::vector<TriedCode>& tried);

// A table of what was tried, and one sentence: which code was chosen and why.
std::string ExplainCode(const std::vector<TriedCode>& tried, const CodeSearch& search,
                        AnswerKind answer);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_DEFAULT_CODE_H_
