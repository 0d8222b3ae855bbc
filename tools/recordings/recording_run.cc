#include "tools/recordings/recording_run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "fmt/format.h"
#include "runtime/seconds_since.h"
#include "tools/numbers.h"
#include "tools/stream/interrupt.h"

namespace cssrun::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kMostSilentAnswers = 1000;  // in a row, without an event between them
constexpr size_t kManyWaiting = size_t{1} << 20;
constexpr uint32_t kMostAtOnce = uint32_t{1} << 20;  // TimedEvent::value
constexpr char kPipe[] = "-";
constexpr uint64_t kMostLate =
    1'000'000;  // us, by which events of a live source come after a silence

uint64_t EventsIn(std::span<const TimedEvent> events) {
  uint64_t count = 0;
  for (const TimedEvent& event : events) count += static_cast<uint64_t>(event.value);
  return count;
}

}  // namespace

RecordingRun::RecordingRun(std::shared_ptr<const Network> network,
                           const RecordingRunOptions& options, EventSession session)
    : network_(std::move(network)),
      options_(options),
      twins_(network_->labels()),
      session_(std::move(session)),
      silence_(network_) {}

Result<std::unique_ptr<RecordingRun>> RecordingRun::Create(std::shared_ptr<const Network> network,
                                                           const RecordingRunOptions& options) {
  EventSessionOptions session_options;
  session_options.profile = options.profile;
  session_options.cancel = &Interrupt::flag();
  Result<EventSession> session = EventSession::Create(network, session_options);
  if (!session.ok()) return session.status();
  return std::unique_ptr<RecordingRun>(
      new RecordingRun(std::move(network), options, std::move(session).value()));
}

void RecordingRun::Begin(const ImageFile& file, bool sample) {
  file_ = &file;
  outcome_ = {};
  outcome_.result.answer.path = file.path;
  waiting_.clear();
  next_answer_ = options_.answer_steps;
  answered_events_ = 0;
  silent_answers_ = 0;
  sampling_ = sample;
  sample_ = {};
  sampled_spikes_.assign(network_->layers().size(), 0);
  sampled_steps_ = 0;
  session_.Reset();
  silence_.End(0, nullptr);
}

RecordingOutcome RecordingRun::Run(const ImageFile& file, bool sample,
                                   const std::function<void(const std::string&)>& write) {
  const Clock::time_point start = Clock::now();
  Begin(file, sample);
  write_ = &write;
  outcome_.status = RunToTheEnd();
  if (outcome_.status.ok()) {
    Answer(session_, false);
    outcome_.layers = session_.layers();
  } else if (outcome_.status.code() != StatusCode::kCancelled) {
    Fail(outcome_.status);
  }
  outcome_.load_seconds = internal::SecondsSince(start) - outcome_.run_seconds;
  return std::move(outcome_);
}

Status RecordingRun::RunToTheEnd() {
  std::error_code ignored;
  if (std::filesystem::is_fifo(file_->path, ignored) && !options_.named.contains(file_->path)) {
    return Status::Io(file_->path + ": not a regular file");
  }
  Result<std::unique_ptr<Recording>> recording = Recording::Open(file_->path, &Interrupt::flag());
  if (!recording.ok()) return recording.status();
  const Status ran = RunEvents(*recording.value());
  outcome_.damage = recording.value()->damage();
  if (Interrupt::flag() && file_->path != kPipe) return Status::Cancelled("interrupted");
  if (!ran.ok() && ran.code() != StatusCode::kCancelled) return ran;
  if (outcome_.cutter.has_value()) {
    const StepCutter& cutter = *outcome_.cutter;
    if (cutter.used() > 0) return Status::Ok();
    const InputFormat& input = network_->input();
    return Status::InvalidArgument(fmt::format(
        "{}: none of its {} events reaches the network's input of {} x {} pixels; --crop chooses "
        "a part of the sensor, --scale brings it to that size",
        file_->path, cutter.left_out(), input.width, input.height));
  }
  const std::string damage = Describe(outcome_.damage);
  return Status::InvalidArgument(file_->path + ": no events" +
                                 (damage.empty() ? "" : "; " + damage));
}

