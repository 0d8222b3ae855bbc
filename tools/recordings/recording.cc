#include "tools/recordings/recording.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cssrun::tools {
namespace {

constexpr size_t kReadAtOnce = size_t{1} << 16;
// How long a silent pipe may keep the program from noticing that it is to stop.
constexpr int kPatienceMilliseconds = 200;
constexpr int64_t kMostFall = 10'000;        // us: times of EVT 3.0 may be 4 ms off
constexpr int64_t kMostSilence = 1'000'000;  // without a second event to bear it out
constexpr int64_t kMostLeap = int64_t{3600} * 1'000'000;
constexpr int64_t kLatestTime = int64_t{1} << 53;  // 285 years
constexpr int64_t kLatestShifted = int64_t{1} << 58;

// Milliseconds to wait; -1 without an end.
int PatienceUntil(Recording::Clock::time_point until, bool may_stop) {
  const auto now = Recording::Clock::now();
  const int most = may_stop ? kPatienceMilliseconds : -1;
  if (until == Recording::Clock::time_point::max()) return most;
  if (until <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  return static_cast<int>(std::min<int64_t>(left, kPatienceMilliseconds));
}

Status IoError(const std::string& name, int error) {
  return Status::Io(name + ": " + std::strerror(error));
}

}  // namespace

Recording::Recording(std::string name, int file, std::span<const uint8_t> bytes,
                     const std::atomic<bool>* stop)
    : name_(std::move(name)), file_(file), given_(bytes), stop_(stop) {}

Recording::~Recording() {
  if (file_ > STDIN_FILENO) close(file_);
}

Result<std::unique_ptr<Recording>> Recording::Open(const std::string& path,
                                                   const std::atomic<bool>* stop) {
  if (path == "-") {
    if (isatty(STDIN_FILENO) == 1) {
      return Status::InvalidArgument(
          "standard input: a terminal; pipe events into it, as CSV (t,x,y,p) or in one of the "
          "formats of files");
    }
    auto recording =
        std::unique_ptr<Recording>(new Recording("standard input", STDIN_FILENO, {}, stop));
    struct stat status = {};
    recording->live_ = fstat(STDIN_FILENO, &status) == 0 && !S_ISREG(status.st_mode);
    return Begin(std::move(recording));
  }
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return IoError(path, errno);
  auto recording = std::unique_ptr<Recording>(new Recording(path, file, {}, stop));
  struct stat status = {};
  if (fstat(file, &status) != 0) return IoError(path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    return Status::Io(path + ": neither a file nor a pipe");
  }
  recording->live_ = S_ISFIFO(status.st_mode);
  return Begin(std::move(recording));
}

Result<std::unique_ptr<Recording>> Recording::OfBytes(std::span<const uint8_t> bytes,
                                                      std::string name) {
  return Begin(std::unique_ptr<Recording>(new Recording(std::move(name), -1, bytes, nullptr)));
}

Result<std::unique_ptr<Recording>> Recording::Begin(std::unique_ptr<Recording> recording) {
  if (Status status = recording->Begin(); !status.ok()) return status;
  return recording;
}

Status Recording::Begin() {
  for (;;) {
    const Result<std::optional<RecordingFormat>> format = Recognize(buffer_, ended_);
    if (!format.ok()) return Failed(format.status());
    if (format.value().has_value()) {
      format_ = *format.value();
      decoder_ = NewDecoder(format_);
      return Status::Ok();
    }
    const Result<bool> more = ReadMore(Clock::time_point::max());
    if (!more.ok()) return more.status();
  }
}

Status Recording::Failed(const Status& status) const {
  return {status.code(), name_ + ": " + status.message()};
}

// Adds bytes to the buffer, as soon as there are any, or finds that it has ended. False: none came
// until `until`.
Result<bool> Recording::ReadMore(Clock::time_point until) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(begin_));
  begin_ = 0;
  if (file_ < 0) {
    const size_t count = std::min(given_.size(), kReadAtOnce);
    buffer_.insert(buffer_.end(), given_.begin(), given_.begin() + static_cast<ptrdiff_t>(count));
    given_ = given_.subspan(count);
    ended_ = given_.empty();
    return true;
  }
  const size_t before = buffer_.size();
  buffer_.resize(before + kReadAtOnce);
  ssize_t came = -1;
  while (came < 0) {
    if (stop_ != nullptr && *stop_) {
      came = 0;
      break;
    }
    pollfd polled = {file_, POLLIN, 0};
    const int ready = poll(&polled, 1, PatienceUntil(until, stop_ != nullptr));
    if (ready == 0 && Clock::now() >= until) {
      buffer_.resize(before);
      return false;
    }
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    came = read(file_, buffer_.data() + before, kReadAtOnce);
    if (came < 0 && errno != EINTR && errno != EAGAIN) {
      buffer_.resize(before);
      return IoError(name_, errno);
    }
  }
  buffer_.resize(before + static_cast<size_t>(came));
  ended_ = came == 0;
  return true;
}

