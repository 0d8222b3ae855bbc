// Checks the settings that a user gives and derives the others from them. cssconvert and the Python
// module share these rules.
//
// Errors are kInvalidArgument and name the option; `dashes` ("--" or "") is how the caller writes
// options.
#ifndef CSSRUN_CONVERTER_CHOOSE_CODE_H_
#define CSSRUN_CONVERTER_CHOOSE_CODE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/code_settings.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// The settings that the user gave. A missing one follows from the paper's code, if that was asked
// for, from the coding, or from the quantized model.
struct AskedCode {
  Coding coding = Coding::kCss;
  std::optional<uint32_t> timesteps;
  std::optional<float> beta;
  std::optional<uint32_t> silent_steps;
  std::optional<float> threshold;
  std::optional<float> last_threshold;
  bool negative_spikes = true;
  std::optional<InputCoding> input;
  bool paper = false;
};

// The user's options for a search, and the names of the other options that were given.
struct AskedSearch {
  std::optional<Goal> goal;
  std::optional<double> agree;          // percentage of images whose answers agree
  std::optional<double> automatic;      // percentage that may differ: Goal::kEnergy
  std::vector<std::string> code;        // given options that say which code to take
  std::vector<std::string> amplitudes;  // given options that say which amplitudes to take
};

// Returns the complete settings. `quantized` is the quantized model's own code,
// Model::quantized_code.
Result<CodeSettings> ChooseCode(const AskedCode& asked,
                                const std::optional<CodeSettings>& quantized,
                                std::string_view dashes);

// Returns what to search for; std::nullopt if the user or the model names the code. Error: options
// that contradict each other.
Result<std::optional<CodeSearch>> ChooseSearch(const AskedSearch& asked,
                                               const std::optional<CodeSettings>& quantized,
                                               std::string_view dashes);

// Expands the `values` of `option` to one per channel: an empty list becomes `fallback`, a single
// value applies to all channels.
Status SpreadOverChannels(const std::string& option, float fallback, size_t channels,
                          std::string_view dashes, std::vector<float>& values);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_CHOOSE_CODE_H_
