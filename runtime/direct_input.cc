#include "runtime/direct_input.h"

#include <algorithm>
#include <cmath>

#include "format/geometry.h"
#include "runtime/aligned.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/direct_input.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, kDirectLanes>;

// Kernel rows or columns of one target position that fall inside: [first, last).
struct Taps {
  int64_t first;
  int64_t last;
  bool operator==(const Taps&) const = default;
};

Taps InsideTaps(int64_t size, int64_t position, int64_t kernel, int64_t stride, int64_t pad,
                int64_t dilation) {
  const int64_t start = position * stride - pad;  // of tap 0
  const int64_t before = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const int64_t reach = size - 1 - start;  // from tap 0 to the last position
  const int64_t last = reach < 0 ? 0 : std::min(kernel, reach / dilation + 1);
  return {std::min(before, last), last};
}

// `kColumns` neighbouring targets that see the same taps, so that their sums do not wait for each
// other.
template <size_t kColumns>
void AddColumns(const DirectSynapses& s, const float* HWY_RESTRICT seen, Taps rows, Taps columns,
                int64_t top, int64_t left, size_t stride, float* HWY_RESTRICT potentials) {
  const FloatTag d;
  const format::Window& w = s.window;
  const auto channels = static_cast<int64_t>(s.source.channels());
  const int64_t width = s.seen.width();
  const size_t lanes = s.weight_stride();
  for (size_t lane = 0; lane < lanes; lane += hn::Lanes(d)) {
    hn::Vec<FloatTag> sums[kColumns];
    for (size_t i = 0; i < kColumns; ++i) sums[i] = hn::LoadU(d, potentials + i * stride + lane);
    for (int64_t ky = rows.first; ky < rows.last; ++ky) {
      const float* row = seen + (top + ky * w.dilation_y()) * width * channels;
      for (int64_t kx = columns.first; kx < columns.last; ++kx) {
        const float* pixel = row + (left + kx * w.dilation_x()) * channels;
        const float* weight =
            s.weights.get() + static_cast<size_t>((ky * w.kernel_x() + kx) * channels) * lanes;
        for (int64_t c = 0; c < channels; ++c, weight += lanes) {
          const auto weights = hn::Load(d, weight + lane);
          for (size_t i = 0; i < kColumns; ++i) {
            const auto value =
                hn::Set(d, pixel[static_cast<int64_t>(i) * w.stride_x() * channels + c]);
            sums[i] = hn::Add(sums[i], hn::Mul(weights, value));
          }
        }
      }
    }
    for (size_t i = 0; i < kColumns; ++i) hn::StoreU(sums[i], d, potentials + i * stride + lane);
  }
}

