// Shared by the files of the C interface.
#ifndef CSSRUN_RUNTIME_C_API_HANDLES_H_
#define CSSRUN_RUNTIME_C_API_HANDLES_H_

#include <cstddef>
#include <memory>
#include <string>

#include "cssrun/c.h"
#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"
#include "runtime/c_api_status.h"

struct cssrun_network {
  std::shared_ptr<const cssrun::Network> network;
};

namespace cssrun::c_api {

inline Status OrderOf(cssrun_pixel_order order, PixelOrder& translated) {
  if (order != CSSRUN_INTERLEAVED && order != CSSRUN_PLANAR) {
    return Status::InvalidArgument("order " + std::to_string(order) +
                                   " is not a cssrun_pixel_order");
  }
  translated = order == CSSRUN_PLANAR ? PixelOrder::kPlanar : PixelOrder::kInterleaved;
  return Status::Ok();
}

// Checks the arguments and calls `run`, a function of nothing that returns a Status. A session or a
// stream, called `name`, has an answer if it succeeds.
template <class Handle, class Run>
cssrun_code RunHandle(Handle* handle, const char* name, const void* input, size_t count,
                      cssrun_status* status, Run run) noexcept {
  return Guard(status, [&]() -> Status {
    if (handle == nullptr) return Null(name);
    handle->has_answer = false;
    if (input == nullptr && count != 0) return Null("the input");
    Status result = run();
    handle->has_answer = result.ok();
    return result;
  });
}

// The same for pixels: `run` takes their order.
template <class Handle, class Run>
cssrun_code RunPixels(Handle* handle, const char* name, const void* pixels, size_t count,
                      cssrun_pixel_order order, cssrun_status* status, Run run) noexcept {
  return RunHandle(handle, name, pixels, count, status, [&]() -> Status {
    auto translated = PixelOrder::kInterleaved;
    if (Status known = OrderOf(order, translated); !known.ok()) return known;
    return run(translated);
  });
}

// Ok if the last run succeeded, so that its answer may be read; otherwise says `why_none`.
template <class Handle>
Status CheckAnswer(const Handle* handle, const char* name, const char* why_none) {
  if (handle == nullptr) return Null(name);
  return handle->has_answer ? Status::Ok() : Status::InvalidArgument(why_none);
}

inline Status OutOfRange(const char* what, size_t given, size_t count) {
  return Status::InvalidArgument(std::string(what) + " " + std::to_string(given) + "; there are " +
                                 std::to_string(count));
}

}  // namespace cssrun::c_api

#endif  // CSSRUN_RUNTIME_C_API_HANDLES_H_
