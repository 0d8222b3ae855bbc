// The code of a conversion for which the user names none: chosen by measurement.
//
// Settled codes (beta = 2, L = T - 1) are exact and fast, and what they lose is the rounding to T
// bits. How many bits a network needs differs: a small ResNet is content with 5, MobileNets need 7
// or 8. So trains of growing length are tried on the calibration images, and the first that agrees
// well enough with the ANN is taken.
#ifndef CSSRUN_CONVERTER_DEFAULT_CODE_H_
#define CSSRUN_CONVERTER_DEFAULT_CODE_H_

#include <string>
#include <vector>

#include "converter/convert.h"

namespace cssrun::converter {

// The share of images on which a code is expected to agree with the ANN, to be enough.
// The aim is 97 % on other images; half of the difference is for those.
constexpr double kEnoughAgreement = 0.985;

// The settled code of T steps.
CodeSettings SettledCode(uint32_t timesteps);

// Sets `code`, and `tried` to what was measured, the chosen one last but for the case that no code
// was enough: then the best of all is chosen. Keeps what `asked` says of negative spikes. Error:
// kBadModel from running a candidate.
Result<CodeSettings> ChooseDefaultCode(const Model& model, const PreparedModel& prepared,
                                       const ImageSet& images, const ConvertOptions& options,
                                       const StageProgress& progress,
                                       std::vector<TriedCode>& tried);

// One sentence: which code was chosen and why.
std::string ExplainCode(const std::vector<TriedCode>& tried, AnswerKind answer);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_DEFAULT_CODE_H_
