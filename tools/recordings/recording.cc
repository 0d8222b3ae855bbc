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
constexpr int64_t kMostFall = 100'000;  // us
constexpr int64_t kMostLeap = int64_t{3600} * 1'000'000;
constexpr int64_t kLatestTime = int64_t{1} << 53;  // 285 years
constexpr int64_t kLatestShifted = int64_t{1} << 58;

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
    return Begin(
        std::unique_ptr<Recording>(new Recording("standard input", STDIN_FILENO, {}, stop)));
  }
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return IoError(path, errno);
  auto recording = std::unique_ptr<Recording>(new Recording(path, file, {}, stop));
  struct stat status = {};
  if (fstat(file, &status) != 0) return IoError(path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    return Status::Io(path + ": neither a file nor a pipe");
  }
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
    if (Status status = ReadMore(); !status.ok()) return status;
  }
}

Status Recording::Failed(const Status& status) const {
  return {status.code(), name_ + ": " + status.message()};
}

// Adds bytes to the buffer, as soon as there are any, or finds that it has ended.
Status Recording::ReadMore() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(begin_));
  begin_ = 0;
  if (file_ < 0) {
    const size_t count = std::min(given_.size(), kReadAtOnce);
    buffer_.insert(buffer_.end(), given_.begin(), given_.begin() + static_cast<ptrdiff_t>(count));
    given_ = given_.subspan(count);
    ended_ = given_.empty();
    return Status::Ok();
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
    const int ready = poll(&polled, 1, stop_ == nullptr ? -1 : kPatienceMilliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    came = read(file_, buffer_.data() + before, kReadAtOnce);
    if (came < 0 && errno != EINTR && errno != EAGAIN) {
      buffer_.resize(before);
      return IoError(name_, errno);
    }
  }
  buffer_.resize(before + static_cast<size_t>(came));
  ended_ = came == 0;
  return Status::Ok();
}

Status Recording::Next(std::vector<Event>& events) {
  decoded_.events.clear();
  while (decoded_.events.empty() && !finished_) {
    const std::span<const uint8_t> bytes = std::span<const uint8_t>(buffer_).subspan(begin_);
    const Result<size_t> taken = decoder_->Decode(bytes, offset_, ended_, decoded_);
    if (!taken.ok()) return Failed(taken.status());
    begin_ += taken.value();
    offset_ += taken.value();
    finished_ = ended_ && (begin_ == buffer_.size() || taken.value() == 0);
    PutInOrder();
    const bool more = decoded_.events.empty() && taken.value() == 0 && !ended_;
    if (!more) continue;
    if (Status status = ReadMore(); !status.ok()) return status;
  }
  events.swap(decoded_.events);
  return Status::Ok();
}

void Recording::PutInOrder() {
  size_t kept = 0;
  for (Event& event : decoded_.events) {
    if (Accept(event)) decoded_.events[kept++] = event;
  }
  decoded_.events.resize(kept);
}

// Returns whether the event is to be used; moves its time to where it belongs.
bool Recording::Accept(Event& event) {
  Damage& damage = decoded_.damage;
  const std::optional<SensorSize>& sensor = decoded_.sensor;
  if (sensor.has_value() && (event.x >= sensor->width || event.y >= sensor->height)) {
    ++damage.outside;
    damage.Note(offset_, "an event outside the sensor");
    return false;
  }
  const bool possible = event.time_us > -kLatestTime && event.time_us < kLatestTime &&
                        latest_.value_or(0) < kLatestShifted;
  if (!possible) {
    ++damage.records;
    damage.Note(offset_, "a time beyond 285 years");
    return false;
  }
  event.time_us += shift_;
  if (latest_.has_value()) {
    const int64_t leap = event.time_us - *latest_;
    if (leap < -kMostFall || leap > kMostLeap) {
      shift_ -= leap;
      event.time_us = *latest_;
      ++damage.clock_leaps;
      damage.Note(offset_, "the clock leaps");
    } else if (leap < 0) {
      event.time_us = *latest_;
      ++damage.backwards;
      damage.Note(offset_, "time goes back");
    }
  }
  latest_ = event.time_us;
  return true;
}

}  // namespace cssrun::tools
