// Takes the pixels of a row that leave the hold.
#ifndef CSSRUN_RUNTIME_STREAM_TAKE_PIXELS_H_
#define CSSRUN_RUNTIME_STREAM_TAKE_PIXELS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace cssrun::internal {

// A row of interleaved bytes, [column][channel].
struct PixelRow {
  const uint8_t* pixels = nullptr;
  uint8_t* kept = nullptr;
  size_t columns = 0;
  size_t channels = 0;
};

// Copies each pixel that differs by more than `hold` from the kept one in some channel, and adds a
// bit for its position to `positions`. Returns how many numbers changed.
uint64_t TakePixels(const PixelRow& row, uint8_t hold, std::span<uint64_t> positions);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_TAKE_PIXELS_H_