void ConvolveRow(const DirectSynapses& s, const float* seen, uint32_t row, size_t stride,
                 float* potentials) {
  const format::Window& w = s.window;
  const Taps rows =
      InsideTaps(s.seen.height(), row, w.kernel_y(), w.stride_y(), w.pad_top(), w.dilation_y());
  const int64_t top = int64_t{row} * w.stride_y() - w.pad_top();
  const auto taps_of = [&](uint32_t column) {
    return InsideTaps(s.seen.width(), column, w.kernel_x(), w.stride_x(), w.pad_left(),
                      w.dilation_x());
  };
  constexpr uint32_t kTogether = 4;
  for (uint32_t column = 0; column < s.target.width();) {
    const Taps columns = taps_of(column);
    const int64_t left = int64_t{column} * w.stride_x() - w.pad_left();
    float* to = potentials + column * stride;
    // Taps move one way along a row: if first and last see the same, so do those between.
    if (column + kTogether <= s.target.width() && taps_of(column + kTogether - 1) == columns) {
      AddColumns<kTogether>(s, seen, rows, columns, top, left, stride, to);
      column += kTogether;
    } else {
      AddColumns<1>(s, seen, rows, columns, top, left, stride, to);
      ++column;
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(ConvolveRow);

namespace {

using format::Extent;
using format::SynapseKind;
using format::Window;

uint64_t ReadsInside(int64_t size, int64_t positions, int64_t kernel, int64_t stride, int64_t pad,
                     int64_t dilation) {
  uint64_t reads = 0;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t i = position * stride - pad + k * dilation;
      reads += i >= 0 && i < size ? 1 : 0;
    }
  }
  return reads;
}

// Position (y, x) of what the window `w` sees, or null beyond the borders.
const float* PixelAt(const DirectSynapses& s, std::span<const float> seen, int64_t y, int64_t x) {
  if (y < 0 || y >= s.seen.height() || x < 0 || x >= s.seen.width()) return nullptr;
  return seen.data() + static_cast<size_t>(y * s.seen.width() + x) * s.source.channels();
}

// Rare, so plain: several groups.
void ConvolveGroupsRow(const DirectSynapses& s, std::span<const float> seen, uint32_t row,
                       size_t stride, float* potentials) {
  const Window& w = s.window;
  const size_t sources = s.source.channels() / s.groups;
  const size_t targets = s.target.channels() / s.groups;
  const size_t lanes = s.weight_stride();
  for (uint32_t column = 0; column < s.target.width(); ++column) {
    float* to = potentials + column * stride;
    for (int32_t ky = 0; ky < w.kernel_y(); ++ky) {
      for (int32_t kx = 0; kx < w.kernel_x(); ++kx) {
        const float* pixel = PixelAt(
            s, seen, int64_t{row} * w.stride_y() - w.pad_top() + int64_t{ky} * w.dilation_y(),
            int64_t{column} * w.stride_x() - w.pad_left() + int64_t{kx} * w.dilation_x());
        if (pixel == nullptr) continue;
        const float* weights =
            s.weights.get() + static_cast<size_t>(ky * w.kernel_x() + kx) * sources * lanes;
        for (size_t j = 0; j < sources; ++j, weights += lanes) {
          for (size_t target = 0; target < s.target.channels(); ++target) {
            to[target] += weights[target] * pixel[target / targets * sources + j];
          }
        }
      }
    }
  }
}

void AddIdentityRow(const DirectSynapses& s, std::span<const float> seen, uint32_t row,
                    size_t stride, float* potentials) {
  const Window& w = s.window;
  const int64_t first = std::max<int64_t>(0, s.channel_offset);
  const int64_t last =
      std::min<int64_t>(s.target.channels(), int64_t{s.source.channels()} + s.channel_offset);
  for (uint32_t column = 0; column < s.target.width(); ++column) {
    const float* pixel = PixelAt(s, seen, int64_t{row} * w.stride_y() - w.pad_top(),
                                 int64_t{column} * w.stride_x() - w.pad_left());
    if (pixel == nullptr) continue;
    float* to = potentials + column * stride;
    for (int64_t c = first; c < last; ++c) to[c] += s.weights[0] * pixel[c - s.channel_offset];
  }
}

}  // namespace

PixelScale::PixelScale(const format::Network& network)
    : mean_(network.preprocessing()->mean()->begin(), network.preprocessing()->mean()->end()),
      stddev_(network.preprocessing()->stddev()->begin(),
              network.preprocessing()->stddev()->end()) {
  const format::Code& code = *network.code();
  double sum_of_weights = 0;
  for (uint32_t k = 0; k < code.timesteps(); ++k) {
    sum_of_weights += std::pow(static_cast<double>(code.beta()), k);
  }
  scale_ = sum_of_weights * static_cast<double>(network.nodes()->Get(0)->amplitude());
  for (size_t c = 0; c < mean_.size(); ++c) {
    for (int pixel = 0; pixel < 256; ++pixel) {
      table_.push_back(Scaled(static_cast<float>(pixel) / 255.0F, c));
    }
  }
}

float PixelScale::Scaled(float value, size_t channel) const {
  const double normalized = (static_cast<double>(value) - static_cast<double>(mean_[channel])) /
                            static_cast<double>(stddev_[channel]);
  return static_cast<float>(normalized / scale_);
}

void PixelScale::Apply(const Input& input, const Extent& image, std::span<float> values) const {
  ForEachPixel(input.order, image, [&](size_t i, size_t at, size_t c) {
    values[i] = input.kind == InputKind::kBytes ? table_[c * 256 + input.bytes[at]]
                                                : Scaled(input.values[at], c);
  });
}

DirectSynapses LayOutDirect(const format::Synapses& synapses, const Extent& source,
                            const Extent& target) {
  DirectSynapses s;
  s.kind = synapses.kind();
  s.source = source;
  s.seen = source;
  s.target = target;
  s.window = *synapses.window();
  if (synapses.average() != nullptr) {
    s.average = *synapses.average();
    s.seen =
        Extent(source.channels(), static_cast<uint32_t>(WindowRows(*s.average, source.height())),
               static_cast<uint32_t>(WindowColumns(*s.average, source.width())));
  }
  s.groups = synapses.groups();
  s.channel_offset = synapses.channel_offset();
  const Window& w = s.window;
  const uint64_t reads = ReadsInside(s.seen.height(), target.height(), w.kernel_y(), w.stride_y(),
                                     w.pad_top(), w.dilation_y()) *
                         ReadsInside(s.seen.width(), target.width(), w.kernel_x(), w.stride_x(),
                                     w.pad_left(), w.dilation_x());
  const float* given = synapses.weights()->data();
  if (s.kind == SynapseKind::Identity) {
    s.weights = AllocateAligned<float>(1);
    s.weights[0] = given[0];
    const int64_t first = std::max<int64_t>(0, s.channel_offset);
    const int64_t last =
        std::min<int64_t>(target.channels(), int64_t{source.channels()} + s.channel_offset);
    s.macs = reads * static_cast<uint64_t>(last - first);
    return s;
  }
  const size_t sources = source.channels() / s.groups;
  const auto taps = static_cast<size_t>(w.kernel_y()) * static_cast<size_t>(w.kernel_x());
  s.macs = reads * target.channels() * sources;
  const size_t lanes = s.weight_stride();
  s.weights = AllocateAligned<float>(taps * sources * lanes);
  std::fill_n(s.weights.get(), taps * sources * lanes, 0.0F);
  for (size_t channel = 0; channel < target.channels(); ++channel) {
    for (size_t j = 0; j < sources; ++j) {
      for (size_t tap = 0; tap < taps; ++tap) {
        s.weights[(tap * sources + j) * lanes + channel] = *given++;
      }
    }
  }
  return s;
}

std::span<const float> SeenImage(const DirectSynapses& s, std::span<const float> values,
                                 std::vector<float>& scratch) {
  if (!s.average.has_value()) return values;
  const Window& w = *s.average;
  const size_t channels = s.source.channels();
  scratch.assign(Neurons(s.seen), 0.0F);
  for (int64_t y = 0; y < s.seen.height(); ++y) {
    for (int64_t x = 0; x < s.seen.width(); ++x) {
      float* sums = scratch.data() + static_cast<size_t>(y * s.seen.width() + x) * channels;
      for (int64_t ky = 0; ky < w.kernel_y(); ++ky) {
        for (int64_t kx = 0; kx < w.kernel_x(); ++kx) {
          const int64_t sy = y * w.stride_y() - w.pad_top() + ky * w.dilation_y();
          const int64_t sx = x * w.stride_x() - w.pad_left() + kx * w.dilation_x();
          if (sy < 0 || sy >= s.source.height() || sx < 0 || sx >= s.source.width()) continue;
          const float* pixel =
              values.data() + static_cast<size_t>(sy * s.source.width() + sx) * channels;
          for (size_t c = 0; c < channels; ++c) sums[c] += pixel[c];
        }
      }
    }
  }
  return scratch;
}

void AddDirectRow(const DirectSynapses& synapses, std::span<const float> seen, uint32_t row,
                  size_t stride, float* potentials) {
  if (synapses.kind == SynapseKind::Identity) {
    AddIdentityRow(synapses, seen, row, stride, potentials);
  } else if (synapses.groups > 1) {
    ConvolveGroupsRow(synapses, seen, row, stride, potentials);
  } else {
    HWY_DYNAMIC_DISPATCH(ConvolveRow)(synapses, seen.data(), row, stride, potentials);
  }
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