Status Recording::Next(std::vector<Event>& events, Clock::time_point until) {
  in_order_.clear();
  while (in_order_.empty() && !finished_) {
    const std::span<const uint8_t> bytes = std::span<const uint8_t>(buffer_).subspan(begin_);
    const Result<size_t> taken = decoder_->Decode(bytes, offset_, ended_, decoded_);
    if (!taken.ok()) return Failed(taken.status());
    begin_ += taken.value();
    offset_ += taken.value();
    finished_ = ended_ && (begin_ == buffer_.size() || taken.value() == 0);
    PutInOrder();
    const bool more = in_order_.empty() && taken.value() == 0 && !ended_;
    if (!more) continue;
    const Result<bool> came = ReadMore(until);
    if (!came.ok()) return came.status();
    // Bytes may come for long without an event.
    if (!came.value() || Clock::now() >= until) break;
  }
  events.swap(in_order_);
  return Status::Ok();
}

void Recording::PutInOrder() {
  for (const Event& event : decoded_.events) {
    if (!IsPossible(event)) continue;
    if (suspicious_.has_value()) Decide(*std::exchange(suspicious_, std::nullopt), &event);
    if (IsSuspicious(event)) {
      suspicious_ = event;
    } else {
      Take(event);
    }
  }
  decoded_.events.clear();
  if (finished_ && suspicious_.has_value()) {
    Decide(*std::exchange(suspicious_, std::nullopt), nullptr);
  }
}

bool Recording::IsPossible(const Event& event) {
  Damage& damage = decoded_.damage;
  const std::optional<SensorSize>& sensor = decoded_.sensor;
  if (sensor.has_value() && (event.x >= sensor->width || event.y >= sensor->height)) {
    ++damage.outside;
    damage.Note(offset_, "an event outside the sensor");
    return false;
  }
  const bool possible = event.time_us > -kLatestTime && event.time_us < kLatestTime &&
                        latest_.value_or(0) < kLatestShifted;
  if (possible) return true;
  ++damage.records;
  damage.Note(offset_, "a time beyond 285 years");
  return false;
}

bool Recording::IsSuspicious(const Event& event) const {
  if (!latest_.has_value()) return false;
  const int64_t leap = event.time_us + shift_ - *latest_;
  return leap < -kMostFall || leap > kMostSilence;
}

// Decides about a suspicious event by the next one; null: it is the last.
void Recording::Decide(Event event, const Event* next) {
  const int64_t leap = event.time_us + shift_ - *latest_;
  const bool set_anew = leap < -kMostFall || leap > kMostLeap;
  if (next == nullptr ? set_anew : !IsSuspicious(*next)) {
    // Time goes on as before.
    ++decoded_.damage.misplaced;
    decoded_.damage.Note(offset_, "a time that does not fit");
    event.time_us = *latest_ - shift_;
  } else if (set_anew) {
    shift_ -= leap;
    ++decoded_.damage.clock_leaps;
    decoded_.damage.Note(offset_, "the clock leaps");
  }
  Take(event);
}

void Recording::Take(Event event) {
  event.time_us += shift_;
  if (latest_.has_value() && event.time_us < *latest_) {
    event.time_us = *latest_;
    ++decoded_.damage.misplaced;
    decoded_.damage.Note(offset_, "time goes back");
  }
  latest_ = event.time_us;
  in_order_.push_back(event);
}

}  // namespace cssrun::tools
