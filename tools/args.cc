#include "tools/args.h"

#include "cssrun/version.h"
#include "fmt/format.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {

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
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return kAllDone;
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    return kAllDone;
  } catch (const CLI::ParseError& error) {
    // CLI11's own exit codes start at 100.
    PrintError(app.get_name(), fmt::format("{} (see {} --help)", error.what(), app.get_name()));
    return kUsage;
  }
  return std::nullopt;
}

}  // namespace cssrun::tools
