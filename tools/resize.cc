#include "tools/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace cssrun::tools {
namespace {

// PIL's fixed point: weights have 22 bits, so that sums of 8-bit pixels fit 32 bits.
constexpr int kFractionBits = 32 - 8 - 2;

// The source pixels that one target pixel reads, and their weights.
struct Support {
  uint32_t first = 0;
  std::vector<int32_t> weights;
};

std::vector<Support> Supports(uint32_t from, uint32_t to) {
  const double scale = static_cast<double>(from) / to;
  const double radius = std::max(scale, 1.0);
  std::vector<Support> supports(to);
  for (uint32_t i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const auto first = static_cast<int64_t>(std::max(centre - radius + 0.5, 0.0));
    const int64_t last =
        std::min<int64_t>(static_cast<int64_t>(std::floor(centre + radius + 0.5)), from);
    std::vector<double> shares;
    double sum = 0;
    for (int64_t x = first; x < last; ++x) {
      const double distance = std::abs((static_cast<double>(x) - centre + 0.5) / radius);
      shares.push_back(std::max(1.0 - distance, 0.0));
      sum += shares.back();
    }
    supports[i].first = static_cast<uint32_t>(first);
    for (const double share : shares) {
      supports[i].weights.push_back(
          static_cast<int32_t>(std::lround(share / sum * (1 << kFractionBits))));
    }
  }
  return supports;
}

// Computes one target pixel from source pixels that lie `step` bytes from each other.
uint8_t Weigh(const Support& support, const uint8_t* source, size_t step) {
  int32_t sum = 1 << (kFractionBits - 1);
  for (const int32_t weight : support.weights) {
    sum += weight * *source;
    source += step;
  }
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

Image ResizeWidth(const Image& image, uint32_t width) {
  Image out{width, image.height, std::vector<uint8_t>(size_t{width} * image.height * 3)};
  const std::vector<Support> supports = Supports(image.width, width);
  uint8_t* to = out.rgb.data();
  for (uint32_t y = 0; y < image.height; ++y) {
    const uint8_t* row = image.rgb.data() + size_t{y} * image.width * 3;
    for (const Support& support : supports) {
      for (size_t c = 0; c < 3; ++c) *to++ = Weigh(support, row + support.first * size_t{3} + c, 3);
    }
  }
  return out;
}

Image ResizeHeight(const Image& image, uint32_t height) {
  Image out{image.width, height, std::vector<uint8_t>(size_t{image.width} * height * 3)};
  const size_t row_bytes = size_t{image.width} * 3;
  uint8_t* to = out.rgb.data();
  for (const Support& support : Supports(image.height, height)) {
    const uint8_t* top = image.rgb.data() + support.first * row_bytes;
    for (size_t i = 0; i < row_bytes; ++i) *to++ = Weigh(support, top + i, row_bytes);
  }
  return out;
}

}  // namespace

Image Resize(const Image& image, uint32_t width, uint32_t height) {
  if (width == image.width && height == image.height) return image;
  const Image narrow = width == image.width ? image : ResizeWidth(image, width);
  return height == image.height ? narrow : ResizeHeight(narrow, height);
}

Image ResizeShorterSide(const Image& image, uint32_t side) {
  const uint64_t shorter = std::min(image.width, image.height);
  const auto scaled = [&](uint32_t size) {
    return std::max<uint32_t>(static_cast<uint32_t>(uint64_t{side} * size / shorter), 1);
  };
  return Resize(image, scaled(image.width), scaled(image.height));
}

Image CropCentre(const Image& image, uint32_t width, uint32_t height) {
  if (width == image.width && height == image.height) return image;
  Image out{width, height, std::vector<uint8_t>(size_t{width} * height * 3)};
  // torchvision rounds the half pixel to the even neighbour.
  const auto margin = [](uint32_t size, uint32_t kept) {
    return static_cast<size_t>(std::nearbyint((size - kept) / 2.0));
  };
  const size_t top = margin(image.height, height);
  const size_t left = margin(image.width, width);
  for (size_t y = 0; y < height; ++y) {
    std::memcpy(out.rgb.data() + y * width * 3,
                image.rgb.data() + ((top + y) * image.width + left) * 3, size_t{width} * 3);
  }
  return out;
}

}  // namespace cssrun::tools
