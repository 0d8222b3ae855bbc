// Takes any bytes as text that a shell passes on: command lines, lists of paths, labels; and as
// text that is printed on a terminal, in CSV and in JSON.
#include <sstream>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "nlohmann/json.hpp"
#include "tests/fuzz/target.h"
#include "tools/args.h"
#include "tools/choose_preprocessing.h"
#include "tools/cssconvert_arguments.h"
#include "tools/cssrun_arguments.h"
#include "tools/image_list.h"
#include "tools/label_file.h"
#include "tools/npy.h"
#include "tools/output.h"
#include "tools/terminal_text.h"

namespace {

using namespace cssrun;
using fuzz::Require;

bool Steers(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return true;
  }
  return false;
}

// Parses without printing; tools::Parse decides what a program does with an error.
template <class Declare>
void ParseWords(const std::vector<std::string>& words, Declare declare) {
  CLI::App app("fuzz", "fuzz");
  declare(app);
  std::vector<const char*> argv;
  argv.reserve(words.size());
  for (const std::string& word : words) argv.push_back(word.c_str());
  try {
    app.parse(static_cast<int>(argv.size()), argv.data());
  } catch (const CLI::CallForHelp&) {
    Require(!app.help().empty(), "there is help");
  } catch (const CLI::CallForVersion& version) {
    Require(version.what()[0] != '\0', "there is a version");
  } catch (const CLI::ParseError& error) {
    Require(!Steers(tools::TerminalText(error.what())), "an error is safe to print");
  }
}

void CommandLines(const std::string& text) {
  std::istringstream stream(text);
  const Result<std::vector<std::string>> words = tools::ReadPaths(stream, '\0', "words");
  if (!words.ok()) return;
  std::vector<std::string> argv = {"fuzz"};
  argv.insert(argv.end(), words.value().begin(), words.value().end());
  tools::Arguments run;
  ParseWords(argv, [&](CLI::App& app) { tools::Declare(app, run); });
  tools::ConvertArguments convert;
  ParseWords(tools::JoinOptionalValue(argv),
             [&](CLI::App& app) { tools::DeclareConvert(app, convert); });
  InputFormat model;
  model.channels = text.size() % 2 == 0 ? 1 : 3;
  model.height = 24;
  model.width = model.resize = 32;
  const Result<InputFormat> chosen = tools::ChoosePreprocessing(convert.preprocessing, model, "--");
  if (!chosen.ok()) {
    Require(chosen.status().code() == StatusCode::kInvalidArgument, "refused cleanly");
    return;
  }
  Require(!tools::DescribePreprocessing(chosen.value()).empty(), "it is described");
}

void Outputs(const std::string& name) {
  Require(!Steers(tools::TerminalText(name)), "text is safe to print");
  tools::ImageResult result;
  result.path = name;
  result.truth = name;
  result.has_truth = true;
  result.error = name;
  result.guesses = {{0, name, 1.5, 0.5}, {1, name, -2.0, 0.5}};
  const std::string json = tools::FormatResult(tools::OutputFormat::kJsonLines, result, 2);
  Require(nlohmann::json::accept(json), "JSON is JSON");
  std::string lines[] = {json, tools::FormatResult(tools::OutputFormat::kCsv, result, 2), ""};
  result.error.clear();
  lines[2] = tools::FormatResult(tools::OutputFormat::kText, result, 2);
  for (std::string& line : lines) {
    Require(!line.empty() && line.back() == '\n', "a line ends");
    line.pop_back();
    Require(!Steers(line), "a line is safe to print");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CommandLines(text);
  for (const std::string& label : tools::ParseLabels(text)) Outputs(label);
  const Result<std::vector<float>> numbers = tools::ParseNpy({data, size});
  Require(numbers.ok() || !numbers.status().message().empty(), "an array, or a reason");
  return 0;
}
