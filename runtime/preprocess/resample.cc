#include "runtime/preprocess/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace cssrun::internal {
namespace {

// PIL's fixed point: weights have 22 bits, so that sums of 8-bit pixels fit 32 bits.
constexpr int kFractionBits = 32 - 8 - 2;

// Some target pixels in a row, out of `to` that the whole side of `from` source pixels becomes.
struct Side {
  uint32_t from = 0;
  uint32_t to = 0;
  uint32_t first = 0;
  uint32_t count = 0;
};

// The source pixels that one target pixel reads, and their weights.
struct Support {
  uint32_t first = 0;
  std::vector<int32_t> weights;
};

double Radius(Interpolation interpolation) {
  if (interpolation == Interpolation::kBicubic) return 2.0;
  return interpolation == Interpolation::kArea ? 0.5 : 1.0;
}

double Triangle(double x) { return std::max(1.0 - std::abs(x), 0.0); }

double Box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

// The cubic with a = -1/2.
double Cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

double Weight(Interpolation interpolation, double x) {
  if (interpolation == Interpolation::kBicubic) return Cubic(x);
  return interpolation == Interpolation::kArea ? Box(x) : Triangle(x);
}

// PIL's ImagingTransform adds the step up, with its rounding, and so do we.
std::vector<Support> NearestSupports(const Side& side) {
  const double step = static_cast<double>(side.from) / side.to;
  std::vector<Support> supports(side.count);
  double at = step * 0.5;
  for (uint32_t i = 0; i < side.first + side.count; ++i) {
    if (i >= side.first) {
      const auto source = std::min(static_cast<uint32_t>(at), side.from - 1);
      supports[i - side.first] = {source, {1 << kFractionBits}};
    }
    at += step;
  }
  return supports;
}

std::vector<Support> Supports(const Side& side, Interpolation interpolation) {
  if (interpolation == Interpolation::kNearest) return NearestSupports(side);
  const double scale = static_cast<double>(side.from) / side.to;
  const bool grows = interpolation != Interpolation::kLinear;
  const double widening = grows ? std::max(scale, 1.0) : 1.0;
  const double radius = Radius(interpolation) * widening;
  const double narrowing = 1.0 / widening;
  std::vector<Support> supports(side.count);
  std::vector<double> shares;
  for (uint32_t i = 0; i < side.count; ++i) {
    const double centre = (static_cast<double>(side.first + i) + 0.5) * scale;
    const auto first = static_cast<int64_t>(std::max(centre - radius + 0.5, 0.0));
    const int64_t last = std::min<int64_t>(static_cast<int64_t>(centre + radius + 0.5), side.from);
    shares.clear();
    double sum = 0;
    for (int64_t x = first; x < last; ++x) {
      const double distance = (static_cast<double>(x) - centre + 0.5) * narrowing;
      shares.push_back(Weight(interpolation, distance));
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

constexpr int32_t kHalf = 1 << (kFractionBits - 1);

uint8_t Rounded(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

// Computes one target pixel of `kChannels` channels from neighbouring source pixels.
template <size_t kChannels>
void WeighPixel(const Support& support, const uint8_t* source, uint8_t* to) {
  int32_t sums[kChannels];
  std::fill_n(sums, kChannels, kHalf);
  for (const int32_t weight : support.weights) {
    for (size_t c = 0; c < kChannels; ++c) sums[c] += weight * source[c];
    source += kChannels;
  }
  for (size_t c = 0; c < kChannels; ++c) to[c] = Rounded(sums[c]);
}

// Computes a row of bytes from rows of source bytes that lie `pitch` bytes from each other. A row
// at a time, since a compiler turns that into vectors. `sums`: room for as many.
void WeighRows(const Support& support, const uint8_t* source, size_t pitch,
               std::vector<int32_t>& sums, uint8_t* to) {
  std::fill(sums.begin(), sums.end(), kHalf);
  for (const int32_t weight : support.weights) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += weight * source[i];
    source += pitch;
  }
  for (size_t i = 0; i < sums.size(); ++i) to[i] = Rounded(sums[i]);
}

// The rows of the source that the target rows read.
struct Rows {
  uint32_t first = 0;
  uint32_t count = 0;
};

Rows RowsOf(const std::vector<Support>& supports) {
  Rows rows{supports.front().first, 0};
  for (const Support& support : supports) {
    const auto end = support.first + static_cast<uint32_t>(support.weights.size());
    rows.count = std::max(rows.count, end - rows.first);
  }
  return rows;
}

// The region's columns of these source rows.
std::vector<uint8_t> ResizeWidth(const Picture& picture, const Rows& rows, const Side& side,
                                 Interpolation interpolation) {
  const size_t channels = picture.channels;
  std::vector<uint8_t> out(size_t{rows.count} * side.count * channels);
  const size_t row_bytes = picture.width * channels;
  const uint8_t* row = picture.bytes.data() + rows.first * row_bytes;
  uint8_t* to = out.data();
  if (side.from == side.to) {
    for (uint32_t y = 0; y < rows.count; ++y, row += row_bytes) {
      to = std::copy_n(row + side.first * channels, side.count * channels, to);
    }
    return out;
  }
  const std::vector<Support> supports = Supports(side, interpolation);
  const auto weigh = channels == 3 ? &WeighPixel<3> : &WeighPixel<1>;
  for (uint32_t y = 0; y < rows.count; ++y, row += row_bytes) {
    for (const Support& support : supports) {
      weigh(support, row + support.first * channels, to);
      to += channels;
    }
  }
  return out;
}

}  // namespace

std::vector<uint8_t> Resample(const Picture& picture, uint32_t width, uint32_t height,
                              const Region& region, Interpolation interpolation) {
  const Side columns{picture.width, width, region.left, region.width};
  if (height == picture.height) {
    return ResizeWidth(picture, {region.top, region.height}, columns, interpolation);
  }
  const std::vector<Support> supports =
      Supports({picture.height, height, region.top, region.height}, interpolation);
  const Rows rows = RowsOf(supports);
  // 8 bits between the two passes, as in PIL.
  const std::vector<uint8_t> narrow = ResizeWidth(picture, rows, columns, interpolation);
  const size_t row_bytes = size_t{region.width} * picture.channels;
  std::vector<uint8_t> out(row_bytes * region.height);
  std::vector<int32_t> sums(row_bytes);
  uint8_t* to = out.data();
  for (const Support& support : supports) {
    const uint8_t* top = narrow.data() + (support.first - rows.first) * row_bytes;
    WeighRows(support, top, row_bytes, sums, to);
    to += row_bytes;
  }
  return out;
}

}  // namespace cssrun::internal
