// The one error type: a code for programs and one sentence for people.
//
// Functions that can fail return Status, or Result<T> if they also produce a value; the compiler
// warns if either is ignored. The library never prints. It throws only std::bad_alloc, from
// Session's constructor, and passes on what callbacks of the caller throw. It never ends the
// process, except for one programming error of the caller: Result::value() calls std::abort() if
// ok() is false.
#ifndef CSSRUN_STATUS_H_
#define CSSRUN_STATUS_H_

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace cssrun {

enum class StatusCode {
  kOk,
  kInvalidArgument,  // the caller asked for something impossible (exit code of the programs: 2)
  kBadModel,         // a model or network file that is damaged, hostile or unsupported (3)
  kIo,               // the operating system refused to read or write (4)
  kOutOfMemory,      // (4)
  kCancelled,        // by SessionOptions::cancel (1)
  kTimedOut,         // SessionOptions::time_limit passed before there was an answer (1)
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status Ok() { return {}; }
  static Status InvalidArgument(std::string message) {
    return {StatusCode::kInvalidArgument, std::move(message)};
  }
  static Status BadModel(std::string message) {
    return {StatusCode::kBadModel, std::move(message)};
  }
  static Status Io(std::string message) { return {StatusCode::kIo, std::move(message)}; }
  // Its message is short enough that std::string allocates no memory for it.
  static Status OutOfMemory() { return {StatusCode::kOutOfMemory, "out of memory"}; }
  static Status Cancelled(std::string message) {
    return {StatusCode::kCancelled, std::move(message)};
  }
  static Status TimedOut(std::string message) {
    return {StatusCode::kTimedOut, std::move(message)};
  }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // Names the file, what is wrong and what to do about it; empty if ok().
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

// A value, or the Status that says why there is none. Check ok() first: calling value() of a failed
// Result is a programming error and ends the process with std::abort().
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return Checked(); }
  const T& value() const& { return const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(Checked()); }

 private:
  T& Checked() {
    if (!value_.has_value()) std::abort();
    return *value_;
  }

  Status status_;
  std::optional<T> value_;
};

}  // namespace cssrun

#endif  // CSSRUN_STATUS_H_