Status RecordingRun::RunEvents(Recording& recording) {
  std::optional<StepCutter>& cutter = outcome_.cutter;
  std::vector<Event> events;
  for (;;) {
    if (Status status = recording.Next(events, NextDue(recording)); !status.ok()) return status;
    if (events.empty()) {
      if (recording.ended()) break;
      if (Status status = AnswerInSilence(); !status.ok()) return status;
      continue;
    }
    if (!cutter.has_value()) {
      const InputFormat& input = network_->input();
      Result<StepCutter> made = StepCutter::Create(
          options_.cut, {input.channels, input.height, input.width}, recording.sensor());
      if (!made.ok()) {
        return Status(made.status().code(), file_->path + ": " + made.status().message());
      }
      cutter = std::move(made).value();
    }
    const size_t waited = waiting_.size();
    cutter->Cut(events, waiting_);
    EndSilence(waited);
    // The last step may get more events.
    if (Status status = AdvanceOver(cutter->steps() - 1); !status.ok()) return status;
    AddUp();
  }
  return cutter.has_value() ? AdvanceOver(cutter->steps()) : Status::Ok();
}

// When a live source owes an answer, though no event has come. Files are not in a hurry.
Recording::Clock::time_point RecordingRun::NextDue(const Recording& recording) const {
  if (!recording.live() || next_answer_ == kOnlyTheEnd || !outcome_.cutter.has_value()) {
    return Recording::Clock::time_point::max();
  }
  return silence_.Due(outcome_.cutter->AfterLast(next_answer_));
}

Status RecordingRun::AnswerInSilence() {
  const Result<const EventSession*> ahead = silence_.GoOn(session_, waiting_, next_answer_);
  if (!ahead.ok()) return ahead.status();
  const uint64_t fed = outcome_.result.events;
  outcome_.result.events += EventsIn(waiting_);
  Answer(*ahead.value(), true);
  outcome_.result.events = fed;
  next_answer_ += options_.answer_steps;
  return Status::Ok();
}

// The first `waited` events in waiting_ are those that a silent answer may have seen.
void RecordingRun::EndSilence(size_t waited) {
  const uint64_t step =
      waited < waiting_.size() ? waiting_[waited].step : outcome_.cutter->steps() - 1;
  const uint64_t late = silence_.StepsPast(step);
  // The source had stood still, and so had its clock.
  if (late * static_cast<uint64_t>(options_.cut.bin_us) > kMostLate) {
    next_answer_ = (step / options_.answer_steps + 1) * options_.answer_steps;
  }
  // Its time is not measured.
  if (silence_.End(step, options_.profile ? nullptr : &session_)) {
    outcome_.result.events += EventsIn(std::span(waiting_).first(waited));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(waited));
  }
}

// Adds up events of the same address where many wait for their step to end: a recording may have
// all of its events at one time.
void RecordingRun::AddUp() {
  const InputFormat& input = network_->input();
  const size_t addresses = size_t{input.channels} * input.height * input.width;
  if (waiting_.size() < std::max(kManyWaiting, 2 * addresses)) return;
  const uint64_t step = waiting_.front().step;
  sums_.assign(addresses, 0);
  std::vector<TimedEvent> full;
  for (const TimedEvent& event : waiting_) {
    uint32_t& sum = sums_[event.address];
    sum += static_cast<uint32_t>(event.value);
    if (sum < kMostAtOnce) continue;
    // What one event may bring.
    full.push_back({step, event.address, static_cast<float>(kMostAtOnce)});
    sum -= kMostAtOnce;
  }
  waiting_ = std::move(full);
  for (size_t i = 0; i < addresses; ++i) {
    if (sums_[i] == 0) continue;
    waiting_.push_back({step, static_cast<uint32_t>(i), static_cast<float>(sums_[i])});
  }
}

uint64_t RecordingRun::NextSample() const {
  return sampling_ ? sampled_steps_ + outcome_.samples.steps() : kOnlyTheEnd;
}

