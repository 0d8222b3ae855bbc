// How much of what a level kernel multiplies is silent, and how much of that a kernel could leave
// out: levels, quads of channels, quads of a whole tile, positions, rows.
//
// LevelConv multiplies a quad, 4 neighbouring source channels, by the weights of some target
// columns at once (level_conv.h). To leave a quad out, it must be silent at all source positions
// that these columns read through one tap, or through the taps of a row that share their levels.
// Which channels are neighbours is the converter's choice: `order` says what is where.
#ifndef CSSRUN_BENCH_NETWORKS_SILENCE_H_
#define CSSRUN_BENCH_NETWORKS_SILENCE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/layout/level_frame.h"

namespace cssrun::bench {

struct Share {
  double value() const {
    return all == 0 ? 0 : static_cast<double>(silent) / static_cast<double>(all);
  }
  void Add(bool is_silent) {
    ++all;
    silent += is_silent ? 1 : 0;
  }

  uint64_t silent = 0;
  uint64_t all = 0;
};

// Of the levels that a layer sends.
struct MapSilence {
  Share levels;
  Share positions;  // all channels of one
  Share rows;       // all positions of one
};

// Of what one kernel reads, with the channels in some order.
struct KernelSilence {
  Share quads;       // at one position of the map
  Share tile_quads;  // of all that the kernel multiplies
};

// A map of levels: row y, column x, channel c is frame.Row(y)[x * stride + c].
struct LevelMap {
  const internal::LevelFrame* frame = nullptr;
  format::Extent extent;
  size_t stride = 0;

  bool silent(size_t row, size_t column, size_t channel) const {
    return frame->Row(row)[column * stride + channel] == frame->layout.zero;
  }
};

void AddSilence(const LevelMap& map, MapSilence& silence);

// `targets`: rows and columns of the kernel's target. `order`: by place, the channel there. With
// `together` channels to a quad: 4, or 1 for what no order of channels can exceed, since a quad is
// silent only where each of its channels is.
void AddSilence(const internal::LevelConv& kernel, const LevelMap& map,
                const format::Extent& targets, std::span<const uint32_t> order, size_t together,
                KernelSilence& silence);

// Channels by how often each of them sent something, the most active first.
std::vector<uint32_t> OrderByRate(std::span<const uint64_t> sent);

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_NETWORKS_SILENCE_H_
