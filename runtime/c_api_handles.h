// What the files of the C interface share.
#ifndef CSSRUN_RUNTIME_C_API_HANDLES_H_
#define CSSRUN_RUNTIME_C_API_HANDLES_H_

#include <cstddef>
#include <memory>
#include <string>

#include "cssrun/c.h"
#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"

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

inline Status OutOfRange(const char* what, size_t given, size_t count) {
  return Status::InvalidArgument(std::string(what) + " " + std::to_string(given) + "; there are " +
                                 std::to_string(count));
}

}  // namespace cssrun::c_api

#endif  // CSSRUN_RUNTIME_C_API_HANDLES_H_
