// --limit NAME=N: how much untrusted files may ask for.
#ifndef CSSRUN_TOOLS_LIMITS_H_
#define CSSRUN_TOOLS_LIMITS_H_

#include <CLI/CLI.hpp>

#include "cssrun/limits.h"
#include "tools/image.h"

namespace cssrun::tools {

struct Limits {
  NetworkLimits network;
  ImageLimits image;
};

// Adds the option; parsing fills `limits`, which must outlive it.
void AddLimitOption(CLI::App& app, Limits& limits);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_LIMITS_H_
