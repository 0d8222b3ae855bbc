// cssconvert: converts a trained ANN (ONNX) to a spiking network file.
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
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

// What a conversion of an ANN takes. Each Prepare...() fills in a part, and needs those before it.
struct Job {
  converter::Model model;
  bool other_size = false;  // --input-size, of a model that has a size of its own
  converter::ConvertOptions options;
  bool labels_guessed = false;
  converter::ImageSet calibration;
  converter::ImageSet validation;
};

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

// Says what is no error. A note may have several lines.
void PrintNote(const std::string& note) {
  PrintMessage(std::string(kProgram) + ": " + TerminalText(note, true) + "\n");
}

// Reads the model, for images of the size that was asked for.
Status PrepareModel(const ConvertArguments& arguments, Job& job) {
  const Result<std::optional<converter::ImageSize>> size = ParseInputSize(arguments.input_size);
  if (!size.ok()) return size.status();
  Result<converter::Model> model =
      converter::LoadModel(arguments.model, arguments.limits.network, size.value());
  if (!model.ok()) return model.status();
  job.model = std::move(model).value();
  job.other_size = size.value().has_value() && job.model.graph.has_own_size;
  return Status::Ok();
}

// Chooses the code, or what a search for one looks for.
Status PrepareCode(const CLI::App& app, const ConvertArguments& arguments, Job& job) {
  const std::optional<converter::CodeSettings>& quantized = job.model.quantized_code;
  const Result<converter::CodeSettings> code =
      converter::ChooseCode(AskedBy(app, arguments), quantized, kDashes);
  if (!code.ok()) return code.status();
  const Result<std::optional<converter::CodeSearch>> search =
      converter::ChooseSearch(SearchBy(app, arguments), quantized, kDashes);
  if (!search.ok()) return search.status();
  job.options.code = code.value();
  job.options.search = search.value();
  return Status::Ok();
}

// Chooses how pictures become the model's images.
Status PreparePictures(const ConvertArguments& arguments, Job& job) {
  AskedPreprocessing asked = arguments.preprocessing;
  asked.whole_frames = job.other_size;
  asked.takes_bytes = job.model.graph.takes_bytes;
  const Result<InputFormat> chosen = ChoosePreprocessing(asked, job.model.input, kDashes);
  if (!chosen.ok()) return chosen.status();
  job.options.pictures = chosen.value();
  job.options.mean = chosen.value().mean;
  job.options.stddev = chosen.value().stddev;
  return Status::Ok();
}

// Chooses the kind of the answer, and the class names: those of --labels, else guessed from the
// calibration folder.
Status PrepareLabels(const ConvertArguments& arguments, Job& job) {
  job.options.answer = arguments.answer.value_or(job.model.answer);
  const bool given = !arguments.labels.empty();
  // Numbers have no names; labels that are given all the same are Convert()'s error.
  if (job.options.answer != AnswerKind::kClasses && !given) return Status::Ok();
  const size_t classes = job.model.classes;
  Result<std::vector<std::string>> names =
      given ? ReadLabels(arguments.labels) : GuessLabels(arguments.calibration, classes);
  if (!names.ok()) return names.status();
  std::vector<std::string>& labels = job.options.labels;
  labels = std::move(names).value();
  job.labels_guessed = !given && !labels.empty();
  if (!given || labels.size() == classes) return Status::Ok();
  return Status::InvalidArgument(fmt::format("{}: {} labels, the model has {} classes",
                                             arguments.labels, labels.size(), classes));
}

// Reads the images, and says what the user should know of them.
Status PrepareImages(const ConvertArguments& arguments, Job& job) {
  Progress progress;
  const auto reading = [&](size_t done, size_t total) {
    progress.Update("reading images", done, total);
  };
  for (const bool validating : {false, true}) {
    const std::string& folder = validating ? arguments.validation : arguments.calibration;
    if (folder.empty()) continue;
    const Result<std::vector<std::string>> notes =
        ReadImageSet(folder, job.options.labels, *job.options.pictures, arguments.limits.image,
                     reading, validating ? job.validation : job.calibration);
    progress.Clear();
    if (!notes.ok()) return notes.status();
    for (const std::string& note : notes.value()) PrintNote(note);
  }
  if (const std::string twins = DescribeTwins(job.options.labels); !twins.empty()) {
    PrintNote(twins);
  }
  return Status::Ok();
}

// Does what --check asks for, and prints what came of it. Returns whether the logits match.
Result<bool> CheckPicture(const ConvertArguments& arguments, const Job& job) {
  const std::string& picture = arguments.check[0];
  const std::string& logits = arguments.check[1];
  const Result<std::vector<float>> expected = ReadNpy(logits);
  if (!expected.ok()) return expected.status();
  const Result<CheckResult> checked = CheckPreprocessing(
      job.model.graph, *job.options.pictures, picture, expected.value(), arguments.limits.image);
  if (checked.ok()) {
    PrintMessage(TerminalText(checked.value().text, true));
    return checked.value().matches;
  }
  const std::string& message = checked.status().message();
  // What is wrong with the numbers does not name their file.
  const bool named =
      checked.status().code() != StatusCode::kInvalidArgument || message.starts_with(picture);
  return named ? checked.status() : Status::InvalidArgument(logits + ": " + message);
}

