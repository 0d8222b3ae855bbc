// Limits on what untrusted files may ask for, by name: those of the programs' --limit and of the
// Python module's `limits`.
#ifndef CSSRUN_TOOLS_LIMITS_H_
#define CSSRUN_TOOLS_LIMITS_H_

#include <cstdint>
#include <string_view>

#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "tools/image.h"

namespace cssrun::tools {

struct Limits {
  NetworkLimits network;
  ImageLimits image;
  uint64_t frames = 10'000'000;  // of a video file or a folder of frames: four days at 30 a second
};

// The largest limit is small enough that the product of a size and a few bytes cannot overflow.
inline constexpr uint64_t kLargestLimit = uint64_t{1} << 40;

// Sets one limit. Error: kInvalidArgument where there is no limit of that name, or `value` is not
// from 1 to kLargestLimit.
Status SetLimit(std::string_view name, uint64_t value, Limits& limits);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_LIMITS_H_
