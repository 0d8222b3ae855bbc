#include "tools/recordings/run_recordings.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/batch.h"
#include "fmt/format.h"
#include "runtime/seconds_since.h"
#include "tbb/parallel_pipeline.h"
#include "tbb/task_arena.h"
#include "tools/file_kinds.h"
#include "tools/numbers.h"
#include "tools/progress.h"
#include "tools/recordings/decoder.h"
#include "tools/recordings/recording_run.h"
#include "tools/recordings/recording_summary.h"
#include "tools/recordings/step_cutter.h"
#include "tools/report/recording_page.h"
#include "tools/report/recording_tally.h"
#include "tools/stream/interrupt.h"
#include "tools/terminal_text.h"
#include "tools/written_files.h"

namespace cssrun::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kProgram[] = "cssrun";
constexpr size_t kMostMessages = 10;  // about damage; the others are counted

// What has no meaning for recordings, and what to do instead.
Status CheckOptions(const Arguments& arguments) {
  const auto refuse = [&](const char* option, const char* remedy) {
    return Status::InvalidArgument(arguments.network + ": takes events, with which " + option +
                                   " has no meaning; " + remedy);
  };
  if (!arguments.stream.source.empty()) {
    return refuse("--stream", "name the recordings, or - for events on standard input");
  }
  if (arguments.engine == "float") return refuse("--engine float", "leave it out");
  if (!arguments.early_exit.empty()) return refuse("--early-exit", "take --every TIME");
  if (arguments.steps) return refuse("--steps", "take --every TIME");
  if (arguments.latency) return refuse("--latency", "leave it out");
  if (arguments.exif) return refuse("--exif", "leave it out");
  if (!arguments.neurons.empty()) return refuse("--neuron", "leave it out");
  if (!arguments.resume.empty()) {
    return refuse("--resume", "keep the results with --format jsonl > FILE");
  }
  const bool npy = arguments.format == "npy";
  if (npy && !arguments.stream.every.empty()) {
    return refuse("--every with --format npy", "take --format jsonl");
  }
  return Status::Ok();
}

// The steps between answers; kOnlyTheEnd where only the end has one.
Result<uint64_t> AnswerSteps(const Arguments& arguments, const CutOptions& cut) {
  const std::string& every = arguments.stream.every;
  if (every.empty()) return kOnlyTheEnd;
  const std::optional<int64_t> time = ParseDuration(every);
  if (!time.has_value()) {
    return Status::InvalidArgument("--every " + every +
                                   ": of recordings, a time such as 10ms; a number of frames is "
                                   "for --stream");
  }
  if (cut.bin_events > 0) {
    return Status::InvalidArgument(
        "--every: steps of --bin-events take no certain time; take --bin TIME");
  }
  if (*time % cut.bin_us != 0) {
    return Status::InvalidArgument(fmt::format(
        "--every {}: steps take {:g} ms, and answers come between steps; give a multiple of that",
        every, static_cast<double>(cut.bin_us) / 1e3));
  }
  return static_cast<uint64_t>(*time / cut.bin_us);
}

// Takes outcomes in the order of the recordings.
class Conclusion {
 public:
  Conclusion(const Arguments& arguments, const Network& network, const RecordingRunOptions& options,
             unsigned threads)
      : arguments_(arguments),
        network_(network),
        summary_(network, options.cut, options.profile, threads) {}

  // Writes to standard output at once, since who reads it may wait for each answer.
  void Write(const std::string& text);
  void Add(const ImageFile& file, RecordingOutcome outcome);
  void ShowProgress(size_t done, size_t all) { progress_.Update("recordings", done, all); }
  void Finish(double seconds) {
    summary_.Finish(seconds);
    progress_.Clear();
  }
  // Prints and writes the summary.
  Status Conclude();
  bool written() const { return written_; }
  bool whole() const { return summary_.failed() == 0; }

 private:
  void Say(const std::string& message);
  void SayWhatWasLeftOut(const ImageFile& file, const RecordingOutcome& outcome);

  const Arguments& arguments_;
  const Network& network_;
  RecordingSummary summary_;
  RecordingTally tally_;
  Progress progress_;
  bool written_ = true;
  bool said_where_ = false;
};

