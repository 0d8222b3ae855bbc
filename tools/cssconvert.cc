// cssconvert: a trained ANN (ONNX) becomes a spiking network file.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/report.h"
#include "fmt/format.h"
#include "format/write_atomically.h"
#include "tools/args.h"
#include "tools/cssconvert_arguments.h"
#include "tools/exit_codes.h"
#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/label_file.h"
#include "tools/progress.h"
#include "tools/run_main.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

constexpr char kProgram[] = "cssconvert";

int Fail(const Status& status) {
  PrintError(kProgram, status.message());
  return ExitCodeOf(status);
}

// What was not asked for follows from the model and the coding.
Status ChooseCode(const CLI::App& app, const ConvertArguments& arguments,
                  const converter::Model& model, converter::CodeSettings& code) {
  const converter::CodeSettings asked = code;
  const auto given = [&](const char* option) { return app.count(option) > 0; };
  if (arguments.coding == converter::Coding::kRate) {
    for (const char* option : {"--beta", "--silent", "--threshold"}) {
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
    if (given("--timesteps")) code.timesteps = asked.timesteps;
  }
  code.negative_spikes = !arguments.no_negative;
  code.input = arguments.input;
  return Status::Ok();
}

// What a search chooses cannot be chosen beside it.
Status CheckSearch(const CLI::App& app, const converter::Model& model) {
  for (const char* option :
       {"--timesteps", "--beta", "--silent", "--threshold", "--input", "--coding", "--amplitudes",
        "--per-channel", "--adjust", "--no-negative"}) {
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
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
    return Status::InvalidArgument(option + ": not a finite number");
  }
  if (values.size() == channels && positive) return Status::Ok();
  return Status::InvalidArgument(fmt::format("{}: the model takes {} channels{}", option, channels,
                                             positive ? "" : ", and each deviation is positive"));
}

// Class names: from --labels, else the calibration folder's own sub-folders where they are as many
// as the classes, in the sorted order that torchvision's ImageFolder trains with.
Status ChooseLabels(const ConvertArguments& arguments, size_t classes, bool& guessed,
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
                  const InputFormat& format, const ImageLimits& limits, Progress& progress,
                  converter::ImageSet& images) {
  Result<std::vector<ImageFile>> listed = ListImages({folder}, labels, std::cin);
  if (!listed.ok()) return listed.status();
  const std::vector<ImageFile>& files = listed.value();
  if (files.empty()) {
    return Status::InvalidArgument(folder + ": no images (.jpg, .png, .ppm, .pgm) in it");
  }
  for (const ImageFile& file : files) {
    std::vector<uint8_t> pixels;
    if (Status status = ReadPixels(file.path, format, pixels, limits); !status.ok()) {
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

int Run(int argc, char** argv) {
  CLI::App app("Converts a trained network to the Canonic Signed Spike code.", kProgram);
  ConvertArguments arguments;
  DeclareConvert(app, arguments);
  const std::vector<std::string> joined = JoinOptionalValue({argv, argv + argc});
  std::vector<const char*> words;
  for (const std::string& word : joined) words.push_back(word.c_str());
  if (const auto exit = Parse(app, static_cast<int>(words.size()), words.data());
      exit.has_value()) {
    return *exit;
  }
  converter::ConvertOptions& options = arguments.options;
  options.limits = arguments.limits.network;
  Result<converter::Model> model = converter::LoadModel(arguments.model, arguments.limits.network);
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
  Status loaded = LoadImages(arguments.calibration, options.labels, format, arguments.limits.image,
                             progress, calibration);
  if (loaded.ok() && !arguments.validation.empty()) {
    loaded = LoadImages(arguments.validation, options.labels, format, arguments.limits.image,
                        progress, validation);
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
  PrintMessage(TerminalText(converter::FormatReport(report), true));
  if (options.search_tolerance.has_value() &&
      *options.search_tolerance * static_cast<double>(calibration.pixels.size()) < 2) {
    PrintMessage(fmt::format(
        "{} images cannot show a difference of {:g} %: give --auto at least {:.0f}, or expect "
        "a larger one on other images\n",
        calibration.pixels.size(), arguments.tolerance, 2 / *options.search_tolerance));
  }
  if (guessed) {
    PrintMessage(fmt::format(
        "Class names come from the folders of {}, sorted; give --labels if the model's order "
        "differs\n",
        TerminalText(arguments.calibration)));
  }
  PrintMessage(fmt::format("Wrote {}: {:.1f} kB\n", TerminalText(arguments.output),
                           static_cast<double>(bytes.size()) / 1e3));
  return kAllDone;
}

}  // namespace
}  // namespace cssrun::tools

int main(int argc, char** argv) {
  return cssrun::tools::RunMain(cssrun::tools::kProgram, argc, argv, cssrun::tools::Run);
}
