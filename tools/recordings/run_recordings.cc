#include "tools/recordings/run_recordings.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/event_session.h"
#include "fmt/format.h"
#include "format/write_atomically.h"
#include "tools/decode.h"
#include "tools/label_file.h"
#include "tools/numbers.h"
#include "tools/progress.h"
#include "tools/recordings/recording.h"
#include "tools/recordings/recording_lines.h"
#include "tools/recordings/recording_summary.h"
#include "tools/recordings/step_cutter.h"
#include "tools/report/recording_page.h"
#include "tools/report/recording_tally.h"
#include "tools/stream/interrupt.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kProgram[] = "cssrun";
constexpr size_t kMostMessages = 10;           // about damage; the others are counted
constexpr uint64_t kMostSilentAnswers = 1000;  // in a row, without an event between them
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Status WriteText(const std::string& path, const std::string& text) {
  return format::WriteFileAtomically(path,
                                     {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// What has no meaning for recordings, and what to do instead.
Status CheckOptions(const Arguments& arguments) {
  const auto refuse = [&](const char* option, const char* remedy) {
    return Status::InvalidArgument(arguments.network + ": takes events, with which " + option +
                                   " has no meaning; " + remedy);
  };
  if (!arguments.stream.source.empty()) {
    return refuse("--stream", "name the recordings, or - for events on standard input");
  }
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

// The steps between answers; kNever where only the end has one.
Result<uint64_t> AnswerSteps(const Arguments& arguments, const CutOptions& cut) {
  const std::string& every = arguments.stream.every;
  if (every.empty()) return kNever;
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

class RecordingsRun {
 public:
  RecordingsRun(const Arguments& arguments, const std::shared_ptr<const Network>& network,
                EventSession session, const CutOptions& cut, uint64_t answer_steps)
      : arguments_(arguments),
        network_(*network),
        session_(std::move(session)),
        cut_(cut),
        answer_steps_(answer_steps),
        format_(FormatNamed(arguments.format)),
        twins_(network->labels()),
        summary_(*network, cut, arguments.profile || !arguments.report.empty()) {}

  // Runs them all; an interruption is no error.
  Status Run(const std::vector<ImageFile>& files);
  Status Conclude();
  bool whole() const { return summary_.failed() == 0; }

 private:
  Status RunFile(const ImageFile& file);
  Status RunEvents(Recording& recording);
  Status Advance(std::span<const TimedEvent> events, uint64_t until);
  Status AdvanceOver(uint64_t step);
  uint64_t AfterAnswer(size_t fed, uint64_t step);
  void Sample();
  void Answer(bool live);
  void Conclude(const Recording& recording);
  void Fail(const ImageFile& file, const Status& status);
  void Write(const std::string& text);

  const Arguments& arguments_;
  const Network& network_;
  EventSession session_;
  const CutOptions cut_;
  const uint64_t answer_steps_;
  const OutputFormat format_;
  const Twins twins_;
  RecordingSummary summary_;
  RecordingTally tally_;
  Progress progress_;
  bool written_ = true;
  bool said_where_ = false;

  // Of the recording that runs.
  const ImageFile* file_ = nullptr;
  std::optional<StepCutter> cutter_;
  std::vector<TimedEvent> waiting_;  // cut, and not yet fed
  uint64_t next_answer_ = kNever;    // the steps before it
  RecordingTally::Sample sample_;
  std::vector<uint64_t> sampled_spikes_;
  uint64_t sampled_steps_ = 0;
  uint64_t answered_events_ = 0;
  uint64_t silent_answers_ = 0;
  double run_seconds_ = 0;
  std::vector<float> logits_;
  RecordingResult result_;
  bool right_in_five_ = false;
};

Status RecordingsRun::Run(const std::vector<ImageFile>& files) {
  Write(format_ == OutputFormat::kNpy ? NpyHeader(network_.outputs(), files.size())
                                      : RecordingHeader(format_, arguments_.topk));
  const Clock::time_point start = Clock::now();
  Status status;
  for (size_t i = 0; i < files.size() && written_ && !Interrupt::flag(); ++i) {
    const Status ran = RunFile(files[i]);
    if (ran.code() == StatusCode::kCancelled) break;
    if (ran.code() == StatusCode::kOutOfMemory) {
      status = ran;
      break;
    }
    if (!ran.ok()) Fail(files[i], ran);
    progress_.Update("recordings", i + 1, files.size());
  }
  summary_.Finish(Since(start));
  progress_.Clear();
  return status;
}

Status RecordingsRun::RunFile(const ImageFile& file) {
  const Clock::time_point start = Clock::now();
  file_ = &file;
  result_ = {};
  run_seconds_ = 0;
  cutter_.reset();
  waiting_.clear();
  next_answer_ = answer_steps_;
  answered_events_ = 0;
  silent_answers_ = 0;
  sample_ = {};
  session_.Reset();
  tally_.Begin();
  sampled_spikes_.assign(network_.layers().size(), 0);
  sampled_steps_ = 0;
  Result<std::unique_ptr<Recording>> recording = Recording::Open(file.path, &Interrupt::flag());
  if (!recording.ok()) return recording.status();
  const Status ran = RunEvents(*recording.value());
  summary_.AddDamage(recording.value()->damage());
  // An interruption ends a pipe, as its own end does, and leaves a file without an answer.
  if (Interrupt::flag() && file.path != "-") return Status::Cancelled("interrupted");
  if (!ran.ok() && ran.code() != StatusCode::kCancelled) return ran;
  if (!cutter_.has_value()) {
    const std::string damage = Describe(recording.value()->damage());
    return Status::InvalidArgument(file.path + ": no events" +
                                   (damage.empty() ? "" : "; " + damage));
  }
  Answer(false);
  Conclude(*recording.value());
  summary_.Add(result_.answer, right_in_five_, *cutter_, session_.layers(),
               Since(start) - run_seconds_, run_seconds_);
  if (!arguments_.report.empty()) tally_.End(result_);
  return Status::Ok();
}

Status RecordingsRun::RunEvents(Recording& recording) {
  std::vector<Event> events;
  for (;;) {
    if (Status status = recording.Next(events); !status.ok()) return status;
    if (events.empty()) break;
    if (!cutter_.has_value()) {
      const InputFormat& input = network_.input();
      Result<StepCutter> cutter =
          StepCutter::Create(cut_, {input.channels, input.height, input.width}, recording.sensor());
      if (!cutter.ok()) {
        return Status(cutter.status().code(), file_->path + ": " + cutter.status().message());
      }
      cutter_ = std::move(cutter).value();
    }
    cutter_->Cut(events, waiting_);
    // The last step may get more events.
    if (Status status = AdvanceOver(cutter_->steps() - 1); !status.ok()) return status;
  }
  return cutter_.has_value() ? AdvanceOver(cutter_->steps()) : Status::Ok();
}

// Does all steps before `step`, stopping where an answer or a sample is due.
Status RecordingsRun::AdvanceOver(uint64_t step) {
  size_t fed = 0;
  while (session_.now() < step) {
    uint64_t until = std::min(step, next_answer_);
    if (tally_.sampling() && !arguments_.report.empty()) {
      until = std::min(until, sampled_steps_ + tally_.SampleSteps());
    }
    size_t end = fed;
    while (end < waiting_.size() && waiting_[end].step < until) ++end;
    const Clock::time_point start = Clock::now();
    const Status status =
        session_.Feed(std::span<const TimedEvent>(waiting_).subspan(fed, end - fed), until);
    run_seconds_ += Since(start);
    if (!status.ok()) return status;
    result_.events += end - fed;
    sample_.events += end - fed;
    fed = end;
    if (tally_.sampling() && !arguments_.report.empty() &&
        until == sampled_steps_ + tally_.SampleSteps()) {
      Sample();
    }
    if (until == next_answer_) {
      Answer(true);
      next_answer_ = AfterAnswer(end, step);
    }
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(fed));
  return Status::Ok();
}

// Returns where the next answer is due. In a long silence, which a damaged time may make, nothing
// new is said: it leaves out the answers up to the next event, `fed` in waiting_, or `step`.
uint64_t RecordingsRun::AfterAnswer(size_t fed, uint64_t step) {
  silent_answers_ = result_.events == answered_events_ ? silent_answers_ + 1 : 0;
  answered_events_ = result_.events;
  const uint64_t next = next_answer_ + answer_steps_;
  if (silent_answers_ < kMostSilentAnswers) return next;
  const uint64_t busy = fed < waiting_.size() ? std::min(waiting_[fed].step, step) : step;
  return std::max(next, busy / answer_steps_ * answer_steps_);
}

void RecordingsRun::Sample() {
  const std::vector<EventLayer>& layers = session_.layers();
  sample_.spikes.resize(layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    sample_.spikes[i] = layers[i].spikes - sampled_spikes_[i];
    sampled_spikes_[i] = layers[i].spikes;
  }
  session_.ReadLogits(logits_);
  sample_.answer = BestGuesses(logits_, network_.labels(), 1)[0].index;
  sample_.steps = session_.now() - sampled_steps_;
  sampled_steps_ = session_.now();
  tally_.Add(std::exchange(sample_, {}));
}

// Makes the result of what the session has read so far, and prints it.
void RecordingsRun::Answer(bool live) {
  session_.ReadLogits(logits_);
  const int truth = twins_.Best(logits_, file_->truth);
  ImageResult& answer = result_.answer;
  answer.path = file_->path;
  answer.has_truth = truth != kUnknownTruth;
  if (answer.has_truth) answer.truth = network_.labels()[static_cast<size_t>(truth)];
  answer.guesses = BestGuesses(logits_, network_.labels(), std::max<size_t>(arguments_.topk, 5));
  answer.margin = answer.guesses.size() > 1 ? answer.guesses[0].logit - answer.guesses[1].logit : 0;
  const auto is_truth = [&](const Guess& guess) {
    return answer.has_truth && guess.index == static_cast<size_t>(truth);
  };
  answer.right = is_truth(answer.guesses[0]);
  const auto five =
      answer.guesses.begin() + static_cast<ptrdiff_t>(std::min<size_t>(5, answer.guesses.size()));
  right_in_five_ = std::any_of(answer.guesses.begin(), five, is_truth);
  if (answer.guesses.size() > arguments_.topk) answer.guesses.resize(arguments_.topk);
  result_.steps = session_.now();
  result_.seconds = cutter_->SecondsUntil(session_.now());
  result_.live = live;
  if (format_ == OutputFormat::kNpy) {
    Write(NpyRecord(network_.outputs(), logits_));
  } else {
    Write(RecordingLine(format_, result_, arguments_.topk));
  }
}

// Says what was not used of a recording.
void RecordingsRun::Conclude(const Recording& recording) {
  const Damage& damage = recording.damage();
  if (damage.any() && summary_.damaged() <= kMostMessages) {
    progress_.Clear();
    PrintError(kProgram, file_->path + ": damaged: " + Describe(damage));
  }
  // Where nobody asked for a part, what lies beyond is news.
  if (cutter_->left_out() > 0 && arguments_.recordings.crop.empty() && !said_where_) {
    said_where_ = true;
    progress_.Clear();
    const InputFormat& input = network_.input();
    PrintError(kProgram,
               fmt::format("{}: {} of {} events lie beyond the network's input of {} x {} pixels "
                           "and are left out; --crop chooses a part, with --scale for all of it",
                           file_->path, cutter_->left_out(), cutter_->left_out() + cutter_->used(),
                           input.width, input.height));
  }
}

void RecordingsRun::Fail(const ImageFile& file, const Status& status) {
  summary_.AddFailed();
  tally_.AddFailed(status.message());
  progress_.Clear();
  PrintError(kProgram, status.message());
  RecordingResult failed;
  failed.answer.path = file.path;
  failed.answer.error = status.message();
  failed.answer.has_truth = file.truth != kUnknownTruth;
  if (failed.answer.has_truth) {
    failed.answer.truth = network_.labels()[static_cast<size_t>(file.truth)];
  }
  Write(format_ == OutputFormat::kNpy ? NpyRecord(network_.outputs(), {})
                                      : RecordingLine(format_, failed, arguments_.topk));
}

// Writes to standard output at once, since who reads it may wait for each answer.
void RecordingsRun::Write(const std::string& text) {
  if (text.empty() || !written_) return;
  progress_.Clear();
  written_ =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

Status RecordingsRun::Conclude() {
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
    const std::string page =
        RecordingPage({std::filesystem::path(arguments_.network).filename().string(), network_,
                       summary_, tally_});
    if (Status status = WriteText(arguments_.report, page); !status.ok()) return status;
  }
  return written_ ? Status::Ok() : Status::Io("cannot write the results");
}

std::vector<uint8_t> BeginOf(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  std::vector<uint8_t> begin(4096);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(begin.data()), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<size_t>(file.gcount()));
  return begin;
}

Result<std::vector<ImageFile>> CollectRecordings(const Arguments& arguments,
                                                 const Network& network) {
  for (const std::string& path : arguments.paths) {
    const std::vector<uint8_t> begin = BeginOf(path);
    if (!begin.empty() &&
        BeginsAsImage(std::span(begin).first(std::min<size_t>(16, begin.size())))) {
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
  const Result<std::vector<ImageFile>> files = CollectRecordings(arguments, *network);
  if (!files.ok()) return files.status();
  const Interrupt interrupt;
  EventSessionOptions options;
  options.profile = arguments.profile || !arguments.report.empty();
  options.cancel = &Interrupt::flag();
  Result<EventSession> session = EventSession::Create(network, options);
  if (!session.ok()) {
    return Status(session.status().code(), arguments.network + ": " + session.status().message());
  }
  RecordingsRun run(arguments, network, std::move(session).value(), cut, answer_steps.value());
  const Status ran = run.Run(files.value());
  // What was run is summed up in any case; the first error is the one to report.
  const Status concluded = run.Conclude();
  if (!ran.ok()) return ran;
  if (!concluded.ok()) return concluded;
  return run.whole();
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
