// The code of a conversion for which the user names none: chosen by measurement.
//
// Settled codes (beta = 2, L = T - 1) are exact and fast, and what they lose is the rounding to T
// bits. How many bits a network needs differs: a small ResNet is content with 5 or 6, MobileNets
// need 7 or 8. For speed, settled codes of 3 to 8 steps and one of events are candidates; for the
// latency in steps, short silent periods, which lose accuracy instead. Candidates are sorted by
// what they cost, which the network tells before it runs, and the first that agrees well enough
// with the ANN on the calibration images is taken.
#ifndef CSSRUN_CONVERTER_DEFAULT_CODE_H_
#define CSSRUN_CONVERTER_DEFAULT_CODE_H_

#include <string>
#include <vector>

#include "converter/convert.h"

namespace cssrun::converter {

// The settled code of T steps.
CodeSettings SettledCode(uint32_t timesteps);

// Chooses for Goal::kSpeed or kLatencySteps. Sets `tried` to what was measured, in this order; one
// of them is chosen. Where no code agrees as wanted, it is the cheapest within a point of the
// closest. Keeps what options.code says of negative spikes. The result is the same for all numbers
// of threads, but machines with other kernels may find another code faster. Error: kBadModel from
// running a candidate.
Result<CodeSettings> ChooseDefaultCode(const Model& model, const PreparedModel& prepared,
                                       const ImageSet& images, const ConvertOptions& options,
                                       const CodeSearch& search, const StageProgress& progress,
                                       std::vector<TriedCode>& tried);

// A table of what was tried, and one sentence: which code was chosen and why.
std::string ExplainCode(const std::vector<TriedCode>& tried, const CodeSearch& search,
                        AnswerKind answer);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_DEFAULT_CODE_H_
