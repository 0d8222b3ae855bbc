// cssconvert: converts a trained ANN (ONNX) to a spiking network file.
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "converter/choose_code.h"
#include "converter/convert.h"
#include "converter/report.h"
#include "fmt/format.h"
#include "format/write_atomically.h"
#include "tools/args.h"
#include "tools/check.h"
#include "tools/cssconvert_arguments.h"
#include "tools/exit_codes.h"
#include "tools/image_set.h"
#include "tools/label_file.h"
#include "tools/npy.h"
#include "tools/progress.h"
#include "tools/run_main.h"
#include "tools/terminal_text.h"
#include "tools/written_files.h"

namespace cssrun::tools {
namespace {

constexpr char kProgram[] = "cssconvert";
constexpr char kDashes[] = "--";

int Fail(const Status& status) {
  PrintError(kProgram, status.message());
  return ExitCodeOf(status);
}

// Returns the settings that were given on the command line.
converter::AskedCode AskedBy(const CLI::App& app, const ConvertArguments& arguments) {
  const auto given = [&](const char* option) { return app.count(option) > 0; };
  const converter::CodeSettings& code = arguments.options.code;
  converter::AskedCode asked;
  asked.coding = arguments.coding;
  if (given("--timesteps")) asked.timesteps = code.timesteps;
  if (given("--beta")) asked.beta = code.beta;
  if (given("--silent")) asked.silent_steps = code.silent_steps;
  if (given("--threshold")) asked.threshold = code.threshold;
  if (given("--last-threshold")) asked.last_threshold = code.last_threshold;
  asked.negative_spikes = !arguments.no_negative;
  asked.input = arguments.input;
  asked.paper = arguments.paper;
  return asked;
}

// Returns what was said of a search, and which options it must not be combined with.
converter::AskedSearch SearchBy(const CLI::App& app, const ConvertArguments& arguments) {
  converter::AskedSearch asked;
  asked.goal = arguments.goal;
  asked.agree = arguments.agree;
  if (arguments.tolerance >= 0) asked.automatic = arguments.tolerance;
  const auto note = [&](std::initializer_list<const char*> options,
                        std::vector<std::string>& given) {
    for (const char* option : options) {
      if (app.count(std::string(kDashes) + option) > 0) given.emplace_back(option);
    }
  };
  note({"timesteps", "beta", "silent", "threshold", "last-threshold", "input", "coding",
        "no-negative", "paper"},
       asked.code);
  note({"amplitudes", "per-channel", "adjust"}, asked.amplitudes);
  return asked;
}

// Chooses the class names: those of --labels, else guessed from the calibration folder.
Status ChooseLabels(const ConvertArguments& arguments, size_t classes, bool& guessed,
                    std::vector<std::string>& labels) {
  const bool given = !arguments.labels.empty();
  Result<std::vector<std::string>> names =
      given ? ReadLabels(arguments.labels) : GuessLabels(arguments.calibration, classes);
  if (!names.ok()) return names.status();
  labels = std::move(names).value();
  guessed = !given && !labels.empty();
  if (!given || labels.size() == classes) return Status::Ok();
  return Status::InvalidArgument(fmt::format("{}: {} labels, the model has {} classes",
                                             arguments.labels, labels.size(), classes));
}

// Says what is no error. A note may have several lines.
void PrintNote(const std::string& note) {
  PrintMessage(std::string(kProgram) + ": " + TerminalText(note, true) + "\n");
}

Result<CheckResult> Check(const ConvertArguments& arguments, const converter::Graph& graph,
                          const InputFormat& format) {
  const Result<std::vector<float>> expected = ReadNpy(arguments.check[1]);
  if (!expected.ok()) return expected.status();
  Result<CheckResult> checked = CheckPreprocessing(graph, format, arguments.check[0],
                                                   expected.value(), arguments.limits.image);
  if (checked.ok() || checked.status().code() != StatusCode::kInvalidArgument) return checked;
  const std::string& message = checked.status().message();
  const bool names = message.starts_with(arguments.check[0]);
  return Status::InvalidArgument(names ? message : arguments.check[1] + ": " + message);
}

// A search that counts answers needs images enough to see the difference that it may make; "" where
// they are.
std::string TooFewImages(const converter::ConvertOptions& options, size_t images) {
  if (!options.search.has_value() || options.search->goal != converter::Goal::kEnergy) return "";
  const double differing = 1 - options.search->agreement;
  if (differing * static_cast<double>(images) >= 2) return "";
  return fmt::format(
      "{} images cannot show a difference of {:g} %: give at least {:.0f}, or expect a larger one "
      "on other images\n",
      images, differing * 100, 2 / differing);
}

int ConvertSpiking(const ConvertArguments& arguments) {
  std::vector<std::string> labels;
  if (!arguments.labels.empty()) {
    Result<std::vector<std::string>> names = ReadLabels(arguments.labels);
    if (!names.ok()) return Fail(names.status());
    labels = std::move(names).value();
  }
  const Status status = ConvertNirFile(arguments.model, arguments.output, arguments.nir, labels,
                                       arguments.limits.network);
  return status.ok() ? kAllDone : Fail(status);
}

int Run(int argc, char** argv) {
  CLI::App app("Converts a trained network to the Canonic Signed Spike code.", kProgram);
  ConvertArguments arguments;
  DeclareConvert(app, arguments);
  const std::vector<std::string> joined = JoinOptionalValue({argv, argv + argc});
  std::vector<const char*> words;
  words.reserve(joined.size());
  for (const std::string& word : joined) words.push_back(word.c_str());
  if (const auto exit = Parse(app, static_cast<int>(words.size()), words.data());
      exit.has_value()) {
    return *exit;
  }
  // Before minutes of work that could not be kept.
  if (Status status =
          CheckWrittenFiles({{"--output", arguments.output}, {"--report", arguments.report}});
      !status.ok()) {
    return Fail(status);
  }
  const bool is_nir = IsNirFile(arguments.model);
  if (Status status = CheckNirOptions(app, is_nir); !status.ok()) return Fail(status);
  if (is_nir) return ConvertSpiking(arguments);
  converter::ConvertOptions& options = arguments.options;
  options.limits = arguments.limits.network;
  const Result<std::optional<converter::ImageSize>> size = ParseInputSize(arguments.input_size);
  if (!size.ok()) return Fail(size.status());
  Result<converter::Model> model =
      converter::LoadModel(arguments.model, arguments.limits.network, size.value());
  if (!model.ok()) return Fail(model.status());
  const std::optional<converter::CodeSettings>& quantized = model.value().quantized_code;
  Result<converter::CodeSettings> code =
      converter::ChooseCode(AskedBy(app, arguments), quantized, kDashes);
  if (!code.ok()) return Fail(code.status());
  options.code = code.value();
  Result<std::optional<converter::CodeSearch>> search =
      converter::ChooseSearch(SearchBy(app, arguments), quantized, kDashes);
  if (!search.ok()) return Fail(search.status());
  options.search = search.value();
  AskedPreprocessing preprocessing = arguments.preprocessing;
  preprocessing.whole_frames = size.value().has_value() && model.value().graph.has_own_size;
  preprocessing.takes_bytes = model.value().graph.takes_bytes;
  const Result<InputFormat> chosen =
      ChoosePreprocessing(preprocessing, model.value().input, kDashes);
  if (!chosen.ok()) return Fail(chosen.status());
  const InputFormat& format = chosen.value();
  options.pictures = format;
  options.mean = format.mean;
  options.stddev = format.stddev;
  if (!arguments.check.empty()) {
    const Result<CheckResult> checked = Check(arguments, model.value().graph, format);
    if (!checked.ok()) return Fail(checked.status());
    PrintMessage(TerminalText(checked.value().text, true));
    if (!checked.value().matches) return kSomeInputsFailed;
    if (arguments.output.empty()) return kAllDone;
  }
  options.answer = arguments.answer.value_or(model.value().answer);
  bool guessed = false;
  // Numbers have no names; labels that are given all the same are Convert()'s error.
  if (options.answer == AnswerKind::kClasses || !arguments.labels.empty()) {
    const Status status = ChooseLabels(arguments, model.value().classes, guessed, options.labels);
    if (!status.ok()) return Fail(status);
  }
  Progress progress;
  converter::ImageSet calibration;
  converter::ImageSet validation;
  const auto reading = [&](size_t done, size_t total) {
    progress.Update("reading images", done, total);
  };
  for (const bool validating : {false, true}) {
    const std::string& folder = validating ? arguments.validation : arguments.calibration;
    if (folder.empty()) continue;
    const Result<std::vector<std::string>> notes =
        ReadImageSet(folder, options.labels, format, arguments.limits.image, reading,
                     validating ? validation : calibration);
    progress.Clear();
    if (!notes.ok()) return Fail(notes.status());
    for (const std::string& note : notes.value()) PrintNote(note);
  }
  if (const std::string twins = DescribeTwins(options.labels); !twins.empty()) PrintNote(twins);
  Result<converter::Conversion> conversion = converter::Convert(
      model.value(), calibration, validation, options,
      [&](const char* stage, size_t done, size_t total) { progress.Update(stage, done, total); });
  progress.Clear();
  if (!conversion.ok()) return Fail(conversion.status());

  const auto& [bytes, report] = conversion.value();
  if (Status status = format::WriteFileAtomically(arguments.output, {bytes.data(), bytes.size()});
      !status.ok()) {
    return Fail(status);
  }
  if (!arguments.report.empty()) {
    if (Status status = WriteText(arguments.report, converter::ReportToJson(report));
        !status.ok()) {
      return Fail(status);
    }
  }
  PrintMessage(TerminalText(converter::FormatReport(report), true));
  PrintMessage(TooFewImages(options, calibration.pixels.size()));
  if (guessed) {
    PrintMessage(fmt::format(
        "Class names come from the folders of {}, sorted; give --labels if the model's order "
        "differs\n",
        TerminalText(arguments.calibration)));
  }
  PrintMessage(fmt::format("Pictures: {}\n", DescribePreprocessing(format)));
  PrintMessage(fmt::format("Wrote {}: {:.1f} kB\n", TerminalText(arguments.output),
                           static_cast<double>(bytes.size()) / 1e3));
  for (const std::string& warning : report.warnings) {
    PrintMessage(fmt::format("\nWARNING: {}\n", TerminalText(warning)));
  }
  return kAllDone;
}

}  // namespace
}  // namespace cssrun::tools

int main(int argc, char** argv) {
  return cssrun::tools::RunMain(cssrun::tools::kProgram, argc, argv, cssrun::tools::Run);
}
