// cssconvert: a trained ANN (ONNX) becomes a spiking network file.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/report.h"
#include "fmt/format.h"
#include "format/write_atomically.h"
#include "tools/args.h"
#include "tools/exit_codes.h"
#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/progress.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

constexpr char kProgram[] = "cssconvert";
const std::string kUsualTolerance = "0.5";  // percent, of --auto
constexpr char kExamples[] =
    "  cssconvert model.onnx -o net.fb --calibration images/\n"
    "  cssconvert resnet.onnx -o net.fb --calibration images/ --labels names.txt \\\n"
    "      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --timesteps 8 --beta 2";

const std::map<std::string, converter::InputCoding> kInputs = {
    {"css", converter::InputCoding::kCss}, {"direct", converter::InputCoding::kDirect}};
const std::map<std::string, converter::Coding> kCodings = {{"css", converter::Coding::kCss},
                                                           {"rate", converter::Coding::kRate}};
const std::map<std::string, converter::AmplitudeRule> kRules = {
    {"percentile", converter::AmplitudeRule::kPercentile},
    {"maximum", converter::AmplitudeRule::kMaximum},
    {"least-squares", converter::AmplitudeRule::kLeastSquares}};

struct Arguments {
  std::string model;
  std::string output;
  std::string calibration;
  std::string validation;
  std::string labels;
  std::string report;
  bool no_negative = false;
  double tolerance = -1;  // percent; negative: no search
  std::optional<converter::InputCoding> input;
  converter::Coding coding = converter::Coding::kCss;
  converter::ConvertOptions options;
};

int Fail(const Status& status) {
  PrintError(kProgram, status.message());
  return ExitCodeOf(status);
}

void Declare(CLI::App& app, Arguments& arguments) {
  converter::ConvertOptions& options = arguments.options;
  converter::CodeSettings& code = options.code;
  app.add_option("MODEL", arguments.model, "the trained network, ONNX (opset 9 to 17)")->required();
  app.add_option("-o,--output", arguments.output, "the network file to write")->required();
  app.add_option("--calibration", arguments.calibration,
                 "folder of images like those that will be classified; a few hundred do")
      ->required();

  const std::string pixels = "What the model was trained on";
  app.add_option("--mean", options.mean, "mean of pixel/255 per channel, r,g,b (0)")
      ->delimiter(',')
      ->group(pixels);
  app.add_option("--std", options.stddev, "standard deviation of pixel/255 per channel (1)")
      ->delimiter(',')
      ->group(pixels);
  app.add_option("--resize", options.resize,
                 "shorter side before the centre is cut out (the image's own size)")
      ->group(pixels);
  app.add_option("--labels", arguments.labels,
                 "file with one class name a line, in the order of the logits")
      ->group(pixels);

  const std::string coding = "The spike code";
  app.add_option("-T,--timesteps", code.timesteps, "spikes a value is coded in")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
      ->group(coding);
  app.add_option("--beta", code.beta, "by how much a spike outweighs the next; 1.5 and 2 are fast")
      ->check(CLI::Range(1.0, 4.0))
      ->capture_default_str()
      ->group(coding);
  app.add_option("--silent", code.silent_steps, "silent steps L of each layer")
      ->check(CLI::Range(0, 8))
      ->capture_default_str()
      ->group(coding);
  app.add_option("--threshold", code.threshold,
                 "firing threshold as a share of the amplitude; the paper's is 0.5")
      ->check(CLI::Range(0.1, 1.5))
      ->capture_default_str()
      ->group(coding);
  app.add_option("--last-threshold", code.last_threshold,
                 "the same for a neuron's last spike; 0.5 rounds to nearest, 0.6 saves spikes")
      ->check(CLI::Range(0.1, 1.5))
      ->capture_default_str()
      ->group(coding);
  app.add_flag("--no-negative", arguments.no_negative, "neurons send positive spikes only")
      ->group(coding);
  app.add_option("--input", arguments.input,
                 "how pixels enter: css (spikes; from T = 6 on), direct (multiplications)")
      ->transform(CLI::CheckedTransformer(kInputs, CLI::ignore_case).description("css|direct"))
      ->group(coding);
  app.add_option("--coding", arguments.coding,
                 "css, or rate: soft-reset IF neurons, the baseline of comparisons")
      ->transform(CLI::CheckedTransformer(kCodings, CLI::ignore_case).description("css|rate"))
      ->group(coding);
  app.add_option("--amplitudes", options.amplitudes.rule,
                 "what a layer's amplitude must carry: percentile, maximum or least-squares")
      ->transform(CLI::CheckedTransformer(kRules, CLI::ignore_case)
                      .description("percentile|maximum|least-squares"))
      ->group(coding);
  app.add_flag("--per-channel", options.amplitudes.per_channel,
               "an amplitude for each channel, where no identity joins it to others")
      ->group(coding);
  app.add_option("--adjust", options.amplitudes.adjust_rounds,
                 "rounds of the paper's adjustment (A18) of amplitudes to residual potentials")
      ->check(CLI::Range(0, 100))
      ->group(coding);
  app.add_option("--percentile", options.amplitudes.percentile,
                 "of a layer's activations, which its spikes can just carry")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str()
      ->group(coding);

  app.add_option(
         "--auto", arguments.tolerance,
         "search for the cheapest code that differs from the ANN on at most so many percent "
         "of the calibration images (0.5)")
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("[PERCENT]")
      ->group(coding);
  app.add_option("--validate", arguments.validation,
                 "folder of other images on which to compare the result with the ANN");
  app.add_option("--report", arguments.report, "write the conversion report here, as JSON");
  app.add_option("--threads", options.threads, "for running the converted network (all cores)")
      ->check(CLI::Range(0, 1024));
}

