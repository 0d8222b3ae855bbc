// The command line of cssconvert.
#ifndef CSSRUN_TOOLS_CSSCONVERT_ARGUMENTS_H_
#define CSSRUN_TOOLS_CSSCONVERT_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "tools/choose_preprocessing.h"
#include "tools/cssconvert_nir.h"
#include "tools/limits.h"

namespace cssrun::tools {

struct ConvertArguments {
  std::string model;
  std::string output;
  std::string calibration;
  std::string validation;
  std::string labels;
  std::string report;
  std::string input_size;          // HxW; "": the model's own
  std::vector<std::string> check;  // a picture and the framework's logits, or nothing
  bool no_negative = false;
  bool paper = false;
  std::optional<converter::Goal> goal;
  std::optional<double> agree;  // percent
  double tolerance = -1;        // percent, of --auto; negative: not given
  std::optional<converter::InputCoding> input;
  std::optional<AnswerKind> answer;
  converter::Coding coding = converter::Coding::kCss;
  AskedPreprocessing preprocessing;
  NirArguments nir;
  converter::ConvertOptions options;
  Limits limits;
};

// Declares all options; parsing fills `arguments`.
void DeclareConvert(CLI::App& app, ConvertArguments& arguments);

// Parses "HxW"; nothing where it is empty. Error: kInvalidArgument.
Result<std::optional<converter::ImageSize>> ParseInputSize(const std::string& text);

// Joins "--auto 1" to "--auto=1" and gives "--auto" alone its default value, and likewise "--fit".
// CLI11 would take any argument that follows as the value, even a path.
std::vector<std::string> JoinOptionalValue(std::vector<std::string> words);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_CSSCONVERT_ARGUMENTS_H_