// Does all steps before `step`, stopping where an answer or a sample is due.
Status RecordingRun::AdvanceOver(uint64_t step) {
  size_t fed = 0;
  while (session_.now() < step) {
    const uint64_t until = std::min({step, next_answer_, NextSample()});
    size_t end = fed;
    while (end < waiting_.size() && waiting_[end].step < until) ++end;
    const std::span<const TimedEvent> due =
        std::span<const TimedEvent>(waiting_).subspan(fed, end - fed);
    const Clock::time_point start = Clock::now();
    const Status status = session_.Feed(due, until);
    outcome_.run_seconds += internal::SecondsSince(start);
    if (!status.ok()) return status;
    outcome_.result.events += EventsIn(due);
    sample_.events += EventsIn(due);
    fed = end;
    if (until == NextSample()) Sample();
    if (until == next_answer_) {
      Answer(session_, true);
      next_answer_ = AfterAnswer(end, step);
    }
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(fed));
  return Status::Ok();
}

// Returns where the next answer is due. In a long silence, which a damaged time may make, nothing
// new is said: it leaves out the answers up to the next event, `fed` in waiting_, or `step`.
uint64_t RecordingRun::AfterAnswer(size_t fed, uint64_t step) {
  silent_answers_ = outcome_.result.events == answered_events_ ? silent_answers_ + 1 : 0;
  answered_events_ = outcome_.result.events;
  const uint64_t next = next_answer_ + options_.answer_steps;
  if (silent_answers_ < kMostSilentAnswers) return next;
  const uint64_t busy = fed < waiting_.size() ? std::min(waiting_[fed].step, step) : step;
  return std::max(next, busy / options_.answer_steps * options_.answer_steps);
}

void RecordingRun::Sample() {
  const std::vector<EventLayer>& layers = session_.layers();
  sample_.spikes.resize(layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    sample_.spikes[i] = layers[i].spikes - sampled_spikes_[i];
    sampled_spikes_[i] = layers[i].spikes;
  }
  session_.ReadLogits(logits_);
  sample_.answer = BestGuesses(logits_, network_->labels(), 1)[0].index;
  sample_.steps = session_.now() - sampled_steps_;
  sampled_steps_ = session_.now();
  outcome_.samples.Add(std::exchange(sample_, {}));
}

// Makes the result of what a session has read so far, and hands it on.
void RecordingRun::Answer(const EventSession& session, bool live) {
  session.ReadLogits(logits_);
  const int truth = twins_.Best(logits_, file_->truth);
  RecordingResult& result = outcome_.result;
  ImageResult& answer = result.answer;
  answer.has_truth = truth != kUnknownTruth;
  if (answer.has_truth) answer.truth = network_->labels()[static_cast<size_t>(truth)];
  answer.guesses = BestGuesses(logits_, network_->labels(), std::max<size_t>(options_.topk, 5));
  answer.margin = answer.guesses.size() > 1 ? answer.guesses[0].logit - answer.guesses[1].logit : 0;
  const auto is_truth = [&](const Guess& guess) {
    return answer.has_truth && guess.index == static_cast<size_t>(truth);
  };
  answer.right = is_truth(answer.guesses[0]);
  const auto five = static_cast<ptrdiff_t>(std::min<size_t>(5, answer.guesses.size()));
  outcome_.right_in_five =
      std::any_of(answer.guesses.begin(), answer.guesses.begin() + five, is_truth);
  if (answer.guesses.size() > options_.topk) answer.guesses.resize(options_.topk);
  result.steps = session.now();
  result.seconds = outcome_.cutter->SecondsUntil(session.now());
  result.live = live;
  (*write_)(options_.format == OutputFormat::kNpy
                ? NpyRecord(network_->outputs(), logits_)
                : RecordingLine(options_.format, result, options_.topk));
}

void RecordingRun::Fail(const Status& status) {
  ImageResult& answer = outcome_.result.answer;
  answer.guesses.clear();
  answer.error = status.message();
  answer.has_truth = file_->truth != kUnknownTruth;
  if (answer.has_truth) answer.truth = network_->labels()[static_cast<size_t>(file_->truth)];
  (*write_)(options_.format == OutputFormat::kNpy
                ? NpyRecord(network_->outputs(), {})
                : RecordingLine(options_.format, outcome_.result, options_.topk));
}

}  // namespace cssrun::tools
