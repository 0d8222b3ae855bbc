// cssrun: classifies images with a converted network.
#include "cssrun/cssrun.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "format/write_atomically.h"
#include "tools/args.h"
#include "tools/exit_codes.h"
#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/summary.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

constexpr char kProgram[] = "cssrun";
constexpr char kExamples[] =
    "  cssrun net.fb images/\n"
    "  cssrun net.fb cat.jpg dog.png --topk 5\n"
    "  find . -name '*.jpg' | cssrun net.fb - --format jsonl --summary run.json\n"
    "Folders named after the network's labels tell the truth about the images in them; accuracy "
    "is\n"
    "then reported. Results go to standard output, everything else to standard error.\n"
    "Exit codes: 0 all done, 1 some inputs failed, 2 usage, 3 bad network, 4 I/O.";

struct Arguments {
  std::string network;
  std::vector<std::string> paths;
  std::string paths_from;
  size_t topk = 1;
  std::string format = "text";
  std::string engine = "integer";
  unsigned threads = 0;
  std::string summary;
  std::string early_exit;
  bool profile = false;
  bool steps = false;
  bool latency = false;
};

// --early-exit: a margin, or `auto` for the network's own.
std::string CheckMargin(const std::string& text) {
  if (text == "auto") return {};
  size_t used = 0;
  double margin = -1;
  try {
    margin = std::stod(text, &used);
  } catch (const std::logic_error&) {
    used = 0;
  }
  const bool sound = used == text.size() && std::isfinite(margin) && margin >= 0;
  return sound ? std::string() : "a margin is a number of at least 0, or auto";
}

Status SetEarlyExit(const Arguments& arguments, const Network& network, SessionOptions& options) {
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

void Declare(CLI::App& app, Arguments& arguments) {
  app.add_option("NET", arguments.network, "network file made by cssconvert")->required();
  app.add_option("PATH", arguments.paths,
                 "images, folders (all images below), or - for a list on standard input");
  app.add_option("--files0-from", arguments.paths_from,
                 "more paths from this file (- is standard input), each ended by a NUL");
  app.add_option("-k,--topk", arguments.topk, "how many classes to print for an image")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--format", arguments.format, "text, csv or jsonl")
      ->check(CLI::IsMember({"text", "csv", "jsonl"}).description(""))
      ->capture_default_str();
  app.add_option("--engine", arguments.engine,
                 "integer, or float: slower, without the rounding of weights to 8 bits")
      ->check(CLI::IsMember({"integer", "float"}).description(""))
      ->capture_default_str();
  app.add_option("--threads", arguments.threads, "images at the same time (all cores)")
      ->check(CLI::Range(0, 1024));
  app.add_flag("--latency", arguments.latency,
               "one image at a time, its layers spread over the threads: each answer sooner");
  app.add_option("--summary", arguments.summary,
                 "write totals and per-layer figures here, as JSON");
  auto* early_exit =
      app.add_option("--early-exit", arguments.early_exit,
                     "stop an image when its best class leads by this much for each unit of weight "
                     "of the steps still to come; auto: what costs 0.1 % of the answers at most")
          ->check(CheckMargin)
          ->type_name("MARGIN");
  app.add_flag("--steps", arguments.steps,
               "print accuracy and SyOPs against the step at which the answer is read")
      ->excludes(early_exit);
  app.add_flag("--profile", arguments.profile, "print spikes, SyOPs and time of each layer");
}

Result<std::vector<ImageFile>> CollectImages(const Arguments& arguments, const Network& network) {
  std::vector<std::string> paths = arguments.paths;
  if (!arguments.paths_from.empty()) {
    std::ifstream file;
    const bool standard_input = arguments.paths_from == "-";
    if (!standard_input) file.open(arguments.paths_from, std::ios::binary);
    if (!standard_input && !file) return Status::Io(arguments.paths_from + ": cannot open");
    std::istream& list = standard_input ? std::cin : file;
    for (std::string& path : ReadPaths(list, '\0')) paths.push_back(std::move(path));
    if (list.bad()) return Status::Io(arguments.paths_from + ": cannot read");
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
  Arguments arguments;
  Declare(app, arguments);
  Prepare(app, kExamples);
  if (const auto exit = Parse(app, argc, argv); exit.has_value()) return *exit;

  Result<std::shared_ptr<const Network>> loaded = Network::Load(
      arguments.network, arguments.engine == "float" ? EngineKind::kFloat : EngineKind::kInteger);
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
        return ReadPixels(files[index].path, network->input(), pixels);
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

int main(int argc, char** argv) { return cssrun::tools::Run(argc, argv); }
