// The command line of cssrun.
#ifndef CSSRUN_TOOLS_CSSRUN_ARGUMENTS_H_
#define CSSRUN_TOOLS_CSSRUN_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "tools/limits.h"

namespace cssrun::tools {

struct CssrunArguments {
  std::string network;
  std::vector<std::string> paths;
  std::string paths_from;
  size_t topk = 1;
  std::string format = "text";
  std::string engine = "integer";
  unsigned threads = 0;
  std::string summary;
  std::string early_exit;
  bool profile = false;
  bool steps = false;
  bool latency = false;
  Limits limits;
};

// Declares all options; parsing fills `arguments`.
void DeclareCssrun(CLI::App& app, CssrunArguments& arguments);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_CSSRUN_ARGUMENTS_H_
