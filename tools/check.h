// Compares the ANN's logits on one picture with those that the framework gave, and finds out how
// the preprocessing differs where they are not the same.
#ifndef CSSRUN_TOOLS_CHECK_H_
#define CSSRUN_TOOLS_CHECK_H_

#include <string>
#include <vector>

#include "converter/graph.h"
#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/image.h"

namespace cssrun::tools {

struct CheckResult {
  bool matches = false;  // with the preprocessing that was asked for
  std::string text;      // what was found, for people
};

// `input` is the preprocessing that was asked for, `expected` the framework's logits on the
// picture, or its probabilities. Errors: those of ReadImage(); kInvalidArgument where `expected`
// has another size than the model's output.
Result<CheckResult> CheckPreprocessing(const converter::Graph& graph, const InputFormat& input,
                                       const std::string& picture,
                                       const std::vector<float>& expected,
                                       const ImageLimits& limits);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_CHECK_H_