// What was not asked for follows from the model and the coding.
Status ChooseCode(const CLI::App& app, const Arguments& arguments, const converter::Model& model,
                  converter::CodeSettings& code) {
  const converter::CodeSettings asked = code;
  const auto given = [&](const char* option) { return app.count(option) > 0; };
  if (arguments.coding == converter::Coding::kRate) {
    for (const char* option : {"--beta", "--silent", "--threshold", "--last-threshold"}) {
      if (given(option)) {
        return Status::InvalidArgument(
            fmt::format("{}: a rate code has none; leave it out with --coding rate", option));
      }
    }
    code = converter::CodeSettings::Rate(asked.timesteps, !arguments.no_negative);
  } else {
    if (model.quantized_code.has_value()) code = *model.quantized_code;
    if (given("--beta")) code.beta = asked.beta;
    if (given("--silent")) code.silent_steps = asked.silent_steps;
    if (given("--threshold")) code.threshold = asked.threshold;
    if (given("--last-threshold")) code.last_threshold = asked.last_threshold;
    if (given("--timesteps")) code.timesteps = asked.timesteps;
  }
  code.negative_spikes = !arguments.no_negative;
  code.input = arguments.input;
  return Status::Ok();
}

// What a search chooses cannot be chosen beside it.
Status CheckSearch(const CLI::App& app, const converter::Model& model) {
  for (const char* option :
       {"--timesteps", "--beta", "--silent", "--threshold", "--last-threshold", "--input",
        "--coding", "--amplitudes", "--per-channel", "--adjust", "--no-negative"}) {
    if (app.count(option) > 0) {
      return Status::InvalidArgument(
          fmt::format("{}: --auto chooses it; leave one of the two out", option));
    }
  }
  if (!model.quantized_code.has_value()) return Status::Ok();
  return Status::InvalidArgument(
      "--auto: the model is quantized and brings its own code; leave --auto out");
}

// One number for all channels, or one per channel.
Status Spread(const std::string& option, float fallback, size_t channels,
              std::vector<float>& values) {
  if (values.empty()) values.push_back(fallback);
  if (values.size() == 1) values.resize(channels, values[0]);
  const bool positive =
      option != "--std" || std::all_of(values.begin(), values.end(), [](float v) { return v > 0; });
  if (values.size() == channels && positive) return Status::Ok();
  return Status::InvalidArgument(fmt::format("{}: the model takes {} channels{}", option, channels,
                                             positive ? "" : ", and each deviation is positive"));
}

// Class names: from --labels, else the calibration folder's own sub-folders where they are as many
// as the classes, in the sorted order that torchvision's ImageFolder trains with.
Status ChooseLabels(const Arguments& arguments, size_t classes, bool& guessed,
                    std::vector<std::string>& labels) {
  guessed = false;
  if (!arguments.labels.empty()) {
    Result<std::vector<std::string>> read = ReadLabels(arguments.labels);
    if (!read.ok()) return read.status();
    labels = std::move(read).value();
    if (labels.size() == classes) return Status::Ok();
    return Status::InvalidArgument(fmt::format("{}: {} labels, the model has {} classes",
                                               arguments.labels, labels.size(), classes));
  }
  Result<std::vector<std::string>> folders = FolderNames(arguments.calibration);
  if (!folders.ok()) return folders.status();
  if (folders.value().size() == classes) {
    labels = std::move(folders).value();
    guessed = true;
  }
  return Status::Ok();
}

Status LoadImages(const std::string& folder, const std::vector<std::string>& labels,
                  const InputFormat& format, Progress& progress, converter::ImageSet& images) {
  Result<std::vector<ImageFile>> listed = ListImages({folder}, labels, std::cin);
  if (!listed.ok()) return listed.status();
  const std::vector<ImageFile>& files = listed.value();
  if (files.empty()) {
    return Status::InvalidArgument(folder + ": no images (.jpg, .png, .ppm, .pgm) in it");
  }
  for (const ImageFile& file : files) {
    std::vector<uint8_t> pixels;
    if (Status status = ReadPixels(file.path, format, pixels); !status.ok()) {
      // A network calibrated on something else than was asked for is worse than none.
      return status.code() == StatusCode::kIo ? status : Status::Io(status.message());
    }
    images.pixels.push_back(std::move(pixels));
    images.truth.push_back(file.truth);
    progress.Update("reading images", images.pixels.size(), files.size());
  }
  return Status::Ok();
}

