// cssrun: classifies images with a converted network.
#include "cssrun/cssrun.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "format/write_atomically.h"
#include "tools/args.h"
#include "tools/cssrun_arguments.h"
#include "tools/exit_codes.h"
#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/run_main.h"
#include "tools/summary.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

constexpr char kProgram[] = "cssrun";

Status SetEarlyExit(const CssrunArguments& arguments, const Network& network,
                    SessionOptions& options) {
  if (arguments.early_exit.empty()) return Status::Ok();
  if (arguments.early_exit != "auto") {
    options.early_exit_margin = std::stod(arguments.early_exit);
    return Status::Ok();
  }
  options.early_exit_margin = network.early_exit_margin();
  if (options.early_exit_margin.has_value()) return Status::Ok();
  return Status::InvalidArgument(arguments.network +
                                 ": has no margin of its own; name one, or convert it again");
}

OutputFormat FormatNamed(const std::string& name) {
  if (name == "csv") return OutputFormat::kCsv;
  return name == "jsonl" ? OutputFormat::kJsonLines : OutputFormat::kText;
}

int Fail(const Status& status) {
  PrintError(kProgram, status.message());
  return ExitCodeOf(status);
}

Result<std::vector<ImageFile>> CollectImages(const CssrunArguments& arguments,
                                             const Network& network) {
  std::vector<std::string> paths = arguments.paths;
  if (!arguments.paths_from.empty()) {
    Result<std::vector<std::string>> listed = arguments.paths_from == "-"
                                                  ? ReadPaths(std::cin, '\0', "standard input")
                                                  : ReadPathsFrom(arguments.paths_from, '\0');
    if (!listed.ok()) return listed.status();
    std::move(listed.value().begin(), listed.value().end(), std::back_inserter(paths));
  }
  if (paths.empty()) {
    return Status::InvalidArgument("no images are named; give files, folders or - (see --help)");
  }
  Result<std::vector<ImageFile>> images = ListImages(paths, network.labels(), std::cin);
  if (images.ok() && images.value().empty()) {
    return Status::InvalidArgument("no images (.jpg, .png, .ppm, .pgm) in what was named");
  }
  return images;
}

ImageResult Describe(const ImageFile& file, const ImageOutcome& outcome, const Network& network,
                     size_t topk) {
  ImageResult result;
  result.path = file.path;
  if (file.truth != kUnknownTruth) {
    result.has_truth = true;
    result.truth = network.labels()[static_cast<size_t>(file.truth)];
  }
  if (!outcome.status.ok()) {
    result.error = outcome.status.message();
    return result;
  }
  result.guesses = BestGuesses(outcome.answer.logits, network.labels(), std::max<size_t>(topk, 2));
  if (result.guesses.size() > 1) {
    result.margin = result.guesses[0].logit - result.guesses[1].logit;
  }
  result.right = result.has_truth && static_cast<size_t>(file.truth) == result.guesses[0].index;
  if (result.guesses.size() > topk) result.guesses.resize(topk);
  result.steps = outcome.answer.steps;
  return result;
}

bool Print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

int Run(int argc, char** argv) {
  CLI::App app("Classifies images with a converted spiking network.", kProgram);
  CssrunArguments arguments;
  DeclareCssrun(app, arguments);
  if (const auto exit = Parse(app, argc, argv); exit.has_value()) return *exit;

  LoadOptions load;
  load.engine = arguments.engine == "float" ? EngineKind::kFloat : EngineKind::kInteger;
  load.limits = arguments.limits.network;
  Result<std::shared_ptr<const Network>> loaded = Network::Load(arguments.network, load);
  if (!loaded.ok()) return Fail(loaded.status());
  const std::shared_ptr<const Network>& network = loaded.value();
  if (!network->why_float().empty()) {
    PrintError(kProgram, "running in float, which is slower: " + network->why_float());
  }
  Result<std::vector<ImageFile>> listed = CollectImages(arguments, *network);
  if (!listed.ok()) return Fail(listed.status());
  const std::vector<ImageFile>& files = listed.value();

  const OutputFormat format = FormatNamed(arguments.format);
  Summary summary(*network);
  Progress progress;
  SessionOptions options;
  options.profile = arguments.profile;
  options.keep_readings = arguments.steps;
  if (arguments.latency) options.threads = arguments.threads;
  if (const Status status = SetEarlyExit(arguments, *network, options); !status.ok()) {
    return Fail(status);
  }
  bool written = Print(FormatHeader(format, arguments.topk));
  const auto start = std::chrono::steady_clock::now();
  RunImages(
      network, options, files.size(), arguments.latency ? 1 : arguments.threads,
      [&](size_t index, std::vector<uint8_t>& pixels) {
        return ReadPixels(files[index].path, network->input(), pixels, arguments.limits.image);
      },
      [&](size_t index, const ImageOutcome& outcome) {
        const ImageResult result = Describe(files[index], outcome, *network, arguments.topk);
        summary.Add(outcome, files[index].truth);
        if (!result.error.empty()) {
          progress.Clear();
          PrintError(kProgram, result.error);
        }
        written = written && Print(FormatResult(format, result, arguments.topk));
        progress.Update("images", index + 1, files.size());
        return written;
      });
  const auto elapsed = std::chrono::steady_clock::now() - start;
  progress.Clear();
  if (!written || std::fflush(stdout) != 0) return Fail(Status::Io("cannot write the results"));

  summary.Finish(std::chrono::duration<double>(elapsed).count(), ThreadCount(arguments.threads));
  if (arguments.profile) PrintMessage(summary.ProfileText());
  if (arguments.steps) PrintMessage(summary.StepsText());
  PrintMessage(summary.ToText());
  if (!arguments.summary.empty()) {
    const std::string json = summary.ToJson(arguments.profile);
    const Status status = WriteFileAtomically(
        arguments.summary, {reinterpret_cast<const uint8_t*>(json.data()), json.size()});
    if (!status.ok()) return Fail(status);
  }
  return summary.failed() == 0 ? kAllDone : kSomeInputsFailed;
}

}  // namespace
}  // namespace cssrun::tools

int main(int argc, char** argv) {
  return cssrun::tools::RunMain(cssrun::tools::kProgram, argc, argv, cssrun::tools::Run);
}
