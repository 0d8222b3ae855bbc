// Declares and parses command lines, with the same messages and exit codes in all programs.
#ifndef CSSRUN_TOOLS_ARGS_H_
#define CSSRUN_TOOLS_ARGS_H_

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>

#include "tools/exit_codes.h"
#include "tools/limits.h"

namespace cssrun::tools {

// Like CLI::Range, but also for numbers that are not whole; refuses NaN, which CLI::Range accepts.
CLI::Validator Between(double low, double high);

// Takes a name of the map for its value. CLI::CheckedTransformer also takes the number that the
// program has for the value, so that "--spikes 1" would mean many of them, and "--reset 0" no reset
// to zero.
template <class Value>
CLI::Validator OneOf(const std::map<std::string, Value>& names, const std::string& description) {
  return {[names, description](std::string& text) {
            const auto found = names.find(CLI::detail::to_lower(text));
            if (found == names.end()) return text + " is none of " + description;
            text = std::to_string(static_cast<int>(found->second));
            return std::string();
          },
          description};
}

// Adds --version and the help format of all programs; `examples` ends the help text.
void Prepare(CLI::App& app, const std::string& examples);

// Adds --limit NAME=N; parsing fills `limits`, which must outlive it.
void AddLimitOption(CLI::App& app, Limits& limits);

// Parses the command line. Returns an exit code when the program has to end here: after --help and
// --version, or kUsage after one message on standard error. From here on, a write to a closed pipe
// fails with an error and raises no signal.
std::optional<ExitCode> Parse(CLI::App& app, int argc, const char* const* argv);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_ARGS_H_
