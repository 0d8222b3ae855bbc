// Random sequences of frames.
#ifndef CSSRUN_TESTS_RUNTIME_STREAM_FRAMES_H_
#define CSSRUN_TESTS_RUNTIME_STREAM_FRAMES_H_

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "network_generated.h"
#include "tests/oracle/network_parts.h"

namespace cssrun {

// What becomes of a frame in the next one.
enum class Motion : uint8_t { kStill, kNoise, kPatch, kCut, kOnePixel, kMotions };

inline std::vector<uint8_t> RandomFrame(oracle::Draw& draw, size_t size) {
  std::vector<uint8_t> frame(size);
  for (uint8_t& pixel : frame) pixel = static_cast<uint8_t>(draw.Integer(0, 255));
  return frame;
}

// Changes an interleaved frame.
inline void Move(oracle::Draw& draw, Motion motion, const format::Extent& image,
                 std::vector<uint8_t>& frame) {
  const int rows = static_cast<int>(image.height());
  const int columns = static_cast<int>(image.width());
  const size_t channels = image.channels();
  const auto pixel = [&](int row, int column) {
    return &frame[static_cast<size_t>(row * columns + column) * channels];
  };
  switch (motion) {
    case Motion::kNoise:
      for (uint8_t& value : frame) {
        if (!draw.Chance(0.05)) continue;
        value = static_cast<uint8_t>(value + draw.Integer(-9, 9));
      }
      return;
    case Motion::kPatch: {
      const int top = draw.Integer(0, rows - 1);
      const int left = draw.Integer(0, columns - 1);
      const int bottom = draw.Integer(top, rows - 1);
      const int right = draw.Integer(left, columns - 1);
      for (int row = top; row <= bottom; ++row) {
        for (int column = left; column <= right; ++column) {
          for (size_t c = 0; c < channels; ++c) {
            pixel(row, column)[c] = static_cast<uint8_t>(draw.Integer(0, 255));
          }
        }
      }
      return;
    }
    case Motion::kCut:
      frame = RandomFrame(draw, frame.size());
      return;
    case Motion::kOnePixel: {
      const auto at = static_cast<size_t>(draw.Integer(0, static_cast<int>(frame.size()) - 1));
      frame[at] = static_cast<uint8_t>(draw.Integer(0, 255));
      return;
    }
    default:
      return;
  }
}

}  // namespace cssrun

#endif  // CSSRUN_TESTS_RUNTIME_STREAM_FRAMES_H_
