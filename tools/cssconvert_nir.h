// cssconvert for spiking networks in NIR: its options, and what it does in place of a conversion of
// an ANN.
#ifndef CSSRUN_TOOLS_CSSCONVERT_NIR_H_
#define CSSRUN_TOOLS_CSSCONVERT_NIR_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "converter/nir/reading.h"
#include "cssrun/limits.h"
#include "cssrun/status.h"

namespace cssrun::tools {

struct NirArguments {
  std::string dt;
  std::optional<converter::NirReset> reset;
  std::optional<bool> several_spikes;
  std::string floor;
};

void DeclareNir(CLI::App& app, NirArguments& arguments);

// Whether the file begins as NIR files do; false if it cannot be read.
bool IsNirFile(const std::string& path);

// Checks that options of NIR were given with a NIR model only, and others with an ONNX model only.
Status CheckNirOptions(const CLI::App& app, bool is_nir);

// Converts the NIR file `model` to the file `output` and prints what was done and assumed.
Status ConvertNirFile(const std::string& model, const std::string& output,
                      const NirArguments& arguments, const std::vector<std::string>& labels,
                      const NetworkLimits& limits);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_CSSCONVERT_NIR_H_