Result<converter::Conversion> ConvertWithProgress(const Job& job) {
  Progress progress;
  Result<converter::Conversion> conversion = converter::Convert(
      job.model, job.calibration, job.validation, job.options,
      [&](const char* stage, size_t done, size_t total) { progress.Update(stage, done, total); });
  progress.Clear();
  return conversion;
}

Status WriteFiles(const ConvertArguments& arguments, const converter::Conversion& conversion) {
  const auto& [bytes, report] = conversion;
  const Status status = format::WriteFileAtomically(arguments.output, {bytes.data(), bytes.size()});
  if (!status.ok() || arguments.report.empty()) return status;
  return WriteText(arguments.report, converter::ReportToJson(report));
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

void PrintReport(const ConvertArguments& arguments, const Job& job,
                 const converter::Conversion& conversion) {
  const auto& [bytes, report] = conversion;
  PrintMessage(TerminalText(converter::FormatReport(report), true));
  PrintMessage(TooFewImages(job.options, job.calibration.pixels.size()));
  if (job.labels_guessed) {
    PrintMessage(fmt::format(
        "Class names come from the folders of {}, sorted; give --labels if the model's order "
        "differs\n",
        TerminalText(arguments.calibration)));
  }
  PrintMessage(fmt::format("Pictures: {}\n", DescribePreprocessing(*job.options.pictures)));
  PrintMessage(fmt::format("Wrote {}: {:.1f} kB\n", TerminalText(arguments.output),
                           static_cast<double>(bytes.size()) / 1e3));
  for (const std::string& warning : report.warnings) {
    PrintMessage(fmt::format("\nWARNING: {}\n", TerminalText(warning)));
  }
}

Result<ExitCode> ConvertAnn(const CLI::App& app, const ConvertArguments& arguments) {
  Job job;
  job.options = arguments.options;
  job.options.limits = arguments.limits.network;
  if (Status status = PrepareModel(arguments, job); !status.ok()) return status;
  if (Status status = PrepareCode(app, arguments, job); !status.ok()) return status;
  if (Status status = PreparePictures(arguments, job); !status.ok()) return status;
  if (!arguments.check.empty()) {
    const Result<bool> matches = CheckPicture(arguments, job);
    if (!matches.ok()) return matches.status();
    if (!matches.value()) return kSomeInputsFailed;
    if (arguments.output.empty()) return kAllDone;
  }
  if (Status status = PrepareLabels(arguments, job); !status.ok()) return status;
  if (Status status = PrepareImages(arguments, job); !status.ok()) return status;
  const Result<converter::Conversion> conversion = ConvertWithProgress(job);
  if (!conversion.ok()) return conversion.status();
  if (Status status = WriteFiles(arguments, conversion.value()); !status.ok()) return status;
  PrintReport(arguments, job, conversion.value());
  return kAllDone;
}

Result<ExitCode> ConvertSpiking(const ConvertArguments& arguments) {
  Result<std::vector<std::string>> labels = std::vector<std::string>();
  if (!arguments.labels.empty()) labels = ReadLabels(arguments.labels);
  if (!labels.ok()) return labels.status();
  const Status status = ConvertNirFile(arguments.model, arguments.output, arguments.nir,
                                       labels.value(), arguments.limits.network);
  if (!status.ok()) return status;
  return kAllDone;
}

Result<ExitCode> Convert(const CLI::App& app, const ConvertArguments& arguments) {
  // Before minutes of work that could not be kept.
  if (Status status =
          CheckWrittenFiles({{"--output", arguments.output}, {"--report", arguments.report}});
      !status.ok()) {
    return status;
  }
  const bool is_nir = IsNirFile(arguments.model);
  if (Status status = CheckNirOptions(app, is_nir); !status.ok()) return status;
  return is_nir ? ConvertSpiking(arguments) : ConvertAnn(app, arguments);
}

std::optional<ExitCode> ParseWords(CLI::App& app, int argc, char** argv) {
  const std::vector<std::string> joined = JoinOptionalValue({argv, argv + argc});
  std::vector<const char*> words;
  words.reserve(joined.size());
  for (const std::string& word : joined) words.push_back(word.c_str());
  return Parse(app, static_cast<int>(words.size()), words.data());
}

int Run(int argc, char** argv) {
  CLI::App app("Converts a trained network to the Canonic Signed Spike code.", kProgram);
  ConvertArguments arguments;
  DeclareConvert(app, arguments);
  if (const auto exit = ParseWords(app, argc, argv); exit.has_value()) return *exit;
  const Result<ExitCode> exit = Convert(app, arguments);
  if (exit.ok()) return exit.value();
  PrintError(kProgram, exit.status().message());
  return ExitCodeOf(exit.status());
}

}  // namespace
}  // namespace cssrun::tools

int main(int argc, char** argv) {
  return cssrun::tools::RunMain(cssrun::tools::kProgram, argc, argv, cssrun::tools::Run);
}
