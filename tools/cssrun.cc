// cssrun: classifies images with a converted network.
#include "cssrun/cssrun.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tools/cssrun_arguments.h"
#include "tools/exit_codes.h"
#include "tools/image_list.h"
#include "tools/label_file.h"
#include "tools/numbers.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/ranks/ranks.h"
#include "tools/recordings/run_recordings.h"
#include "tools/report/report.h"
#include "tools/results.h"
#include "tools/run_main.h"
#include "tools/stream/run_stream.h"
#include "tools/summary.h"
#include "tools/terminal_text.h"
#include "tools/written_files.h"

namespace cssrun::tools {
namespace {

constexpr char kProgram[] = "cssrun";

int Fail(const Status& status) {
  PrintError(kProgram, status.message());
  return ExitCodeOf(status);
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

// One image in the format, whatever the network answers.
std::string Formatted(OutputFormat format, const ImageFile& file, const ImageOutcome& outcome,
                      const Network& network, size_t topk) {
  const Answer& answer = outcome.answer;
  const std::string error = outcome.status.ok() ? "" : outcome.status.message();
  if (format == OutputFormat::kNpy) {
    return NpyRecord(network.outputs(), error.empty() ? std::span<const float>(answer.logits)
                                                      : std::span<const float>());
  }
  if (network.answer() == AnswerKind::kClasses) {
    return FormatResult(format, Describe(file, outcome, network, topk), topk);
  }
  if (format == OutputFormat::kJsonLines) {
    return NumbersJson(file.path, network.outputs(), answer.logits, answer.steps, error);
  }
  return error.empty() ? NumbersText(file.path, network.outputs(), answer.logits) : "";
}

Status WriteSummary(const Arguments& arguments, const Summary& summary) {
  if (arguments.summary.empty()) return Status::Ok();
  return WriteText(arguments.summary,
                   summary.ToJson(arguments.profile || !arguments.report.empty()));
}

Result<ReportRequest> RequestOf(const Arguments& arguments, const Network& network,
                                const SessionOptions& options) {
  ReportRequest report{arguments.report,
                       std::filesystem::path(arguments.network).filename().string(),
                       options,
                       {},
                       arguments.limits.image};
  for (const std::string& name : arguments.neurons) {
    const Result<NeuronChoice> neuron = ParseNeuron(network, name);
    if (!neuron.ok()) return neuron.status();
    report.neurons.push_back(neuron.value());
  }
  return report;
}

// What folders and labels have that results do not show, once.
void SayBeforehand(const std::vector<ImageFile>& files, const Network& network,
                   const LeftOut& left_out) {
  if (const std::string left = DescribeLeftOut(left_out); !left.empty()) {
    PrintError(kProgram, left);
  }
  const bool graded =
      std::ranges::any_of(files, [](const ImageFile& file) { return file.truth != kUnknownTruth; });
  const std::string twins = DescribeTwins(network.labels());
  if (graded && !twins.empty()) PrintError(kProgram, twins);
}

// Makes the message of an interrupted run: how many images are done, and how to continue.
Status Interrupted(const Status& reason, size_t done, const std::vector<ImageFile>& files,
                   const std::string& resume) {
  std::string message = reason.message() + "; " + std::to_string(done) + " of " +
                        std::to_string(files.size()) + " images are done";
  if (done > 0) message += ", up to " + files[done - 1].path;
  message += resume.empty() ? "; with --resume FILE a run can be continued"
                            : "; the same command goes on from there, results are in " + resume;
  return {reason.code(), message};
}

int RunFrames(const Arguments& arguments, const std::shared_ptr<const Network>& network,
              const Ranks& ranks) {
  if (!ranks.alone()) {
    return Fail(Status::InvalidArgument(
        "--stream: each frame follows from the one before, which cannot be shared among ranks; run "
        "it without mpirun"));
  }
  const Result<bool> whole = RunStream(arguments, network);
  if (!whole.ok()) return Fail(whole.status());
  return whole.value() ? kAllDone : kSomeInputsFailed;
}

int RunEvents(const Arguments& arguments, const std::shared_ptr<const Network>& network,
              const Ranks& ranks) {
  if (!ranks.alone()) {
    return Fail(Status::InvalidArgument(
        "recordings of events are not shared among ranks; run it without mpirun"));
  }
  const Result<bool> whole = RunRecordings(arguments, network);
  if (!whole.ok()) return Fail(whole.status());
  return whole.value() ? kAllDone : kSomeInputsFailed;
}

int Run(int argc, char** argv, Ranks& ranks) {
  CLI::App app("Classifies images with a converted spiking network.", kProgram);
  Arguments arguments;
  Declare(app, arguments);
  if (const auto exit = Parse(app, argc, argv); exit.has_value()) return *exit;

  // Before hours of work whose totals could not be kept.
  if (Status status =
          CheckWrittenFiles({{"--summary", arguments.summary}, {"--report", arguments.report}});
      !status.ok()) {
    return Fail(status);
  }

  LoadOptions load;
  if (app.count("--engine") > 0) {
    load = arguments.engine == "float" ? EngineKind::kFloat : EngineKind::kInteger;
  }
  load.limits = arguments.limits.network;
  Result<std::shared_ptr<const Network>> loaded = Network::Load(arguments.network, load);
  if (!loaded.ok()) return Fail(loaded.status());
  const std::shared_ptr<const Network>& network = loaded.value();
  if (!network->why_float().empty()) {
    PrintError(kProgram, "running in float, which is slower: " + network->why_float());
  }
  if (network->events() != nullptr) return RunEvents(arguments, network, ranks);
  if (const Status status = CheckNoRecordings(arguments); !status.ok()) return Fail(status);
  if (!arguments.stream.source.empty()) return RunFrames(arguments, network, ranks);
  LeftOut left_out;
  Result<std::vector<ImageFile>> listed = CollectImages(arguments, *network, left_out);
  if (!listed.ok()) return Fail(listed.status());
  SayBeforehand(listed.value(), *network, left_out);
  const std::vector<ImageFile>& files = listed.value();
  const Result<SessionOptions> options = OptionsOf(arguments, *network);
  if (!options.ok()) return Fail(options.status());
  const Result<ReportRequest> report = RequestOf(arguments, *network, options.value());
  if (!report.ok()) return Fail(report.status());

  Summary summary(*network);
  summary.SetLeftOut(left_out);
  const Twins twins(network->labels());
  std::string first_warning;
  Tally tally(network->labels(), network->logits());
  Result<Results> opened = arguments.resume.empty() ? Results::ToStandardOutput()
                                                    : Results::Continue(arguments.resume, files,
                                                                        *network, arguments.topk);
  if (!opened.ok()) return Fail(opened.status());
  Results& results = opened.value();
  size_t done = results.earlier().size();
  for (const EarlierResult& result : results.earlier()) {
    summary.AddEarlier(result);
    tally.AddEarlier(result);
  }

  const OutputFormat format = FormatNamed(arguments.format);
  Progress progress;
  bool written =
      results.Write(format == OutputFormat::kNpy ? NpyHeader(network->outputs(), files.size())
                                                 : FormatHeader(format, arguments.topk));
  const FileRun run{network,
                    arguments.network,
                    network->engine(),
                    arguments.limits,
                    arguments.exif,
                    options.value(),
                    arguments.threads,
                    files.size() - done,
                    [&files, first = done](size_t index) -> const std::string& {
                      return files[first + index].path;
                    }};
  const auto start = std::chrono::steady_clock::now();
  const Status ran = ranks.Run(run, [&](size_t, const FileOutcome& outcome) {
    ImageFile file = files[done];
    file.truth = twins.Best(outcome.answer.logits, file.truth);
    if (!outcome.warning.empty()) {
      if (summary.warned() == 0) first_warning = file.path + ": " + outcome.warning;
      summary.AddWarning();
    }
    summary.Add(outcome, file.truth);
    if (!arguments.report.empty()) tally.Add(file, outcome);
    if (!outcome.status.ok()) {
      progress.Clear();
      PrintError(kProgram, outcome.status.message());
    }
    written = written && results.Write(Formatted(format, file, outcome, *network, arguments.topk));
    progress.Update("images", ++done, files.size());
    return written;
  });
  const auto elapsed = std::chrono::steady_clock::now() - start;
  progress.Clear();
  if (!results.Finish() || !written) {
    return Fail(Status::Io(arguments.resume.empty()
                               ? std::string("cannot write the results")
                               : arguments.resume + ": cannot write the results"));
  }
  if (!ran.ok()) return Fail(Interrupted(ran, done, files, arguments.resume));

  summary.Finish(std::chrono::duration<double>(elapsed).count(), ThreadCount(arguments.threads));
  if (summary.warned() > 0) {
    PrintError(kProgram, std::to_string(summary.warned()) +
                             (summary.warned() == 1 ? " image was" : " images were") +
                             " read with warnings, the first: " + first_warning);
  }
  if (arguments.profile) PrintMessage(summary.ProfileText());
  if (arguments.steps) PrintMessage(summary.StepsText());
  PrintMessage(summary.ToText());
  if (const Status status = WriteSummary(arguments, summary); !status.ok()) return Fail(status);
  if (!arguments.report.empty()) {
    const Status status = WriteReport(report.value(), network, summary, tally);
    if (!status.ok()) return Fail(status);
  }
  return summary.failed() == 0 ? kAllDone : kSomeInputsFailed;
}

// Runs rank 0 as the program; the other ranks serve it.
int RunRank(int argc, char** argv) {
  Result<Ranks> joined = Ranks::Join();
  if (!joined.ok()) return Fail(joined.status());
  Ranks& ranks = joined.value();
  // Leave() follows in any case, so that no rank waits for one that ran out of memory.
  const int exit_code = RunMain(kProgram, argc, argv, [&ranks](int count, char** words) {
    return ranks.leads() ? Run(count, words, ranks) : ranks.Serve();
  });
  return ranks.Leave(exit_code);
}

}  // namespace
}  // namespace cssrun::tools

int main(int argc, char** argv) { return cssrun::tools::RunRank(argc, argv); }
