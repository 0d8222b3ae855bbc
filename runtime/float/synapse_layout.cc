#include "runtime/float/synapse_layout.h"

#include <algorithm>
#include <cstring>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"

namespace cssrun::internal {
namespace {

using format::Extent;
using format::SynapseKind;
using format::Window;

// By source position along one axis: how many (target position, tap) pairs read it.
std::vector<uint64_t> ReadsAlong(const WindowAxis& axis, int64_t sources, int64_t targets) {
  std::vector<uint64_t> reads(static_cast<size_t>(sources), 0);
  for (int64_t target = 0; target < targets; ++target) {
    const TapRange taps = axis.TapsInside(target, sources);
    for (int64_t tap = taps.first; tap < taps.last; ++tap) {
      ++reads[static_cast<size_t>(axis.SourceOf(target, tap))];
    }
  }
  return reads;
}

// Leaves out the positions that a source spread out does not have.
std::vector<uint64_t> Gathered(const std::vector<uint64_t>& reads, int32_t spread) {
  std::vector<uint64_t> gathered;
  for (size_t i = 0; i < reads.size(); i += static_cast<size_t>(spread)) {
    gathered.push_back(reads[i]);
  }
  return gathered;
}

// The same for the sources of means along one axis, from the reads of each mean: whoever reads a
// mean reads all of its members.
std::vector<uint64_t> ReadsThroughMean(const std::vector<uint64_t>& reads, int64_t size,
                                       int64_t kernel, int64_t stride, int64_t pad) {
  std::vector<uint64_t> through(static_cast<size_t>(size), 0);
  for (size_t o = 0; o < reads.size(); ++o) {
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t i = static_cast<int64_t>(o) * stride - pad + k;
      if (i >= 0 && i < size) through[static_cast<size_t>(i)] += reads[o];
    }
  }
  return through;
}

// Synapses of one event at each source position. A window reads rows and columns independently, so
// the reads of a position are the product of those of its row and of its column.
std::vector<uint64_t> CountFanOut(const SynapseLayout& s) {
  const Window& w = s.window;
  std::vector<uint64_t> rows =
      Gathered(ReadsAlong(RowsOf(w), s.seen_extent.height(), s.target_extent.height()), s.spread_y);
  std::vector<uint64_t> columns = Gathered(
      ReadsAlong(ColumnsOf(w), s.seen_extent.width(), s.target_extent.width()), s.spread_x);
  if (s.average.has_value()) {
    const Window& m = *s.average;
    rows =
        ReadsThroughMean(rows, s.source_extent.height(), m.kernel_y(), m.stride_y(), m.pad_top());
    columns = ReadsThroughMean(columns, s.source_extent.width(), m.kernel_x(), m.stride_x(),
                               m.pad_left());
  }
  const uint64_t targets =
      s.kind == SynapseKind::Convolution ? s.channels_per_target_group() : uint64_t{1};
  std::vector<uint64_t> fan_out;
  fan_out.reserve(rows.size() * columns.size());
  for (const uint64_t row : rows) {
    for (const uint64_t column : columns) fan_out.push_back(row * column * targets);
  }
  return fan_out;
}

// Copies the weights of a convolution with one group into blocks:
//
//     file    [target channel][source channel][ky][kx]
//     here    [block][ky][source channel][kx][lane]     target channel = block * blocks.size + lane
//
// The taps of an event (one source channel) in one kernel row are contiguous, [kx][lane]. Lanes
// beyond the target's channels stay 0.
hwy::AlignedFreeUniquePtr<float[]> BlockWeights(const SynapseLayout& s, const float* weights) {
  const auto kernel_y = static_cast<size_t>(s.window.kernel_y());
  const auto kernel_x = static_cast<size_t>(s.window.kernel_x());
  const size_t sources = s.source_extent.channels();
  const size_t targets = s.target_extent.channels();
  const size_t size = s.blocks.stride() * kernel_y * sources * kernel_x;
  auto blocked = AllocateAligned<float>(size);
  std::fill_n(blocked.get(), size, 0.0F);
  for (size_t target = 0; target < targets; ++target) {
    const size_t block = target / s.blocks.size;
    const size_t lane = target % s.blocks.size;
    for (size_t source = 0; source < sources; ++source) {
      for (size_t ky = 0; ky < kernel_y; ++ky) {
        for (size_t kx = 0; kx < kernel_x; ++kx) {
          const size_t row = ((block * kernel_y + ky) * sources + source) * kernel_x + kx;
          blocked[row * s.blocks.size + lane] = *weights++;
        }
      }
    }
  }
  return blocked;
}

// Copies the weights of a convolution with several groups:
//
//     file    [target channel][source channel of the group][ky][kx]
//     here    [ky][kx][source channel][target channel of the group]
//
// An event (one source channel) then reads the weights of its group's targets in sequence.
hwy::AlignedFreeUniquePtr<float[]> GroupWeights(const SynapseLayout& s, const float* weights) {
  const auto kernel_y = static_cast<size_t>(s.window.kernel_y());
  const auto kernel_x = static_cast<size_t>(s.window.kernel_x());
  const size_t sources = s.source_extent.channels();
  const size_t sources_per_group = sources / s.groups;
  const size_t targets_per_group = s.channels_per_target_group();
  auto grouped = AllocateAligned<float>(kernel_y * kernel_x * sources * targets_per_group);
  for (size_t target = 0; target < s.target_extent.channels(); ++target) {
    const size_t group = target / targets_per_group;
    for (size_t i = 0; i < sources_per_group; ++i) {
      const size_t source = group * sources_per_group + i;
      for (size_t tap = 0; tap < kernel_y * kernel_x; ++tap) {
        grouped[(tap * sources + source) * targets_per_group + target % targets_per_group] =
            *weights++;
      }
    }
  }
  return grouped;
}

}  // namespace

