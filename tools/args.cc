#include "tools/args.h"

#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

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

// Sets one limit from "NAME=N".
Status SetLimitFrom(std::string_view text, Limits& limits) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return Status::InvalidArgument("a limit is NAME=N");
  const std::string_view number = text.substr(equals + 1);
  uint64_t value = 0;
  const char* const end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, value);
  // Where `value` stays zero, SetLimit() refuses it: zero is not a limit either.
  return SetLimit(text.substr(0, equals), error == std::errc() && stop == end ? value : 0, limits);
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

void AddLimitOption(CLI::App& app, Limits& limits) {
  app.add_option_function<std::vector<std::string>>(
         "--limit",
         [&limits](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             if (Status status = SetLimitFrom(text, limits); !status.ok()) {
               throw CLI::ValidationError("--limit", status.message());
             }
           }
         },
         "what files may ask for, against hostile ones: neurons, synapses, layers and timesteps of "
         "a network; side and pixels of an image, bytes of its file, jpeg-scans; "
         "frames of a video or folder")
      ->type_name("NAME=N")
      ->allow_extra_args(false);
}

std::optional<ExitCode> Parse(CLI::App& app, int argc, const char* const* argv) {
  // A reader that closes the pipe is an error to report. The default action of SIGPIPE would end
  // the program without a message.
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
