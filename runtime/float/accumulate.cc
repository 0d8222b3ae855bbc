// Adds rows of weights to membranes, one row for each event that arrived.
//
// For each target position, the sums of one block of channels are loaded into registers, the rows
// of all events of all taps are added there, and the sums are stored. So each membrane is read and
// written once per call.
//
// Where the weight of (source channel, target channel) at tap (ky, kx) lies, by kind of synapses:
//
//   one group       block * block_stride           block of 16 to 64 target channels
//                   + ky * row_step                 [block][ky][source channel][kx][lane]
//                   + source channel * row_stride
//                   + kx * column_step
//                   + lane                          target channel = block * blocks.size + lane
//
//   several groups  ky * row_step                   [ky][kx][source channel][target of the group]
//                   + kx * column_step
//                   + source channel * targets_per_group
//                   + target within the group
//
//   identity        0                               the one weight
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/float/accumulate.cc"
#include "format/geometry.h"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/assert.h"
#include "runtime/float/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, ChannelBlocks::kChunk>;

// One block of kChunks * kChunk channels: `membranes` are those of the block, `block_offset` is
// where the block's weights begin.
template <size_t kChunks>
HWY_INLINE void AccumulateBlock(const std::vector<Tap>& taps, size_t row_stride,
                                size_t block_offset, float* HWY_RESTRICT membranes) {
  const FloatTag d;
  constexpr size_t kLanes = hn::MaxLanes(FloatTag());
  constexpr size_t kVectors = kChunks * ChannelBlocks::kChunk / kLanes;
  hn::Vec<FloatTag> sums[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Load(d, membranes + v * kLanes);
  for (const Tap& tap : taps) {
    const float* HWY_RESTRICT weights = tap.weights + block_offset;
    const uint16_t* HWY_RESTRICT channel = tap.channels;
    for (const uint16_t* end = channel + tap.positive; channel != end; ++channel) {
      const float* HWY_RESTRICT row = weights + *channel * row_stride;
      for (size_t v = 0; v < kVectors; ++v) {
        sums[v] = hn::Add(sums[v], hn::Load(d, row + v * kLanes));
      }
    }
    for (const uint16_t* end = channel + tap.negative; channel != end; ++channel) {
      const float* HWY_RESTRICT row = weights + *channel * row_stride;
      for (size_t v = 0; v < kVectors; ++v) {
        sums[v] = hn::Sub(sums[v], hn::Load(d, row + v * kLanes));
      }
    }
  }
  for (size_t v = 0; v < kVectors; ++v) hn::Store(sums[v], d, membranes + v * kLanes);
}

void AccumulateBlocks(const std::vector<Tap>& taps, size_t row_stride, size_t block_stride,
                      const ChannelBlocks& blocks, float* membranes) {
  static_assert(ChannelBlocks::kMaximumChunks == 4);  // the cases below
  CSSRUN_ASSERT(blocks.size >= ChannelBlocks::kChunk && blocks.size % ChannelBlocks::kChunk == 0);
  CSSRUN_ASSERT(blocks.size <= ChannelBlocks::kMaximumChunks * ChannelBlocks::kChunk);
  for (size_t block = 0; block < blocks.count; ++block) {
    const size_t offset = block * block_stride;
    switch (blocks.size / ChannelBlocks::kChunk) {
      case 1:
        AccumulateBlock<1>(taps, row_stride, offset, membranes);
        break;
      case 2:
        AccumulateBlock<2>(taps, row_stride, offset, membranes);
        break;
      case 3:
        AccumulateBlock<3>(taps, row_stride, offset, membranes);
        break;
      default:
        AccumulateBlock<4>(taps, row_stride, offset, membranes);
        break;
    }
    membranes += blocks.size;
  }
}

// The same with one loop over the events of a whole kernel row. Each tap brings few events, so
// separate loops would end, and be mispredicted, all the time. Adding the negative of a number
// subtracts it.
template <size_t kChunks>
HWY_INLINE void AccumulateRowsOfBlock(const TapScratch& scratch, const float* HWY_RESTRICT weights,
                                      float* HWY_RESTRICT membranes) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> du;
  constexpr size_t kLanes = hn::MaxLanes(FloatTag());
  constexpr size_t kVectors = kChunks * ChannelBlocks::kChunk / kLanes;
  hn::Vec<FloatTag> sums[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Load(d, membranes + v * kLanes);
  const uint32_t* HWY_RESTRICT rows = scratch.rows.data();
  for (const TapRow& tap_row : scratch.tap_rows) {
    for (uint32_t e = tap_row.first; e != tap_row.last; ++e) {
      const uint32_t entry = rows[e];
      const float* HWY_RESTRICT row =
          weights + (tap_row.offset + static_cast<ptrdiff_t>(entry & ~1U));
      const auto sign = hn::BitCast(d, hn::Set(du, entry << 31));
      for (size_t v = 0; v < kVectors; ++v) {
        sums[v] = hn::Add(sums[v], hn::Xor(hn::Load(d, row + v * kLanes), sign));
      }
    }
  }
  for (size_t v = 0; v < kVectors; ++v) hn::Store(sums[v], d, membranes + v * kLanes);
}

void AccumulateRows(const TapScratch& scratch, const SynapseLayout& s, size_t block_stride,
                    float* membranes) {
  const float* weights = s.weights.get();
  for (uint32_t block = 0; block < s.blocks.count; ++block) {
    switch (s.blocks.size / ChannelBlocks::kChunk) {
      case 1:
        AccumulateRowsOfBlock<1>(scratch, weights, membranes);
        break;
      case 2:
        AccumulateRowsOfBlock<2>(scratch, weights, membranes);
        break;
      case 3:
        AccumulateRowsOfBlock<3>(scratch, weights, membranes);
        break;
      default:
        AccumulateRowsOfBlock<4>(scratch, weights, membranes);
        break;
    }
    membranes += s.blocks.size;
    weights += block_stride;
  }
}

// A grouped convolution: an event reaches only the target channels of its own group.
void AccumulateGroups(const std::vector<Tap>& taps, size_t sources_per_group,
                      size_t targets_per_group, float* HWY_RESTRICT membranes) {
  for (const Tap& tap : taps) {
    for (uint32_t e = 0; e < tap.positive + tap.negative; ++e) {
      const size_t channel = tap.channels[e];
      const float* HWY_RESTRICT row = tap.weights + channel * targets_per_group;
      float* HWY_RESTRICT target = membranes + channel / sources_per_group * targets_per_group;
      const float sign = e < tap.positive ? 1.0F : -1.0F;
      for (size_t i = 0; i < targets_per_group; ++i) target[i] += sign * row[i];
    }
  }
}

// An identity: an event of source channel c reaches target channel c + channel_offset, if c lies in
// `range`.
void AccumulateIdentity(const SynapseLayout& synapses, const ChannelRange& range,
                        const std::vector<Tap>& taps, float* membranes) {
  for (const Tap& tap : taps) {
    for (uint32_t e = 0; e < tap.positive + tap.negative; ++e) {
      const uint32_t channel = tap.channels[e];
      if (channel < range.first || channel >= range.last) continue;
      const float weight = e < tap.positive ? *tap.weights : -*tap.weights;
      membranes[static_cast<int64_t>(channel) + synapses.channel_offset] += weight;
    }
  }
}

// Positions [first, last) along one axis of a map.
struct Span {
  int64_t first;
  int64_t last;
};

// The source positions of one mean, without those beyond the map.
Span ClipMembers(int64_t position, int64_t kernel, int64_t stride, int64_t pad, int64_t size) {
  const int64_t first = position * stride - pad;
  return {std::max<int64_t>(first, 0), std::min(first + kernel, size)};
}

// Appends the events of source position `position`, if it has any.
void AddTap(const EventFrame& events, size_t position, const float* weights,
            std::vector<Tap>& taps) {
  CSSRUN_ASSERT(2 * position + 2 < events.bounds.size());
  const uint32_t* bounds = &events.bounds[2 * position];
  CSSRUN_ASSERT(bounds[0] <= bounds[1] && bounds[1] <= bounds[2]);
  CSSRUN_ASSERT(bounds[2] <= events.channels.size());
  if (bounds[0] == bounds[2]) return;
  taps.push_back(
      {events.channels.data() + bounds[0], bounds[1] - bounds[0], bounds[2] - bounds[1], weights});
}

// Collects the taps of target position (y, x) that have events, in the order of the kernel. A tap
// reads a position of the view (WindowAxis::SourceOf). Unless it lies between positions that are
// spread out, it stands for (seen_y, seen_x): a source position, or a mean, whose members are then
// read in the order of the map.
void CollectTaps(const SynapseLayout& s, const EventFrame& events, int64_t y, int64_t x,
                 size_t row_step, size_t column_step, std::vector<Tap>& taps) {
  const format::Window& w = s.window;
  const int64_t height = s.seen_extent.height();
  const int64_t width = s.seen_extent.width();
  const int64_t source_height = s.source_extent.height();
  const int64_t source_width = s.source_extent.width();
  taps.clear();
  for (int32_t ky = 0; ky < w.kernel_y(); ++ky) {
    const int64_t spread_y = y * w.stride_y() - w.pad_top() + int64_t{ky} * w.dilation_y();
    if (spread_y < 0 || spread_y >= height || spread_y % s.spread_y != 0) continue;
    const int64_t seen_y = spread_y / s.spread_y;
    for (int32_t kx = 0; kx < w.kernel_x(); ++kx) {
      const int64_t spread_x = x * w.stride_x() - w.pad_left() + int64_t{kx} * w.dilation_x();
      if (spread_x < 0 || spread_x >= width || spread_x % s.spread_x != 0) continue;
      const int64_t seen_x = spread_x / s.spread_x;
      const float* weights = s.weights.get() + static_cast<size_t>(ky) * row_step +
                             static_cast<size_t>(kx) * column_step;
      if (!s.average.has_value()) {
        AddTap(events, static_cast<size_t>(seen_y * source_width + seen_x), weights, taps);
        continue;
      }
      const format::Window& m = *s.average;
      const Span rows = ClipMembers(seen_y, m.kernel_y(), m.stride_y(), m.pad_top(), source_height);
      const Span columns =
          ClipMembers(seen_x, m.kernel_x(), m.stride_x(), m.pad_left(), source_width);
      for (int64_t my = rows.first; my < rows.last; ++my) {
        for (int64_t mx = columns.first; mx < columns.last; ++mx) {
          AddTap(events, static_cast<size_t>(my * source_width + mx), weights, taps);
        }
      }
    }
  }
}

// Lists where the row of weights of each event begins, as seen from source column 0.
void ListRows(const SynapseLayout& s, const EventFrame& events, std::vector<uint32_t>& rows) {
  const uint32_t column_step = s.blocks.size;
  const uint32_t row_stride = static_cast<uint32_t>(s.window.kernel_x()) * column_step;
  const uint32_t width = s.source_extent.width();
  rows.resize(events.count());
  const uint16_t* HWY_RESTRICT channels = events.channels.data();
  const uint32_t* bounds = events.bounds.data();
  uint32_t e = 0;
  for (uint32_t y = 0; y < s.source_extent.height(); ++y) {
    for (uint32_t x = 0; x < width; ++x, bounds += 2) {
      for (; e < bounds[1]; ++e) rows[e] = x * column_step + channels[e] * row_stride;
      for (; e < bounds[2]; ++e) rows[e] = (x * column_step + channels[e] * row_stride) | 1U;
    }
  }
}

// Collects the kernel rows of target position (y, x) that have events.
void CollectRows(const SynapseLayout& s, const EventFrame& events, int64_t y, int64_t x,
                 size_t row_step, std::vector<TapRow>& tap_rows) {
  const format::Window& w = s.window;
  const int64_t height = s.source_extent.height();
  const int64_t width = s.source_extent.width();
  const int64_t left = x * w.stride_x() - w.pad_left();
  const int64_t first = std::max<int64_t>(left, 0);
  const int64_t last = std::min(left + w.kernel_x(), width);
  tap_rows.clear();
  if (first >= last) return;
  for (int32_t ky = 0; ky < w.kernel_y(); ++ky) {
    const int64_t source_y = y * w.stride_y() - w.pad_top() + int64_t{ky} * w.dilation_y();
    if (source_y < 0 || source_y >= height) continue;
    const uint32_t* bounds = &events.bounds[static_cast<size_t>(2 * source_y * width)];
    const TapRow row = {bounds[2 * first], bounds[2 * last],
                        static_cast<ptrdiff_t>(static_cast<int64_t>(row_step) * ky -
                                               left * int64_t{s.blocks.size})};
    if (row.first != row.last) tap_rows.push_back(row);
  }
}

void AccumulateWholeRows(const SynapseLayout& s, const EventFrame& events, TapScratch& scratch,
                         size_t row_step, size_t block_stride, float* membranes) {
  ListRows(s, events, scratch.rows);
  for (uint32_t y = 0; y < s.target_extent.height(); ++y) {
    for (uint32_t x = 0; x < s.target_extent.width(); ++x, membranes += s.blocks.stride()) {
      CollectRows(s, events, y, x, row_step, scratch.tap_rows);
      if (!scratch.tap_rows.empty()) AccumulateRows(scratch, s, block_stride, membranes);
    }
  }
}

void AccumulateLayer(const SynapseLayout& s, const EventFrame& events, TapScratch& scratch,
                     float* membranes) {
  if (events.count() == 0) return;
  CSSRUN_ASSERT(events.bounds.size() == 2 * Positions(s.source_extent) + 1);
  CSSRUN_ASSERT(membranes != nullptr);
  const auto kernel_y = static_cast<size_t>(s.window.kernel_y());
  const auto kernel_x = static_cast<size_t>(s.window.kernel_x());
  const size_t sources = s.source_extent.channels();
  const bool identity = s.kind == format::SynapseKind::Identity;
  const bool blocked = !identity && s.groups == 1;

  // See the layouts at the top of this file.
  const size_t row_stride = kernel_x * s.blocks.size;
  const size_t row_step =
      blocked ? sources * row_stride : kernel_x * sources * s.channels_per_target_group();
  const size_t column_step = blocked ? s.blocks.size : sources * s.channels_per_target_group();
  const size_t block_stride = kernel_y * sources * row_stride;
  const ChannelRange range = identity ? IdentityChannels(s) : ChannelRange();
  if (TakesWholeRows(s)) {
    AccumulateWholeRows(s, events, scratch, row_step, block_stride, membranes);
    return;
  }

  std::vector<Tap>& taps = scratch.taps;
  const size_t stride = s.blocks.stride();
  for (uint32_t y = 0; y < s.target_extent.height(); ++y) {
    for (uint32_t x = 0; x < s.target_extent.width(); ++x, membranes += stride) {
      CollectTaps(s, events, y, x, row_step, column_step, taps);
      if (taps.empty()) continue;
      if (blocked) {
        AccumulateBlocks(taps, row_stride, block_stride, s.blocks, membranes);
      } else if (identity) {
        AccumulateIdentity(s, range, taps, membranes);
      } else {
        AccumulateGroups(taps, sources / s.groups, s.channels_per_target_group(), membranes);
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(AccumulateLayer);

bool TakesWholeRows(const SynapseLayout& s) {
  constexpr uint64_t kMostFloats = uint64_t{1} << 31;  // so that an entry of TapScratch::rows holds
  const uint64_t floats =
      (s.source_extent.width() +
       uint64_t{s.source_extent.channels()} * static_cast<uint64_t>(s.window.kernel_x())) *
      s.blocks.size;
  return s.kind == format::SynapseKind::Convolution && s.groups == 1 && !s.average.has_value() &&
         s.spread_y == 1 && s.spread_x == 1 && s.window.dilation_x() == 1 && floats <= kMostFloats;
}

void Accumulate(const SynapseLayout& synapses, const EventFrame& events, TapScratch& scratch,
                float* membranes) {
  HWY_DYNAMIC_DISPATCH(AccumulateLayer)(synapses, events, scratch, membranes);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
