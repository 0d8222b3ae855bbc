// What a person asks of a conversion, checked, and what follows for the rest: one set of rules for
// cssconvert and the Python module.
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

// Nothing: as the coding or the quantized model has it.
struct AskedCode {
  Coding coding = Coding::kCss;
  std::optional<uint32_t> timesteps;
  std::optional<float> beta;
  std::optional<uint32_t> silent_steps;
  std::optional<float> threshold;
  std::optional<float> last_threshold;
  bool negative_spikes = true;
  std::optional<InputCoding> input;
};

// `quantized`: the model's own code, Model::quantized_code.
Result<CodeSettings> ChooseCode(const AskedCode& asked,
                                const std::optional<CodeSettings>& quantized,
                                std::string_view dashes);

// That a search is not asked for beside `given`, the names of options that it chooses itself.
Status CheckSearch(const std::vector<std::string>& given,
                   const std::optional<CodeSettings>& quantized, std::string_view dashes);

// `values` of `option` become one per channel: none are `fallback`, one is for all.
Status SpreadOverChannels(const std::string& option, float fallback, size_t channels,
                          std::string_view dashes, std::vector<float>& values);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_CHOOSE_CODE_H_
