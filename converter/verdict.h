// Judges a conversion: whether integers give the same answers as floats, whether it agrees with the
// ANN, and if not, where the error arises and what helps.
#ifndef CSSRUN_CONVERTER_VERDICT_H_
#define CSSRUN_CONVERTER_VERDICT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converter/convert.h"

namespace cssrun::converter {

// Below this share of agreeing images the user is warned.
constexpr double kGoodAgreement = 0.95;
// The integer engine's logits may differ from the float engine's by as much as float's differ from
// the ANN's, plus this.
constexpr double kMostStraying = 0.01;

// Runs both engines on some of the images. Returns why the network has to run in float, or "" if
// integers do. `measured`: the integer engine's comparison on all images, for its costs.
Result<std::string> WhyFloat(std::span<const uint8_t> bytes, const ImageSet& images,
                             const std::vector<Logits>& ann, const Comparison& measured,
                             unsigned threads);

// Measures other settings than those of `options`, and returns one sentence about what helps.
Result<std::string> FindRemedy(const Model& model, const PreparedModel& prepared,
                               const ImageSet& images, const ConvertOptions& options,
                               const Comparison& measured, const StageProgress& progress);

// One warning: how far the network agrees, the layers in which errors grow most (`errors` as
// LayerErrors() returns them), and the remedy.
std::string DescribeDisagreement(const Comparison& measured, const SpikingNetwork& network,
                                 const std::vector<double>& errors, const std::string& remedy);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_VERDICT_H_
