#include "runtime/integer/pixels/whole_pixels.h"

#include <cmath>
#include <cstring>

#include "runtime/assert.h"
#include "runtime/direct_input.h"

namespace cssrun::internal {
namespace {

constexpr int kPixelValues = 256;
constexpr double kLargestByte = 255;
// With a larger zero, the byte would be lost in the rounding of the sum.
constexpr double kLargestZero = 1 << 20;

// One channel of a row, from every `from_pitch`th number to every `pitch`th byte.
void WriteBytes(const uint8_t* table, const uint8_t* from, size_t from_pitch, size_t width,
                size_t pitch, uint8_t* to) {
  for (size_t column = 0; column < width; ++column) {
    to[column * pitch] = table[from[column * from_pitch]];
  }
}

constexpr size_t kColours = 3;

// Three channels of a row of interleaved pixels, each of which becomes a quad of bytes.
void WriteColours(const uint8_t* tables, const uint8_t* from, size_t width, uint8_t zero,
                  uint8_t* to) {
  for (size_t column = 0; column < width; ++column, from += kColours) {
    const uint8_t quad[] = {tables[from[0]], tables[kPixelValues + from[1]],
                            tables[2 * kPixelValues + from[2]], zero};
    std::memcpy(to + column * sizeof(quad), quad, sizeof(quad));
  }
}

// Returns false where a number is no 8-bit pixel.
bool WriteFloats(const uint8_t* table, const float* from, size_t from_pitch, size_t width,
                 size_t pitch, uint8_t* to) {
  for (size_t column = 0; column < width; ++column) {
    const float value = from[column * from_pitch];
    const float byte = std::nearbyint(value * 255.0F);
    if (byte / 255.0F != value) return false;
    to[column * pitch] = table[static_cast<size_t>(byte)];
  }
  return true;
}

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
  const size_t width = extent.width();
  if (image.kind == InputKind::kBytes && extent.channels() == kColours && strides.channel == 1 &&
      strides.column == kColours && lanes.stride() == kColours + 1) {
    WriteColours(pixels.bytes.data(), &image.bytes[row * strides.row], width, levels.layout.zero,
                 levels.Row(row));
    return true;
  }
  for (size_t c = 0; c < extent.channels(); ++c) {
    const size_t from = row * strides.row + c * strides.channel;
    const uint8_t* table = &pixels.bytes[c * kPixelValues];
    uint8_t* to = levels.Row(row) + c;
    if (image.kind == InputKind::kBytes) {
      WriteBytes(table, &image.bytes[from], strides.column, width, lanes.stride(), to);
    } else if (!WriteFloats(table, &image.values[from], strides.column, width, lanes.stride(),
                            to)) {
      return false;
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
