// The command line of cssconvert.
#ifndef CSSRUN_TOOLS_CSSCONVERT_ARGUMENTS_H_
#define CSSRUN_TOOLS_CSSCONVERT_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "tools/limits.h"

namespace cssrun::tools {

struct ConvertArguments {
  std::string model;
  std::string output;
  std::string calibration;
  std::string validation;
  std::string labels;
  std::string report;
  bool no_negative = false;
  double tolerance = -1;  // percent; negative: no search
  std::optional<converter::InputCoding> input;
  converter::Coding coding = converter::Coding::kCss;
  converter::ConvertOptions options;
  Limits limits;
};

// Declares all options; parsing fills `arguments`.
void DeclareConvert(CLI::App& app, ConvertArguments& arguments);

// "--auto 1" as "--auto=1" and "--auto" alone with its usual value: CLI11 would take any next
// argument for the value, a path too.
std::vector<std::string> JoinOptionalValue(std::vector<std::string> words);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_CSSCONVERT_ARGUMENTS_H_
