#include "cssrun/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <new>
#include <string>
#include <utility>

#include "runtime/preprocess/resample.h"

namespace cssrun {
namespace {

constexpr uint32_t kLongestSide = 65535;

// PIL's ITU-R 601-2 luma, in its fixed point.
uint8_t Luma(const uint8_t* rgb) {
  constexpr uint32_t kHalf = 1 << 15;
  return static_cast<uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + kHalf) >> 16);
}

std::vector<uint8_t> LumaOf(std::span<const uint8_t> rgb) {
  std::vector<uint8_t> grey(rgb.size() / 3);
  for (size_t i = 0; i < grey.size(); ++i) grey[i] = Luma(&rgb[3 * i]);
  return grey;
}

// Python's round(), by which PIL and torchvision place pictures: halves go to the even neighbour.
int64_t RoundHalfToEven(double x) { return static_cast<int64_t>(std::nearbyint(x)); }

// One side of the picture: resized to `size`, then seen through a window of the network's size,
// which begins `begin` pixels from the resized picture's own begin; before it where negative.
struct Placement {
  int64_t size = 0;
  int64_t begin = 0;
};

// Places a resized side, of which the canvas has more to both sides, in the middle of the
// network's.
Placement Place(int64_t size, int64_t canvas, int64_t network) {
  const int64_t margin = RoundHalfToEven(static_cast<double>(canvas - size) * 0.5);
  // torchvision's CenterCrop fills up with whole pixels before it cuts.
  const int64_t cut = canvas < network
                          ? -((network - canvas) / 2)
                          : RoundHalfToEven(static_cast<double>(canvas - network) / 2.0);
  return {size, cut - margin};
}

struct Placements {
  Placement x;
  Placement y;
};

Placements PlaceScaled(const InputFormat& format, int64_t width, int64_t height) {
  return {Place(width, width, format.width), Place(height, height, format.height)};
}

// torchvision's Resize(side): the longer side is truncated.
Placements PlaceShorterSide(const InputFormat& format, int64_t width, int64_t height) {
  const int64_t shorter = std::min(width, height);
  const auto scaled = [&](int64_t size) {
    return std::max<int64_t>(int64_t{format.resize} * size / shorter, 1);
  };
  return PlaceScaled(format, scaled(width), scaled(height));
}

// PIL's ImageOps.pad().
Placements PlaceFitting(const InputFormat& format, int64_t width, int64_t height) {
  const auto canvas_width = static_cast<double>(format.resize_width);
  const auto canvas_height = static_cast<double>(format.resize_height);
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  const double inverse = static_cast<double>(height) / static_cast<double>(width);
  int64_t fitting_width = format.resize_width;
  int64_t fitting_height = format.resize_height;
  if (ratio > canvas_width / canvas_height) {
    fitting_height = std::max<int64_t>(RoundHalfToEven(inverse * canvas_width), 1);
  } else if (ratio < canvas_width / canvas_height) {
    fitting_width = std::max<int64_t>(RoundHalfToEven(ratio * canvas_height), 1);
  }
  return {Place(fitting_width, format.resize_width, format.width),
          Place(fitting_height, format.resize_height, format.height)};
}

Placements PlaceFor(const InputFormat& format, int64_t width, int64_t height) {
  switch (format.resizing) {
    case Resizing::kCover:
      if (width == format.width && height == format.height) break;
      return PlaceShorterSide(format, width, height);
    case Resizing::kShorterSide:
      return PlaceShorterSide(format, width, height);
    case Resizing::kStretch:
      return PlaceScaled(format, format.resize_width, format.resize_height);
    case Resizing::kFit:
      return PlaceFitting(format, width, height);
    case Resizing::kNone:
      break;
  }
  return PlaceScaled(format, width, height);
}

// The part of a resized side that the window shows, and where in the window it begins.
struct Visible {
  uint32_t first = 0;
  uint32_t count = 0;
  uint32_t at = 0;
};

Visible VisibleOf(const Placement& placement, int64_t window) {
  const int64_t first = std::max<int64_t>(placement.begin, 0);
  const int64_t end = std::min(placement.begin + window, placement.size);
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(std::max<int64_t>(end - first, 0)),
          static_cast<uint32_t>(first - placement.begin)};
}

// The network's window, with the picture's channels (one or three) and the fill around it.
std::vector<uint8_t> Arrange(const InputFormat& format, const internal::Picture& picture) {
  const auto [place_x, place_y] = PlaceFor(format, picture.width, picture.height);
  const Visible x = VisibleOf(place_x, format.width);
  const Visible y = VisibleOf(place_y, format.height);
  std::vector<uint8_t> part;
  if (x.count > 0 && y.count > 0) {
    part = internal::Resample(picture, static_cast<uint32_t>(place_x.size),
                              static_cast<uint32_t>(place_y.size),
                              {x.first, y.first, x.count, y.count}, format.interpolation);
  }
  if (x.count == format.width && y.count == format.height) return part;
  const size_t channels = picture.channels;
  std::vector<uint8_t> window(size_t{format.width} * format.height * channels);
  for (size_t i = 0; i < window.size(); ++i) {
    window[i] = channels == 1 ? Luma(format.fill.data()) : format.fill[i % 3];
  }
  for (size_t row = 0; row < y.count; ++row) {
    std::copy_n(part.data() + row * x.count * channels, x.count * channels,
                window.data() + ((y.at + row) * format.width + x.at) * channels);
  }
  return window;
}

Status Check(const InputFormat& format, std::span<const uint8_t> rgb, uint32_t width,
             uint32_t height) {
  const std::string size = std::to_string(width) + " x " + std::to_string(height);
  if (width == 0 || height == 0 || width > kLongestSide || height > kLongestSide) {
    return Status::InvalidArgument("a picture of " + size + " pixels; a side has 1 to " +
                                   std::to_string(kLongestSide));
  }
  if (rgb.size() != size_t{width} * height * 3) {
    return Status::InvalidArgument(
        "a picture of " + size + " pixels has " + std::to_string(size_t{width} * height * 3) +
        " bytes of red, green and blue, not " + std::to_string(rgb.size()));
  }
  if (format.channels == 1 || format.channels == 3) return Status::Ok();
  return Status::InvalidArgument("the network takes " + std::to_string(format.channels) +
                                 " channels; images have 1 or 3");
}

void Fill(const InputFormat& format, std::span<const uint8_t> rgb, uint32_t width, uint32_t height,
          std::vector<uint8_t>& pixels) {
  if (format.colours == Colours::kGrey) {
    const std::vector<uint8_t> luma = LumaOf(rgb);
    const std::vector<uint8_t> grey = Arrange(format, {luma, width, height, 1});
    pixels.clear();
    pixels.reserve(grey.size() * format.channels);
    for (const uint8_t level : grey) pixels.insert(pixels.end(), format.channels, level);
    return;
  }
  pixels = Arrange(format, {rgb, width, height, 3});
  if (format.channels == 1) {
    pixels = LumaOf(pixels);
  } else if (format.colours == Colours::kBgr) {
    for (size_t i = 0; i + 2 < pixels.size(); i += 3) std::swap(pixels[i], pixels[i + 2]);
  }
}

}  // namespace

Status Preprocess(const InputFormat& format, std::span<const uint8_t> rgb, uint32_t width,
                  uint32_t height, std::vector<uint8_t>& pixels) {
  if (Status status = Check(format, rgb, width, height); !status.ok()) return status;
  try {
    Fill(format, rgb, width, height, pixels);
    return Status::Ok();
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory();
  }
}

}  // namespace cssrun
