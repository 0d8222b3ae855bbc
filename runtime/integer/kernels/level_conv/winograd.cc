// Lays out Winograd's products at load time.
#include "runtime/integer/kernels/level_conv/winograd.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "runtime/aligned.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {
namespace {

// 16 channels gain 3 %, 32 channels 15 %, 64 channels 25 %.
constexpr uint32_t kFewestSources = 32;
// Rows of as many columns need no stack.
constexpr uint32_t kFewestColumns = 7;
// Pairs of columns that share a vector of weights in a stack: with fewer, the weights, of which
// there are a third more, cost more than products save; more have no registers. A layer of 512
// channels takes 0.7 of the time of plain products on a map of 4 x 4, and 1.6 times as long without
// a stack.
constexpr uint32_t kFewestStackedPairs = 6;
constexpr uint32_t kMostStackedPairs = 8;
// Factors are computed so many channels at a time.
constexpr uint32_t kChannels = 16;

// The rows of a stack, at most.
uint32_t StackedRows(uint32_t rows, uint32_t columns) {
  if (columns >= kFewestColumns) return 1;
  const uint32_t pairs = std::max(1U, (columns + 1) / 2);
  return std::clamp<uint32_t>(std::min(rows, kMostStackedPairs / pairs), 1, kMostStackedRows);
}

// Whether at most one kernel row is beyond the map, above and below: what a stack is made for.
bool ReachesOneBeyond(const format::Window& window) {
  return window.pad_top() <= 1 && window.pad_bottom() <= 1;
}

bool LevelsAndWeightsFit(const LevelConv& kernel) {
  // Of a + b and a - b, with the largest levels and weights.
  const double largest_sum = 2.0 * kWinogradTaps * kLargestNarrowWeight * 2 * kernel.largest_byte *
                             kernel.quads * kQuad * kernel.window.kernel_y();
  return kernel.source_stride % kChannels == 0 && kernel.planes == 1 && kernel.starts.empty() &&
         kernel.weight_offsets.empty() &&
         kernel.largest_byte <= std::numeric_limits<uint8_t>::max() / 2 &&
         largest_sum <= std::numeric_limits<int32_t>::max();
}

using Factors = std::array<int, kWinogradProducts>;

// Of the weight at `weight` and those of the same kernel row; nothing if they are no bytes.
std::optional<Factors> FactorsOf(const int8_t* weight, size_t tap_size) {
  const int8_t first = weight[0];
  const int8_t second = weight[tap_size];
  const int8_t third = weight[2 * tap_size];
  const Factors factors = {first + second + third, first - second + third, +first, -third};
  const auto fits = [](int factor) { return std::abs(factor) <= kLargestNarrowWeight; };
  if (!std::ranges::all_of(factors, fits)) return std::nullopt;
  return factors;
}

// Writes the weights of a kernel row of a tile, and what its sums begin with: `from`, those of
// LevelConv; `to`, the inner products. Returns whether all fit.
bool FillKernelRow(const LevelConv& kernel, const Winograd& winograd, const int8_t* from,
                   int8_t* to, int32_t* starts) {
  const size_t quad_size = size_t{winograd.targets} * kQuad;
  const auto largest = static_cast<int32_t>(kernel.largest_byte);
  for (size_t quad = 0; quad < kernel.quads; ++quad) {
    for (size_t i = 0; i < quad_size; ++i) {
      const std::optional<Factors> factors = FactorsOf(from + i, kernel.tap_size());
      if (!factors.has_value()) return false;
      for (size_t m = 0; m < kWinogradProducts; ++m) {
        const int32_t factor = (*factors)[m];
        to[m / kHalfProducts * winograd.half_size + m % kHalfProducts * quad_size + i] =
            static_cast<int8_t>(factor);
        // The first factor of levels is their sum.
        if (m > 0) starts[m * winograd.targets + i / kQuad] -= factor * largest;
      }
    }
    from += size_t{kernel.targets} * kQuad;
    to += kHalfProducts * quad_size;
  }
  return true;
}

}  // namespace

bool SuitsWinograd(const format::Window& window, uint32_t sources, uint32_t target_rows,
                   uint32_t target_columns) {
  const bool dense = window.kernel_x() == kWinogradTaps && window.stride_x() == 1 &&
                     window.stride_y() == 1 && window.dilation_x() == 1 && window.dilation_y() == 1;
  if (!dense || sources < kFewestSources) return false;
  if (target_columns >= kFewestColumns) return true;
  const uint32_t pairs = (target_columns + 1) / 2;
  return ReachesOneBeyond(window) &&
         pairs * StackedRows(target_rows, target_columns) >= kFewestStackedPairs;
}

void PlanWinograd(const LevelConvShape& shape, LevelConv& kernel) {
  const uint32_t columns = shape.target_columns;
  const uint32_t sources = shape.source.channels() / shape.groups;
  if (ResolveWinograd().sum == nullptr || !LevelsAndWeightsFit(kernel) ||
      !SuitsWinograd(kernel.window, sources, shape.target_rows, columns)) {
    return;
  }
  const size_t kernel_rows = kernel.kernel_rows();
  Winograd winograd;
  winograd.pairs = (columns + 1) / 2;
  winograd.stacked = StackedRows(shape.target_rows, columns);
  winograd.targets = winograd.stacked > 1 ? kTileTargets : kernel.targets;
  winograd.row_size = kernel.quads * kQuad * winograd.targets * uint32_t{kHalfProducts};
  winograd.half_size = static_cast<uint32_t>(kernel_rows * winograd.row_size);
  winograd.row_bytes = static_cast<uint32_t>(kHalfProducts * winograd.pairs * kernel.source_stride);
  const size_t targets = size_t{kernel.tiles} * kernel.targets;
  winograd.weights = AllocateAligned<int8_t>(targets / winograd.targets * winograd.tile_size());
  winograd.starts.assign(targets * kernel_rows * kWinogradProducts, 0);
  int8_t* to = winograd.weights.get();
  int32_t* starts = winograd.starts.data();
  for (size_t target = 0; target < targets;
       target += winograd.targets, to += winograd.tile_size()) {
    const int8_t* from = kernel.weights.get() + target / kernel.targets * kernel.tile_size() +
                         target % kernel.targets * kQuad;
    for (size_t ky = 0; ky < kernel_rows; ++ky, from += kernel.tap_row_size()) {
      if (!FillKernelRow(kernel, winograd, from, to + ky * winograd.row_size, starts)) return;
      starts += kWinogradProducts * winograd.targets;
    }
  }
  // The neighbour of the last of an odd number of columns reads one column more.
  kernel.right += columns % 2 * kernel.source_stride;
  kernel.winograd = std::move(winograd);
}

size_t WinogradRoom(const LevelConv& kernel, size_t rows) {
  if (kernel.winograd.empty()) return 0;
  return (rows + kernel.kernel_rows() - 1) * 2 * kernel.winograd.row_bytes;
}

}  // namespace cssrun::internal
