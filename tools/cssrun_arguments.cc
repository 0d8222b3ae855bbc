#include "tools/cssrun_arguments.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace cssrun::tools {
namespace {

constexpr char kExamples[] =
    "  cssrun net.fb images/\n"
    "  cssrun net.fb cat.jpg dog.png --topk 5\n"
    "  find . -name '*.jpg' | cssrun net.fb - --format jsonl --summary run.json\n"
    "  cssrun net.fb --stream /dev/video0 --changes-only\n"
    "  ffmpeg -i clip.mp4 -s 640x360 -f rawvideo -pix_fmt rgb24 - | cssrun net.fb --stream - "
    "--size 640x360\n"
    "  cssrun events.fb recording.aedat4 --scale --every 10ms\n"
    "Folders named after the network's labels tell the truth about the images in them; accuracy "
    "is\n"
    "then reported. Results go to standard output, everything else to standard error.\n"
    "Exit codes: 0 all done, 1 some inputs failed, 2 usage, 3 bad network, 4 I/O.";

// Checks the value of --early-exit: a margin, or `auto` for the network's own.
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

// Numbers have no classes to name, count or be sure of.
Status CheckNumbers(const Arguments& arguments, const Network& network) {
  if (network.answer() == AnswerKind::kClasses) return Status::Ok();
  const auto refuse = [&](const char* option, const char* remedy) {
    return Status::InvalidArgument(arguments.network + ": its outputs are numbers, which " +
                                   option + " cannot show; " + remedy);
  };
  if (arguments.format == "csv") return refuse("--format csv", "take --format npy or jsonl");
  if (!arguments.report.empty()) return refuse("--report", "leave it out, or take --summary");
  if (arguments.steps) return refuse("--steps", "leave it out");
  if (!arguments.early_exit.empty()) return refuse("--early-exit", "leave it out");
  return Status::Ok();
}

}  // namespace

void Declare(CLI::App& app, Arguments& arguments) {
  app.add_option("NET", arguments.network, "network file made by cssconvert")->required();
  app.add_option("PATH", arguments.paths,
                 "images, folders (all images below), or - for a list on standard input; of a "
                 "network that takes events: recordings, folders, or - for events");
  app.add_option("--files0-from", arguments.paths_from,
                 "more paths from this file (- is standard input), each ended by a NUL");
  app.add_option("-k,--topk", arguments.topk, "how many classes to print for an image")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  auto* format = app.add_option("--format", arguments.format,
                                "text, csv, jsonl, or npy: all logits or outputs, for NumPy");
  format->check(CLI::IsMember({"text", "csv", "jsonl", "npy"}).description(""))
      ->capture_default_str();
  app.add_option("--engine", arguments.engine,
                 "integer, or float: slower, without the rounding of weights to 8 bits")
      ->check(CLI::IsMember({"integer", "float"}).description(""))
      ->capture_default_str();
  app.add_option("--threads", arguments.threads,
                 "images at the same time, or threads that share each frame (all cores)")
      ->check(CLI::Range(0, 1024));
  app.add_flag("--latency", arguments.latency,
               "one image at a time, its layers spread over the threads: each answer sooner");
  app.add_flag("--exif", arguments.exif,
               "turn photos upright by their EXIF orientation, also if the network's file does not "
               "say so");
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
  app.add_option("--resume", arguments.resume,
                 "write results here, as JSON lines, and go on where an interrupted run left off");
  auto* report = app.add_option("--report", arguments.report,
                                "write a page about the run here, as HTML: accuracy, the hardest "
                                "images, layers, spikes and potentials");
  app.add_option(
         "--neuron", arguments.neurons,
         "show this neuron's spikes and potential in the report, instead of some of each layer; "
         "LAYER is a name or number; may be given again")
      ->type_name("LAYER:NUMBER")
      ->allow_extra_args(false)  // arguments after its one value are paths
      ->needs(report);
  DeclareStream(app, arguments.stream);
  DeclareRecordings(app, arguments.recordings);
  AddLimitOption(app, arguments.limits);
  Prepare(app, kExamples);
  app.callback([&app, &arguments, format] {
    CheckStream(app, arguments.stream);
    CheckRecordings(arguments.recordings);
    if (arguments.resume.empty()) return;
    if (format->count() > 0 && arguments.format != "jsonl") {
      throw CLI::ValidationError("--resume", "needs JSON lines, not --format " + arguments.format);
    }
    arguments.format = "jsonl";
  });
}

OutputFormat FormatNamed(const std::string& name) {
  if (name == "csv") return OutputFormat::kCsv;
  if (name == "npy") return OutputFormat::kNpy;
  return name == "jsonl" ? OutputFormat::kJsonLines : OutputFormat::kText;
}

Result<std::vector<std::string>> PathsOf(const Arguments& arguments) {
  std::vector<std::string> paths = arguments.paths;
  if (arguments.paths_from.empty()) return paths;
  Result<std::vector<std::string>> listed = arguments.paths_from == "-"
                                                ? ReadPaths(std::cin, '\0', "standard input")
                                                : ReadPathsFrom(arguments.paths_from, '\0');
  if (!listed.ok()) return listed.status();
  std::move(listed.value().begin(), listed.value().end(), std::back_inserter(paths));
  return paths;
}

Result<std::vector<ImageFile>> CollectImages(const Arguments& arguments, const Network& network,
                                             LeftOut& left_out) {
  Result<std::vector<std::string>> named = PathsOf(arguments);
  if (!named.ok()) return named.status();
  const std::vector<std::string>& paths = named.value();
  if (paths.empty()) {
    return Status::InvalidArgument("no images are named; give files, folders or - (see --help)");
  }
  Result<std::vector<ImageFile>> images = ListImages(paths, network.labels(), std::cin, &left_out);
  if (images.ok() && images.value().empty()) {
    const std::string left = DescribeLeftOut(left_out);
    std::string message = std::string("no images (") + kReadKinds + ") in what was named" +
                          (left.empty() ? "" : "; " + left);
    const Result<std::vector<ImageFile>> recordings = ListRecordings(paths, network.labels());
    if (recordings.ok() && !recordings.value().empty()) {
      message += "; " + recordings.value()[0].path + " is a recording of events, but " +
                 arguments.network +
                 " takes images: take a network made of a NIR model (cssconvert MODEL.nir)";
    }
    return Status::InvalidArgument(message);
  }
  return images;
}

Result<SessionOptions> OptionsOf(const Arguments& arguments, const Network& network) {
  if (Status status = CheckNumbers(arguments, network); !status.ok()) return status;
  SessionOptions options;
  // The report shows layers and steps, so a report turns both measurements on. After an early exit
  // there are no later steps to show.
  const bool report = !arguments.report.empty();
  options.statistics = true;  // the summary says what the images took
  options.profile = arguments.profile || report;
  options.keep_readings = arguments.steps || (report && arguments.early_exit.empty());
  if (arguments.latency) options.threads = arguments.threads;
  if (Status status = SetEarlyExit(arguments, network, options); !status.ok()) return status;
  return options;
}

}  // namespace cssrun::tools
