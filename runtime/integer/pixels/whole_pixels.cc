#include "runtime/integer/pixels/whole_pixels.h"

#include <cmath>

#include "runtime/assert.h"
#include "runtime/direct_input.h"

namespace cssrun::internal {
namespace {

constexpr int kPixelValues = 256;
constexpr double kLargestByte = 255;
// Beyond, a byte is lost beside what is added to it.
constexpr double kLargestZero = 1 << 20;

}  // namespace

std::optional<WholePixels> DescribeWholePixels(const format::Network& network) {
  if (!network.code()->whole_pixels()) return std::nullopt;
  const format::Preprocessing& preprocessing = *network.preprocessing();
  const auto theta = static_cast<double>(network.nodes()->Get(0)->amplitude());
  const PixelGrid grid(preprocessing);
  if (grid.exists() && grid.highest - grid.lowest > kLargestByte) return std::nullopt;
  WholePixels pixels;
  for (flatbuffers::uoffset_t c = 0; c < preprocessing.mean()->size(); ++c) {
    const auto mean = static_cast<double>(preprocessing.mean()->Get(c));
    const auto stddev = static_cast<double>(preprocessing.stddev()->Get(c));
    pixels.step.push_back((grid.exists() ? grid.step : 1 / (kLargestByte * stddev)) / theta);
    pixels.zero.push_back(grid.exists() ? grid.lowest : -kLargestByte * mean);
    if (!std::isfinite(pixels.step.back()) || std::abs(pixels.zero.back()) > kLargestZero) {
      return std::nullopt;
    }
    for (int pixel = 0; pixel < kPixelValues; ++pixel) {
      double byte = pixel;
      if (grid.exists()) {  // of a pixel from 0 to 1, in float as PixelScale takes it
        const auto value = static_cast<double>(static_cast<float>(pixel) / 255.0F);
        byte = grid.StepsOf((value - mean) / stddev) - grid.lowest;
      }
      pixels.bytes.push_back(static_cast<uint8_t>(byte));
    }
  }
  return pixels;
}

bool WritePixelRow(const WholePixels& pixels, const Input& image, const format::Extent& extent,
                   const LaneLayout& lanes, size_t row, LevelFrame& levels) {
  CSSRUN_ASSERT(image.kind != InputKind::kSpikes);
  const PixelStrides strides = PixelStrides::Of(image.order, extent);
  const size_t channels = extent.channels();
  const size_t stride = lanes.stride();
  uint8_t* to = levels.Row(row);
  for (size_t column = 0; column < extent.width(); ++column, to += stride) {
    const size_t from = row * strides.row + column * strides.column;
    for (size_t c = 0; c < channels; ++c) {
      const size_t at = from + c * strides.channel;
      if (image.kind == InputKind::kBytes) {
        to[c] = pixels.bytes[c * kPixelValues + image.bytes[at]];
        continue;
      }
      const float value = image.values[at];
      const float byte = std::nearbyint(value * 255.0F);
      if (byte / 255.0F != value) return false;
      to[c] = pixels.bytes[c * kPixelValues + static_cast<size_t>(byte)];
    }
  }
  return true;
}

bool WritePixels(const WholePixels& pixels, const Input& image, const format::Extent& extent,
                 const LaneLayout& lanes, LevelFrame& levels) {
  for (size_t row = 0; row < extent.height(); ++row) {
    if (!WritePixelRow(pixels, image, extent, lanes, row, levels)) return false;
  }
  return true;
}

}  // namespace cssrun::internal
