#include "tools/cssrun_arguments.h"

#include <cmath>
#include <stdexcept>

#include "tools/args.h"

namespace cssrun::tools {
namespace {

constexpr char kExamples[] =
    "  cssrun net.fb images/\n"
    "  cssrun net.fb cat.jpg dog.png --topk 5\n"
    "  find . -name '*.jpg' | cssrun net.fb - --format jsonl --summary run.json\n"
    "Folders named after the network's labels tell the truth about the images in them; accuracy "
    "is\n"
    "then reported. Results go to standard output, everything else to standard error.\n"
    "Exit codes: 0 all done, 1 some inputs failed, 2 usage, 3 bad network, 4 I/O.";

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

}  // namespace

void DeclareCssrun(CLI::App& app, CssrunArguments& arguments) {
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
  AddLimitOption(app, arguments.limits);
  Prepare(app, kExamples);
}

}  // namespace cssrun::tools
