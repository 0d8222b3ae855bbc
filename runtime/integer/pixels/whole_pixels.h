// 8-bit pixels as whole numbers, for a first layer that multiplies bytes.
//
// A file with `code.whole_pixels` allows its reader in integers to round the weights of pixels to
// 15 bits. The first layer's sums are then exact products of bytes, as in every other settled
// layer, and not floats in a fixed order. In all input steps, a pixel adds, in amplitudes,
//
//     value = (byte + zero) step      byte                    zero           step
//                                     the pixel               -255 mean      1 / (255 stddev theta)
//                                     the multiple of a       the lowest     grid_step / theta
//                                     grid, less the lowest
//
// The zeros around a map are values, not bytes: the contribution of `zero` is added only for the
// taps on the map (PixelStarts).
#ifndef CSSRUN_RUNTIME_INTEGER_PIXELS_WHOLE_PIXELS_H_
#define CSSRUN_RUNTIME_INTEGER_PIXELS_WHOLE_PIXELS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "network_generated.h"
#include "runtime/engine/input.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/level_frame.h"

namespace cssrun::internal {

struct WholePixels {
  std::vector<uint8_t> bytes;  // of each 8-bit pixel: [channel][256]
  std::vector<double> step;    // by channel, as the next
  std::vector<double> zero;
};

// std::nullopt if the file does not allow it, or the multiples of its grid do not fit bytes.
std::optional<WholePixels> DescribeWholePixels(const format::Network& network);

// Writes the bytes of a row, or of all rows, of an image of `extent` to `levels`, position by
// position as `lanes` says. Return false if pixels are floats other than those of 8-bit pixels. Do
// not allocate.
bool WritePixelRow(const WholePixels& pixels, const Input& image, const format::Extent& extent,
                   const LaneLayout& lanes, size_t row, LevelFrame& levels);
bool WritePixels(const WholePixels& pixels, const Input& image, const format::Extent& extent,
                 const LaneLayout& lanes, LevelFrame& levels);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_PIXELS_WHOLE_PIXELS_H_