void Conclusion::Write(const std::string& text) {
  if (text.empty() || !written_) return;
  progress_.Clear();
  written_ =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

void Conclusion::Say(const std::string& message) {
  progress_.Clear();
  PrintError(kProgram, message);
}

void Conclusion::Add(const ImageFile& file, RecordingOutcome outcome) {
  if (outcome.status.code() == StatusCode::kCancelled) return;
  summary_.AddDamage(outcome.damage);
  if (!outcome.status.ok()) {
    summary_.AddFailed();
    tally_.AddFailed(outcome.status.message());
    return Say(outcome.status.message());
  }
  summary_.Add(outcome.result.answer, outcome.right_in_five, *outcome.cutter, outcome.layers,
               outcome.load_seconds, outcome.run_seconds);
  if (outcome.damage.any() && summary_.damaged() <= kMostMessages) {
    Say(file.path + ": damaged: " + Describe(outcome.damage));
  }
  SayWhatWasLeftOut(file, outcome);
  if (arguments_.report.empty()) return;
  tally_.Add(outcome.result);
  if (outcome.samples.all().empty()) return;
  tally_.sampled = file.path;
  tally_.samples = std::move(outcome.samples);
}

// Where nobody asked for a part, it is news that there is more.
void Conclusion::SayWhatWasLeftOut(const ImageFile& file, const RecordingOutcome& outcome) {
  const StepCutter& cutter = *outcome.cutter;
  if (cutter.left_out() == 0 || !arguments_.recordings.crop.empty() || said_where_) return;
  said_where_ = true;
  const InputFormat& input = network_.input();
  Say(fmt::format(
      "{}: {} of {} events lie beyond the network's input of {} x {} pixels and are "
      "left out; --crop chooses a part, with --scale for all of it",
      file.path, cutter.left_out(), cutter.left_out() + cutter.used(), input.width, input.height));
}

Status Conclusion::Conclude() {
  if (summary_.damaged() > kMostMessages) {
    PrintError(kProgram,
               std::to_string(summary_.damaged() - kMostMessages) + " more recordings are damaged");
  }
  if (arguments_.profile) PrintMessage(summary_.ProfileText());
  PrintMessage(summary_.ToText());
  if (!arguments_.summary.empty()) {
    if (Status status = WriteText(arguments_.summary, summary_.ToJson()); !status.ok()) {
      return status;
    }
  }
  if (!arguments_.report.empty()) {
    const std::string name = std::filesystem::path(arguments_.network).filename().string();
    const Status status =
        WriteText(arguments_.report, RecordingPage({name, network_, summary_, tally_}));
    if (!status.ok()) return status;
  }
  return written_ ? Status::Ok() : Status::Io("cannot write the results");
}

using Runs = std::vector<std::unique_ptr<RecordingRun>>;

// One after the other, each line as soon as it is known.
void RunInTurn(const std::vector<ImageFile>& files, RecordingRun& run, bool sample,
               Conclusion& conclusion) {
  for (size_t i = 0; i < files.size() && conclusion.written() && !Interrupt::flag(); ++i) {
    conclusion.Add(files[i], run.Run(files[i], sample && i == 0,
                                     [&](const std::string& line) { conclusion.Write(line); }));
    conclusion.ShowProgress(i + 1, files.size());
  }
}

// A recording on its way through the threads.
struct Item {
  size_t index = 0;
  RecordingOutcome outcome;
  std::string lines;
};

// As many at a time as there are runs; answers in the order of the files.
void RunTogether(const std::vector<ImageFile>& files, Runs& runs, bool sample,
                 Conclusion& conclusion) {
  tbb::task_arena arena(static_cast<int>(runs.size()));
  size_t next = 0;
  const auto begin = [&](tbb::flow_control& control) -> std::shared_ptr<Item> {
    if (next == files.size() || !conclusion.written() || Interrupt::flag()) {
      control.stop();
      return nullptr;
    }
    auto item = std::make_shared<Item>();
    item->index = next++;
    return item;
  };
  const auto run = [&](const std::shared_ptr<Item>& item) {
    RecordingRun& mine = *runs[static_cast<size_t>(tbb::this_task_arena::current_thread_index())];
    item->outcome = mine.Run(files[item->index], sample && item->index == 0,
                             [&](const std::string& line) { item->lines += line; });
    return item;
  };
  const auto conclude = [&](const std::shared_ptr<Item>& item) {
    conclusion.Write(item->lines);
    conclusion.Add(files[item->index], std::move(item->outcome));
    conclusion.ShowProgress(item->index + 1, files.size());
  };
  arena.execute([&] {
    tbb::parallel_pipeline(
        2 * runs.size(),
        tbb::make_filter<void, std::shared_ptr<Item>>(tbb::filter_mode::serial_in_order, begin) &
            tbb::make_filter<std::shared_ptr<Item>, std::shared_ptr<Item>>(
                tbb::filter_mode::parallel, run) &
            tbb::make_filter<std::shared_ptr<Item>, void>(tbb::filter_mode::serial_in_order,
                                                          conclude));
  });
}

Result<std::vector<ImageFile>> CollectRecordings(const Arguments& arguments, const Network& network,
                                                 std::set<std::string>& named) {
  for (const std::string& path : arguments.paths) {
    if (IsImage(RecognizeFile(BeginOf(path)))) {
      return Status::InvalidArgument(arguments.network + ": takes events, and " + path +
                                     " is an image; name recordings, or take a network made of an "
                                     "ONNX model");
    }
  }
  Result<std::vector<std::string>> paths = PathsOf(arguments);
  if (!paths.ok()) return paths.status();
  if (paths.value().empty()) {
    return Status::InvalidArgument(
        "no recordings are named; give files, folders or - for events on standard input (see "
        "--help)");
  }
  named = {paths.value().begin(), paths.value().end()};
  Result<std::vector<ImageFile>> files = ListRecordings(paths.value(), network.labels());
  if (files.ok() && files.value().empty()) {
    return Status::InvalidArgument(std::string("no recordings (") + kRecordingExtensions +
                                   ") in what was named");
  }
  return files;
}

}  // namespace

