// Resizes a part of a picture with PIL's arithmetic: networks were trained on pictures resized by
// it, and no packaged library offers it without the dependencies of a desktop.
#ifndef CSSRUN_RUNTIME_PREPROCESS_RESAMPLE_H_
#define CSSRUN_RUNTIME_PREPROCESS_RESAMPLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "cssrun/preprocess.h"

namespace cssrun::internal {

// Interleaved, rows from the top.
struct Picture {
  std::span<const uint8_t> bytes;
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t channels = 3;
};

struct Region {
  uint32_t left = 0;
  uint32_t top = 0;
  uint32_t width = 0;
  uint32_t height = 0;
};

// Returns this region of the picture resized to width x height. Only what it shows is computed, so
// that no memory grows with width and height. All sizes are positive, and the region lies inside.
std::vector<uint8_t> Resample(const Picture& picture, uint32_t width, uint32_t height,
                              const Region& region, Interpolation interpolation);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_PREPROCESS_RESAMPLE_H_
