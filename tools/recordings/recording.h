// A recording of an event camera, from a file or a pipe, as events in the order of their time.
#ifndef CSSRUN_TOOLS_RECORDINGS_RECORDING_H_
#define CSSRUN_TOOLS_RECORDINGS_RECORDING_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cssrun/status.h"
#include "tools/recordings/decoder.h"
#include "tools/recordings/event.h"

namespace cssrun::tools {

// Events never go back in time: one that is earlier than the one before, or whose time the next one
// does not bear out, gets the time of the one before. Where the clock falls by more than 10 ms or
// leaps by more than an hour, and the next event agrees, it was set anew, and time goes on from
// there, so that a damaged time cannot make years of steps. Events outside a sensor whose size is
// known are left out. Damage counts all of that.
//
// Memory: 64 KiB of the file, or one packet of at most 64 MiB, and the events of that. One thread
// at a time.
class Recording {
 public:
  using Clock = std::chrono::steady_clock;

  // Opens a file or a pipe; "-" is standard input. The content tells the format. Reading from a
  // pipe ends early when `stop`, if not null, becomes true. Errors, which name the file: kIo,
  // kInvalidArgument where this is no recording.
  static Result<std::unique_ptr<Recording>> Open(const std::string& path,
                                                 const std::atomic<bool>* stop = nullptr);
  // Reads `bytes`, which must outlive it; messages use `name`.
  static Result<std::unique_ptr<Recording>> OfBytes(std::span<const uint8_t> bytes,
                                                    std::string name);

  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  RecordingFormat format() const { return format_; }
  // Known after the first Next() at the latest; nothing where the format does not say it.
  const std::optional<SensorSize>& sensor() const { return decoded_.sensor; }
  const Damage& damage() const { return decoded_.damage; }

  // Whether events come as they happen, through a pipe or from a device.
  bool live() const { return live_; }

  // Replaces `events` by the next ones, as soon as there are any; none is the end, or means that
  // none came until `until`. Errors as for Open(), after which it must not be called again.
  Status Next(std::vector<Event>& events, Clock::time_point until = Clock::time_point::max());
  // Whether nothing more will come.
  bool ended() const { return finished_; }

 private:
  Recording(std::string name, int file, std::span<const uint8_t> bytes,
            const std::atomic<bool>* stop);
  static Result<std::unique_ptr<Recording>> Begin(std::unique_ptr<Recording> recording);
  Status Begin();
  Result<bool> ReadMore(Clock::time_point until);
  Status Failed(const Status& status) const;
  void PutInOrder();
  bool IsPossible(const Event& event);
  bool IsSuspicious(const Event& event) const;
  void Decide(Event event, const Event* next);
  void Take(Event event);

  std::string name_;
  int file_;                        // -1 where all bytes are there
  std::span<const uint8_t> given_;  // the bytes instead of a file, as far as not yet read
  const std::atomic<bool>* stop_;
  bool live_ = false;
  RecordingFormat format_ = RecordingFormat::kCsv;
  std::unique_ptr<Decoder> decoder_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;     // of what is not decoded in the buffer
  uint64_t offset_ = 0;  // of that in the recording
  bool ended_ = false;   // no more bytes follow
  bool finished_ = false;
  Decoded decoded_;
  std::vector<Event> in_order_;
  std::optional<Event> suspicious_;  // waits for the next event
  std::optional<int64_t> latest_;
  int64_t shift_ = 0;  // what leaps of the clock have added to times
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_RECORDING_H_
