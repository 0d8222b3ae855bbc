#include "bench/networks/silence.h"

#include <algorithm>
#include <numeric>

#include "runtime/geometry/window_axis.h"

namespace cssrun::bench {
namespace {

using internal::LevelConv;
using internal::TapRange;
using internal::WindowAxis;

// Columns that LevelConv takes at a time, with byte products of 512 bits: 16 of 16 targets. Of more
// than 8, every fourth number has code.
constexpr size_t kSums = 16 * internal::kTileTargets;
size_t NextColumns(const LevelConv& kernel, size_t rest) {
  const size_t most = kSums / kernel.targets;
  const size_t parts = (rest + most - 1) / most;
  const size_t part = (rest + parts - 1) / parts;
  return part > 8 ? part / 4 * 4 : part;
}

// By [row][quad][column]: whether the quad is silent.
class SilentQuads {
 public:
  SilentQuads(const LevelMap& map, std::span<const uint32_t> order, size_t together)
      : width_(map.extent.width()), quads_((order.size() + together - 1) / together) {
    silent_.assign(size_t{map.extent.height()} * quads_ * width_, 1);
    for (size_t row = 0; row < map.extent.height(); ++row) {
      for (size_t place = 0; place < order.size(); ++place) {
        uint8_t* of_quad = silent_.data() + (row * quads_ + place / together) * width_;
        for (size_t column = 0; column < width_; ++column) {
          if (!map.silent(row, column, order[place])) of_quad[column] = 0;
        }
      }
    }
  }

  size_t quads() const { return quads_; }
  void AddTo(Share& share) const {
    for (const uint8_t silent : silent_) share.Add(silent != 0);
  }
  // At source columns first, first + step, ..., `count` of them; beyond the map all is silent.
  bool At(size_t row, size_t quad, int64_t first, int64_t step, size_t count) const {
    const uint8_t* of_quad = silent_.data() + (row * quads_ + quad) * width_;
    for (size_t i = 0; i < count; ++i, first += step) {
      if (first >= 0 && first < static_cast<int64_t>(width_) && of_quad[first] == 0) return false;
    }
    return true;
  }

 private:
  size_t width_;
  size_t quads_;
  std::vector<uint8_t> silent_;
};

}  // namespace

void AddSilence(const LevelMap& map, MapSilence& silence) {
  for (size_t row = 0; row < map.extent.height(); ++row) {
    bool silent_row = true;
    for (size_t column = 0; column < map.extent.width(); ++column) {
      bool silent_position = true;
      for (size_t c = 0; c < map.extent.channels(); ++c) {
        const bool silent = map.silent(row, column, c);
        silence.levels.Add(silent);
        silent_position = silent_position && silent;
      }
      silence.positions.Add(silent_position);
      silent_row = silent_row && silent_position;
    }
    silence.rows.Add(silent_row);
  }
}

void AddSilence(const LevelConv& kernel, const LevelMap& map, const format::Extent& targets,
                std::span<const uint32_t> order, size_t together, KernelSilence& silence) {
  const SilentQuads quads(map, order, together);
  quads.AddTo(silence.quads);
  const WindowAxis y = internal::RowsOf(kernel.window);
  const WindowAxis x = internal::ColumnsOf(kernel.window);
  // Three taps share their levels where each reads what its neighbour reads one column later.
  const bool slides = x.kernel == 3 && x.stride == x.dilation;
  for (int64_t row = 0; row < targets.height(); ++row) {
    const TapRange taps = y.TapsInside(row, map.extent.height());
    for (size_t column = 0; column < targets.width();) {
      const size_t columns = NextColumns(kernel, targets.width() - column);
      for (int64_t ky = taps.first; ky < taps.last; ++ky) {
        const auto from = static_cast<size_t>(y.SourceOf(row, ky));
        for (int64_t kx = 0; kx < (slides ? 1 : x.kernel); ++kx) {
          const int64_t first = x.SourceOf(static_cast<int64_t>(column), kx);
          const size_t read = slides ? columns + 2 : columns;
          for (size_t quad = 0; quad < quads.quads(); ++quad) {
            silence.tile_quads.Add(quads.At(from, quad, first, x.stride, read));
          }
        }
      }
      column += columns;
    }
  }
}

std::vector<uint32_t> OrderByRate(std::span<const uint64_t> sent) {
  std::vector<uint32_t> order(sent.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, [&](uint32_t a, uint32_t b) { return sent[a] > sent[b]; });
  return order;
}

}  // namespace cssrun::bench