ChannelBlocks ChannelBlocks::For(uint32_t channels) {
  CSSRUN_ASSERT(channels > 0);
  const uint32_t chunks = (channels + kChunk - 1) / kChunk;
  ChannelBlocks blocks;
  blocks.count = (chunks + kMaximumChunks - 1) / kMaximumChunks;
  blocks.size = (chunks + blocks.count - 1) / blocks.count * kChunk;
  return blocks;
}

SynapseLayout LayOutSynapses(const format::Synapses& synapses, std::span<const float> weights,
                             const Extent& source, const Extent& target) {
  SynapseLayout s;
  s.source = synapses.source();
  s.delay = synapses.delay();
  s.kind = synapses.kind();
  s.source_extent = source;
  s.target_extent = target;
  s.window = *synapses.window();
  if (synapses.average() != nullptr) s.average = *synapses.average();
  s.seen_extent = format::SeenExtent(synapses, source);
  s.spread_y = synapses.spread_y();
  s.spread_x = synapses.spread_x();
  s.groups = synapses.groups();
  s.channel_offset = synapses.channel_offset();
  CSSRUN_ASSERT(s.groups != 0 && source.channels() % s.groups == 0 &&
                target.channels() % s.groups == 0);
  s.blocks = ChannelBlocks::For(target.channels());
  if (s.kind == SynapseKind::Identity) {
    CSSRUN_ASSERT(weights.size() == 1);
    s.weights = AllocateAligned<float>(1);
    s.weights[0] = weights[0];
  } else {
    CSSRUN_ASSERT(weights.size() == uint64_t{target.channels()} * (source.channels() / s.groups) *
                                        static_cast<uint64_t>(s.window.kernel_y()) *
                                        static_cast<uint64_t>(s.window.kernel_x()));
    s.weights = s.groups == 1 ? BlockWeights(s, weights.data()) : GroupWeights(s, weights.data());
  }
  s.fan_out = CountFanOut(s);
  return s;
}

ChannelRange IdentityChannels(const SynapseLayout& synapses) {
  const int64_t offset = synapses.channel_offset;
  const int64_t first = std::max<int64_t>(0, -offset);
  const int64_t last = std::min<int64_t>(synapses.source_extent.channels(),
                                         int64_t{synapses.target_extent.channels()} - offset);
  CSSRUN_ASSERT(first < last);  // the loader refuses an offset that joins no channels
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(last)};
}

}  // namespace cssrun::internal