Status WriteText(const std::string& path, const std::string& text) {
  return WriteFileAtomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// "--auto 1" as "--auto=1" and "--auto" alone with its usual value: CLI11 would take any next
// argument for the value, a path too.
std::vector<std::string> JoinOptionalValue(int argc, char** argv) {
  std::vector<std::string> joined(argv, argv + argc);
  for (size_t i = 1; i < joined.size(); ++i) {
    if (joined[i] != "--auto") continue;
    const std::string next = i + 1 < joined.size() ? joined[i + 1] : "";
    const bool number = !next.empty() && next.find_first_not_of("0123456789.") == std::string::npos;
    joined[i] += "=" + (number ? next : kUsualTolerance);
    if (number) joined.erase(joined.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return joined;
}

int Run(int argc, char** argv) {
  CLI::App app("Converts a trained network to the Canonic Signed Spike code.", kProgram);
  Arguments arguments;
  Declare(app, arguments);
  Prepare(app, kExamples);
  const std::vector<std::string> joined = JoinOptionalValue(argc, argv);
  std::vector<const char*> words;
  for (const std::string& word : joined) words.push_back(word.c_str());
  if (const auto exit = Parse(app, static_cast<int>(words.size()), words.data());
      exit.has_value()) {
    return *exit;
  }
  converter::ConvertOptions& options = arguments.options;
  Result<converter::Model> model = converter::LoadModel(arguments.model);
  if (!model.ok()) return Fail(model.status());
  if (Status status = ChooseCode(app, arguments, model.value(), options.code); !status.ok()) {
    return Fail(status);
  }
  if (arguments.tolerance >= 0) {
    if (Status status = CheckSearch(app, model.value()); !status.ok()) return Fail(status);
    options.search_tolerance = arguments.tolerance / 100;
  }
  InputFormat format = model.value().input;
  for (const Status& status : {Spread("--mean", 0, format.channels, options.mean),
                               Spread("--std", 1, format.channels, options.stddev)}) {
    if (!status.ok()) return Fail(status);
  }
  if (options.resize != 0) {
    if (options.resize < format.resize) {
      return Fail(
          Status::InvalidArgument(fmt::format("--resize {}: the model takes images of {} x {}",
                                              options.resize, format.width, format.height)));
    }
    format.resize = options.resize;
  }
  bool guessed = false;
  if (Status status = ChooseLabels(arguments, model.value().classes, guessed, options.labels);
      !status.ok()) {
    return Fail(status);
  }
  Progress progress;
  converter::ImageSet calibration;
  converter::ImageSet validation;
  Status loaded = LoadImages(arguments.calibration, options.labels, format, progress, calibration);
  if (loaded.ok() && !arguments.validation.empty()) {
    loaded = LoadImages(arguments.validation, options.labels, format, progress, validation);
  }
  if (!loaded.ok()) {
    progress.Clear();
    return Fail(loaded);
  }
  Result<converter::Conversion> conversion = converter::Convert(
      model.value(), calibration, validation, options,
      [&](const char* stage, size_t done, size_t total) { progress.Update(stage, done, total); });
  progress.Clear();
  if (!conversion.ok()) return Fail(conversion.status());

  const auto& [bytes, report] = conversion.value();
  if (Status status = WriteFileAtomically(arguments.output, {bytes.data(), bytes.size()});
      !status.ok()) {
    return Fail(status);
  }
  if (!arguments.report.empty()) {
    if (Status status = WriteText(arguments.report, converter::ReportToJson(report));
        !status.ok()) {
      return Fail(status);
    }
  }
  fmt::print(stderr, "{}", TerminalText(converter::FormatReport(report), true));
  if (options.search_tolerance.has_value() &&
      *options.search_tolerance * static_cast<double>(calibration.pixels.size()) < 2) {
    fmt::print(
        stderr,
        "{} images cannot show a difference of {:g} %: give --auto at least {:.0f}, or expect "
        "a larger one on other images\n",
        calibration.pixels.size(), arguments.tolerance, 2 / *options.search_tolerance);
  }
  if (guessed) {
    fmt::print(stderr,
               "Class names come from the folders of {}, sorted; give --labels if the model's "
               "order differs\n",
               TerminalText(arguments.calibration));
  }
  fmt::print(stderr, "Wrote {}: {:.1f} kB\n", TerminalText(arguments.output),
             static_cast<double>(bytes.size()) / 1e3);
  return kAllDone;
}

}  // namespace
}  // namespace cssrun::tools

int main(int argc, char** argv) { return cssrun::tools::Run(argc, argv); }
