// From a picture of any size to the pixels that a network takes: resizing, cutting out, colours.
// The rules are stored in the network's file, since they are a part of what it was trained on.
//
// The library decodes no files; the picture comes from a decoder or a camera. The result is what
// PIL and torchvision compute, to 1/255 on every pixel.
#ifndef CSSRUN_PREPROCESS_H_
#define CSSRUN_PREPROCESS_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cssrun/export.h"
#include "cssrun/status.h"

namespace cssrun {

// How a picture gets the network's size. Unless noted otherwise, the centre of the network's size
// is cut out after resizing; InputFormat::fill surrounds a picture that is smaller.
enum class Resizing : uint8_t {
  kCover,        // the shorter side to `resize`; a picture of the network's size stays as it is
  kShorterSide,  // the shorter side to `resize`, always
  kStretch,      // to resize_height x resize_width, without keeping the proportions
  kFit,          // the largest that fits into resize_height x resize_width, with `fill` around it
  kNone,         // not resized
};

enum class Interpolation : uint8_t {
  kBilinear,  // PIL's BILINEAR: a triangle, which grows with the reduction (antialiasing)
  kBicubic,   // PIL's BICUBIC, likewise
  kArea,      // PIL's BOX: the mean of the pixels that a new one covers
  kNearest,   // PIL's NEAREST
  kLinear,    // a triangle of constant size, as TensorFlow's and OpenCV's bilinear
};

// What a network's channels are.
enum class Colours : uint8_t {
  kRgb,   // with one channel: grey, computed after resizing
  kBgr,   // blue, green, red
  kGrey,  // ITU-R 601-2 luma, computed before resizing; with three channels: three times the same
};

// The images that a network takes, and how pictures become such images; see Preprocess(). A session
// takes height x width x channels pixels, as 8-bit numbers or as floats from 0 to 1, with the
// channels in the network's order. A float of pixel / 255 gives the same bits as the 8-bit pixel.
// The session normalizes, (value - mean) / stddev per channel; the caller must not.
struct InputFormat {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
  uint32_t resize = 0;        // see Resizing
  std::vector<float> mean;    // one per channel, of pixel / 255
  std::vector<float> stddev;  // one per channel
  Resizing resizing = Resizing::kCover;
  uint32_t resize_height = 0;
  uint32_t resize_width = 0;
  Interpolation interpolation = Interpolation::kBilinear;
  Colours colours = Colours::kRgb;
  std::array<uint8_t, 3> fill = {};  // red, green, blue
  // The network expects pictures turned upright by their EXIF orientation. Preprocess() sees only
  // pixels, so the decoder has to do this.
  bool exif = false;
};

// Turns a picture of width x height x 3 bytes (red, green, blue, row by row) into the pixels that
// Session::Run takes, interleaved: height x width x channels bytes. Errors: kInvalidArgument if
// `rgb` does not have that size, a side is 0 or longer than 65,535, or the network has neither one
// channel nor three; kOutOfMemory.
CSSRUN_API Status Preprocess(const InputFormat& format, std::span<const uint8_t> rgb,
                             uint32_t width, uint32_t height, std::vector<uint8_t>& pixels);

}  // namespace cssrun

#endif  // CSSRUN_PREPROCESS_H_