Result<bool> RunRecordings(const Arguments& arguments,
                           const std::shared_ptr<const Network>& network) {
  if (Status status = CheckOptions(arguments); !status.ok()) return status;
  const CutOptions cut = CutOptionsOf(arguments.recordings, *network->events());
  const Result<uint64_t> answer_steps = AnswerSteps(arguments, cut);
  if (!answer_steps.ok()) return answer_steps.status();
  std::set<std::string> named;
  const Result<std::vector<ImageFile>> files = CollectRecordings(arguments, *network, named);
  if (!files.ok()) return files.status();
  const Interrupt interrupt;
  const RecordingRunOptions options{cut,
                                    answer_steps.value(),
                                    arguments.topk,
                                    FormatNamed(arguments.format),
                                    arguments.profile || !arguments.report.empty(),
                                    std::move(named)};
  const auto threads =
      static_cast<unsigned>(std::min<size_t>(ThreadCount(arguments.threads), files.value().size()));
  Runs runs;
  for (unsigned i = 0; i < threads; ++i) {
    Result<std::unique_ptr<RecordingRun>> run = RecordingRun::Create(network, options);
    if (!run.ok()) {
      return Status(run.status().code(), arguments.network + ": " + run.status().message());
    }
    runs.push_back(std::move(run).value());
  }
  Conclusion conclusion(arguments, *network, options, threads);
  conclusion.Write(options.format == OutputFormat::kNpy
                       ? NpyHeader(network->outputs(), files.value().size())
                       : RecordingHeader(options.format, options.topk));
  const Clock::time_point start = Clock::now();
  const bool sample = !arguments.report.empty();
  if (threads == 1) {
    RunInTurn(files.value(), *runs[0], sample, conclusion);
  } else {
    RunTogether(files.value(), runs, sample, conclusion);
  }
  conclusion.Finish(internal::SecondsSince(start));
  if (Status status = conclusion.Conclude(); !status.ok()) return status;
  return conclusion.whole();
}

Status CheckNoRecordings(const Arguments& arguments) {
  if (arguments.recordings.any() ||
      (!arguments.stream.every.empty() && arguments.stream.source.empty())) {
    return Status::InvalidArgument(
        arguments.network +
        ": takes images; --bin, --bin-events, --crop and --scale are for recordings of events, and "
        "--every for those and for --stream");
  }
  for (const std::string& path : arguments.paths) {
    const std::vector<uint8_t> begin = BeginOf(path);
    // N-MNIST has no mark, and text may be anything.
    if (begin.empty() || (begin[0] != '#' && begin[0] != '%' && !IsRecordingName(path))) continue;
    const Result<std::optional<RecordingFormat>> format = Recognize(begin, true);
    if (!format.ok() || !format.value().has_value()) continue;
    return Status::InvalidArgument(arguments.network + ": takes images, and " + path +
                                   " is a recording of events (" + NameOf(*format.value()) +
                                   "); take a network made of a NIR model: cssconvert MODEL.nir");
  }
  return Status::Ok();
}

}  // namespace cssrun::tools
