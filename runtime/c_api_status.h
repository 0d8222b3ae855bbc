// How the C interface reports a Status, and copies structs whose size the caller's version of the
// header decides.
#ifndef CSSRUN_RUNTIME_C_API_STATUS_H_
#define CSSRUN_RUNTIME_C_API_STATUS_H_

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "cssrun/c.h"
#include "cssrun/status.h"
#include "cssrun/version.h"

namespace cssrun::c_api {

inline cssrun_code CodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return CSSRUN_OK;
    case StatusCode::kInvalidArgument:
      return CSSRUN_INVALID_ARGUMENT;
    case StatusCode::kBadModel:
      return CSSRUN_BAD_MODEL;
    case StatusCode::kIo:
      return CSSRUN_IO;
    case StatusCode::kOutOfMemory:
      return CSSRUN_OUT_OF_MEMORY;
    case StatusCode::kCancelled:
      return CSSRUN_CANCELLED;
    case StatusCode::kTimedOut:
      return CSSRUN_TIMED_OUT;
  }
  return CSSRUN_INTERNAL;
}

// Fills in `status` (if not null) and returns `code`. A message that is too long is cut between two
// characters of UTF-8, never within one.
inline cssrun_code Report(cssrun_code code, const char* message, cssrun_status* status) {
  if (status == nullptr) return code;
  status->code = code;
  size_t size = std::strlen(message);
  if (size >= sizeof(status->message)) {
    size = sizeof(status->message) - 1;
    while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  }
  std::memcpy(status->message, message, size);
  std::memset(status->message + size, 0, sizeof(status->message) - size);
  return code;
}

// Runs `call`, which returns a Status, and reports that Status or the exception thrown.
template <class Call>
cssrun_code Guard(cssrun_status* status, Call call) noexcept {
  try {
    const Status result = call();
    return Report(CodeOf(result), result.message().c_str(), status);
  } catch (const std::bad_alloc&) {
    return Report(CSSRUN_OUT_OF_MEMORY, "out of memory", status);
  } catch (const std::length_error&) {
    return Report(CSSRUN_OUT_OF_MEMORY, "out of memory", status);
  } catch (const std::exception& error) {
    return Report(CSSRUN_INTERNAL, error.what(), status);
  } catch (...) {
    return Report(CSSRUN_INTERNAL, "unknown exception", status);
  }
}

inline Status Null(const char* what) {
  return Status::InvalidArgument(std::string(what) + " is NULL");
}

// Copies the caller's options into our struct, which may be larger or smaller: `options` holds the
// defaults for what an older caller does not know, and what a newer caller adds must be 0.
//
//     older caller    given    | struct_size ... |
//                     options  | copied          | defaults |
//     newer caller    given    | struct_size ...            | 0 0 0 |
template <class T>
Status ReadOptions(const T* given, T& options) {
  if (given == nullptr) return Status::Ok();
  const size_t size = given->struct_size;
  if (size < sizeof(size_t) || size > 4096) {
    return Status::InvalidArgument("struct_size " + std::to_string(size) +
                                   "; begin with CSSRUN_..._INIT");
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (size > sizeof(T) &&
      std::any_of(bytes + sizeof(T), bytes + size, [](unsigned char byte) { return byte != 0; })) {
    return Status::InvalidArgument("options that this version of cssrun does not know; it is " +
                                   std::string(Version()));
  }
  std::memcpy(&options, given, std::min(size, sizeof(T)));
  options.struct_size = sizeof(T);
  return Status::Ok();
}

// Copies our struct into the caller's, whose struct_size says how much of it the caller knows.
// Fields of a newer caller that ours lacks become 0.
template <class T>
Status WriteStruct(T ours, T* given, const char* what) {
  if (given == nullptr) return Null(what);
  const size_t size = given->struct_size;
  if (size < sizeof(size_t) || size > 4096) {
    return Status::InvalidArgument("struct_size " + std::to_string(size) + "; set it to sizeof(*" +
                                   what + ")");
  }
  ours.struct_size = size;
  if (size > sizeof(T)) std::memset(given, 0, size);
  std::memcpy(given, &ours, std::min(size, sizeof(T)));
  return Status::Ok();
}

}  // namespace cssrun::c_api

#endif  // CSSRUN_RUNTIME_C_API_STATUS_H_
