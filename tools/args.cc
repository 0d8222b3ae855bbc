#include "tools/args.h"

#include <csignal>
#include <cstdio>

#include "cssrun/version.h"
#include "fmt/format.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

ExitCode PrintAnswer(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? kAllDone : kIoFailed;
}

}  // namespace

CLI::Validator Between(double low, double high) {
  const std::string range = fmt::format("[{} - {}]", low, high);
  return {[=](const std::string& text) {
            double value = 0;
            const bool inside =
                CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
            return inside ? std::string() : fmt::format("Value {} not in range {}", text, range);
          },
          "FLOAT in " + range};
}

void Prepare(CLI::App& app, const std::string& examples) {
  app.set_version_flag("--version", [&app] {
    return fmt::format("{} {} (network format {}, {})", app.get_name(), Version(), FormatVersion(),
                       SimdTarget());
  });
  app.footer("Examples:\n" + examples);
  app.get_formatter()->column_width(32);
  // A misspelt option is an error, not an input.
  app.allow_extras(false);
}

std::optional<ExitCode> Parse(CLI::App& app, int argc, const char* const* argv) {
  // A reader that goes away is an error to report, not a reason to die silently.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return PrintAnswer(app.help());
  } catch (const CLI::CallForVersion& version) {
    return PrintAnswer(version.what() + std::string("\n"));
  } catch (const CLI::ParseError& error) {
    // CLI11's own exit codes start at 100.
    PrintError(app.get_name(), fmt::format("{} (see {} --help)", error.what(), app.get_name()));
    return kUsage;
  }
  return std::nullopt;
}

}  // namespace cssrun::tools
