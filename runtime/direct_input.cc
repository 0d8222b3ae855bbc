#include "runtime/direct_input.h"

#include <algorithm>
#include <cmath>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/neuron/power.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/direct_input.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, kDirectLanes>;

// Adds the products for `kColumns` neighbouring target columns, all of which use the taps `rows` x
// `columns`. Several columns at a time keep several independent sums in flight: a single sum would
// wait for the latency of each addition.
//
// `top` and `left` are the source row and column of tap (0, 0) of the first target column; both may
// lie outside the map, the taps used do not. For target column i, tap (ky, kx), source channel c:
//
//     y       = top  + ky * dilation_y
//     x       = left + kx * dilation_x + i * stride_x
//     pixel   = seen[(y * width + x) * channels + c]
//     weights = s.weights[((ky * kernel_x + kx) * channels + c) * lanes + lane]
//     sum     = potentials[i * stride + lane]
template <size_t kColumns>
void AddColumns(const DirectSynapses& s, const float* HWY_RESTRICT seen, TapRange rows,
                TapRange columns, int64_t top, int64_t left, size_t stride,
                float* HWY_RESTRICT potentials) {
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

// One row of the target's map of a convolution with one group.
void ConvolveRow(const DirectSynapses& s, const float* seen, uint32_t row, size_t stride,
                 float* potentials, const ColumnRange& range) {
  const WindowAxis row_axis = RowsOf(s.window);
  const WindowAxis column_axis = ColumnsOf(s.window);
  const TapRange rows = row_axis.TapsInside(row, s.seen.height());
  const int64_t top = row_axis.SourceOf(row, 0);
  const auto uses_taps = [&](uint32_t column, const TapRange& taps) {
    const TapRange own = column_axis.TapsInside(column, s.seen.width());
    return own.first == taps.first && own.last == taps.last;
  };
  constexpr uint32_t kTogether = 8;
  for (uint32_t column = range.first; column < range.last;) {
    const TapRange columns = column_axis.TapsInside(column, s.seen.width());
    const int64_t left = column_axis.SourceOf(column, 0);
    float* to = potentials + column * stride;
    // Both ends of the tap range only ever decrease along a row. If the first and the last of these
    // columns use the same taps, then so do the columns between them.
    if (column + kTogether <= range.last && uses_taps(column + kTogether - 1, columns)) {
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

// The number of (target position, tap) pairs along one axis whose source position exists.
uint64_t ReadsInside(const WindowAxis& axis, int64_t sources, int64_t spread, int64_t targets) {
  uint64_t reads = 0;
  for (int64_t target = 0; target < targets; ++target) {
    const TapRange taps = axis.TapsInside(target, sources);
    for (int64_t tap = taps.first; tap < taps.last; ++tap) {
      reads += axis.SourceOf(target, tap) % spread == 0 ? 1 : 0;
    }
  }
  return reads;
}

// The channels of position (y, x) of the view, or null beyond its borders.
const float* PixelAt(const DirectSynapses& s, std::span<const float> seen, int64_t y, int64_t x) {
  if (y < 0 || y >= s.seen.height() || x < 0 || x >= s.seen.width()) return nullptr;
  return seen.data() + static_cast<size_t>(y * s.seen.width() + x) * s.source.channels();
}

// One row of the target's map of a convolution with several groups. A plain loop, because grouped
// convolutions of the image are rare. Source channel j of a group has the index
// group * sources + j in a pixel, where group = target / targets.
void ConvolveGroupsRow(const DirectSynapses& s, std::span<const float> seen, uint32_t row,
                       size_t stride, float* potentials, const ColumnRange& range) {
  const Window& w = s.window;
  const size_t sources = s.source.channels() / s.groups;
  const size_t targets = s.target.channels() / s.groups;
  const size_t lanes = s.weight_stride();
  const WindowAxis rows = RowsOf(w);
  const WindowAxis columns = ColumnsOf(w);
  for (uint32_t column = range.first; column < range.last; ++column) {
    float* to = potentials + column * stride;
    for (int32_t ky = 0; ky < w.kernel_y(); ++ky) {
      for (int32_t kx = 0; kx < w.kernel_x(); ++kx) {
        const float* pixel = PixelAt(s, seen, rows.SourceOf(row, ky), columns.SourceOf(column, kx));
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

// One row of the target's map of an identity: target channel c takes the one weight times source
// channel c - channel_offset, where that exists.
void AddIdentityRow(const DirectSynapses& s, std::span<const float> seen, uint32_t row,
                    size_t stride, float* potentials, const ColumnRange& range) {
  const WindowAxis rows = RowsOf(s.window);
  const WindowAxis columns = ColumnsOf(s.window);
  const int64_t first = std::max<int64_t>(0, s.channel_offset);
  const int64_t last =
      std::min<int64_t>(s.target.channels(), int64_t{s.source.channels()} + s.channel_offset);
  for (uint32_t column = range.first; column < range.last; ++column) {
    const float* pixel = PixelAt(s, seen, rows.SourceOf(row, 0), columns.SourceOf(column, 0));
    if (pixel == nullptr) continue;
    float* to = potentials + column * stride;
    for (int64_t c = first; c < last; ++c) to[c] += s.weights[0] * pixel[c - s.channel_offset];
  }
}

}  // namespace

PixelGrid::PixelGrid(const format::Preprocessing& preprocessing)
    : step(static_cast<double>(preprocessing.grid_step())),
      lowest(preprocessing.grid_lowest()),
      highest(preprocessing.grid_highest()) {}

double PixelGrid::StepsOf(double normalized) const {
  return std::clamp(std::nearbyint(normalized / step), lowest, highest);
}

PixelScale::PixelScale(const format::Network& network)
    : mean_(network.preprocessing()->mean()->begin(), network.preprocessing()->mean()->end()),
      stddev_(network.preprocessing()->stddev()->begin(), network.preprocessing()->stddev()->end()),
      grid_(*network.preprocessing()) {
  const format::Code& code = *network.code();
  double sum_of_weights = 0;
  for (uint32_t k = 0; k < code.timesteps(); ++k) sum_of_weights += PowerOf(code.beta(), k);
  scale_ = sum_of_weights * static_cast<double>(network.nodes()->Get(0)->amplitude());
  CSSRUN_ASSERT(mean_.size() == stddev_.size());
  CSSRUN_ASSERT(scale_ > 0);
  for (size_t c = 0; c < mean_.size(); ++c) {
    for (int pixel = 0; pixel < 256; ++pixel) {
      table_.push_back(Scaled(static_cast<float>(pixel) / 255.0F, c));
    }
  }
}

float PixelScale::Scaled(float value, size_t channel) const {
  CSSRUN_ASSERT(channel < mean_.size());
  double normalized = (static_cast<double>(value) - static_cast<double>(mean_[channel])) /
                      static_cast<double>(stddev_[channel]);
  if (grid_.exists()) normalized = grid_.StepsOf(normalized) * grid_.step;
  return static_cast<float>(normalized / scale_);
}

void PixelScale::Apply(const Input& input, const Extent& image, std::span<float> values) const {
  CSSRUN_ASSERT(input.kind != InputKind::kSpikes);
  CSSRUN_ASSERT(image.channels() == mean_.size());
  CSSRUN_ASSERT(values.size() == Neurons(image));
  if (input.kind == InputKind::kBytes) {
    ForEachPixel(input.order, image, [&](size_t i, size_t at, size_t c) {
      values[i] = table_[c * 256 + input.bytes[at]];
    });
  } else {
    ForEachPixel(input.order, image,
                 [&](size_t i, size_t at, size_t c) { values[i] = Scaled(input.values[at], c); });
  }
}

void PixelScale::ApplyRow(const Input& input, const Extent& image, size_t row,
                          std::span<float> values) const {
  CSSRUN_ASSERT(input.kind != InputKind::kSpikes && input.order == PixelOrder::kInterleaved);
  const size_t channels = image.channels();
  const size_t first = row * image.width() * channels;
  const size_t last = first + image.width() * channels;
  for (size_t i = first; i < last; i += channels) {
    for (size_t c = 0; c < channels; ++c) {
      values[i + c] = input.kind == InputKind::kBytes ? table_[c * 256 + input.bytes[i + c]]
                                                      : Scaled(input.values[i + c], c);
    }
  }
}

DirectSynapses LayOutDirect(const format::Synapses& synapses, std::span<const float> weights,
                            const Extent& source, const Extent& target) {
  DirectSynapses s;
  s.kind = synapses.kind();
  s.source = source;
  s.target = target;
  s.window = *synapses.window();
  if (synapses.average() != nullptr) s.average = *synapses.average();
  s.seen = format::SeenExtent(synapses, source);
  s.spread_y = synapses.spread_y();
  s.spread_x = synapses.spread_x();
  s.groups = synapses.groups();
  s.channel_offset = synapses.channel_offset();
  const Window& w = s.window;
  // Rows and columns of a window are independent, so the pairs of the map are a product.
  const uint64_t reads = ReadsInside(RowsOf(w), s.seen.height(), s.spread_y, target.height()) *
                         ReadsInside(ColumnsOf(w), s.seen.width(), s.spread_x, target.width());
  const float* file_weights = weights.data();
  if (s.kind == SynapseKind::Identity) {
    s.weights = AllocateAligned<float>(1);
    s.weights[0] = file_weights[0];
    const int64_t first = std::max<int64_t>(0, s.channel_offset);
    const int64_t last =
        std::min<int64_t>(target.channels(), int64_t{source.channels()} + s.channel_offset);
    CSSRUN_ASSERT(first < last);  // the loader refuses an offset that joins no channels
    s.macs = reads * static_cast<uint64_t>(last - first);
    return s;
  }
  CSSRUN_ASSERT(s.groups != 0 && source.channels() % s.groups == 0 &&
                target.channels() % s.groups == 0);
  const size_t sources = source.channels() / s.groups;
  const auto taps = static_cast<size_t>(w.kernel_y()) * static_cast<size_t>(w.kernel_x());
  CSSRUN_ASSERT(weights.size() == taps * sources * target.channels());
  s.macs = reads * target.channels() * sources;
  const size_t lanes = s.weight_stride();
  s.weights = AllocateAligned<float>(taps * sources * lanes);
  std::fill_n(s.weights.get(), taps * sources * lanes, 0.0F);
  // The file: [target channel][source channel of the group][tap]. Here: [tap][source channel of the
  // group][target channel]; lanes beyond the target's channels stay 0.
  for (size_t channel = 0; channel < target.channels(); ++channel) {
    for (size_t j = 0; j < sources; ++j) {
      for (size_t tap = 0; tap < taps; ++tap) {
        s.weights[(tap * sources + j) * lanes + channel] = *file_weights++;
      }
    }
  }
  return s;
}

std::span<const float> SeenImage(const DirectSynapses& s, std::span<const float> values,
                                 std::vector<float>& scratch) {
  CSSRUN_ASSERT(values.size() == Neurons(s.source));
  const bool spread = s.spread_y != 1 || s.spread_x != 1;
  if (!s.average.has_value() && !spread) return values;
  const Window w = s.average.value_or(format::UnitWindow());
  const WindowAxis rows = RowsOf(w);
  const WindowAxis columns = ColumnsOf(w);
  const size_t channels = s.source.channels();
  scratch.assign(Neurons(s.seen), 0.0F);
  for (int64_t y = 0; y < s.seen.height(); y += s.spread_y) {
    for (int64_t x = 0; x < s.seen.width(); x += s.spread_x) {
      float* sums = scratch.data() + static_cast<size_t>(y * s.seen.width() + x) * channels;
      for (int64_t ky = 0; ky < w.kernel_y(); ++ky) {
        for (int64_t kx = 0; kx < w.kernel_x(); ++kx) {
          const int64_t sy = rows.SourceOf(y / s.spread_y, ky);
          const int64_t sx = columns.SourceOf(x / s.spread_x, kx);
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
                  size_t stride, float* potentials, const ColumnRange& columns) {
  CSSRUN_ASSERT(row < synapses.target.height());
  CSSRUN_ASSERT(seen.size() == Neurons(synapses.seen));
  CSSRUN_ASSERT(stride >= synapses.target.channels());
  CSSRUN_ASSERT(potentials != nullptr);
  const ColumnRange range = columns.Within(synapses.target.width());
  if (synapses.kind == SynapseKind::Identity) {
    AddIdentityRow(synapses, seen, row, stride, potentials, range);
  } else if (synapses.groups > 1) {
    ConvolveGroupsRow(synapses, seen, row, stride, potentials, range);
  } else {
    CSSRUN_ASSERT(stride >= synapses.weight_stride());  // whole vectors are stored
    HWY_DYNAMIC_DISPATCH(ConvolveRow)(synapses, seen.data(), row, stride, potentials, range);
  }
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
