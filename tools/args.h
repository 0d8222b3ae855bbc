// Command lines: one way to declare them, one way to fail.
#ifndef CSSRUN_TOOLS_ARGS_H_
#define CSSRUN_TOOLS_ARGS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "tools/exit_codes.h"
#include "tools/limits.h"

namespace cssrun::tools {

// CLI::Range for numbers that need not be whole; it lets NaN pass.
CLI::Validator Between(double low, double high);

// Adds --version and the look that all programs share; `examples` ends the help text.
void Prepare(CLI::App& app, const std::string& examples);

// Adds --limit NAME=N; parsing fills `limits`, which must outlive it.
void AddLimitOption(CLI::App& app, Limits& limits);

// Parses; returns the exit code when the program is to end here: after --help and --version, or
// with kUsage after one message on standard error. From here on a closed pipe is an
// error of the write, not a signal.
std::optional<ExitCode> Parse(CLI::App& app, int argc, const char* const* argv);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_ARGS_H_
