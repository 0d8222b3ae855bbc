// Winograd's F(2, 3) for LevelConv: two neighbouring columns of kernel rows of three taps, from
// four products instead of six (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin
// and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015). With four neighbouring
// levels d0 to d3, and the weights g0 to g2 of a kernel row, the columns are
//
//     inner products    a = (d1 + d2) (g0 + g1 + g2)    b = (d2 - d1) (g0 - g1 + g2)
//     column 0          (a + b) / 2 + (d0 - d2) g0            outer products
//     column 1          (a - b) / 2 + (d1 - d3) (-g2)
//
// Inner products of all source channels and kernel rows are added first; then both halves are the
// sums to which the outer products are added. So there are as many sums in registers as columns, as
// in a plain convolution. Everything is whole numbers, and a + b is even: the sums are those of a
// plain convolution, to the bit.
//
// Both factors must be bytes. Levels up to 127 (T = 7) make d1 + d2 at most 254. To the differences
// the largest level is added, which the starting values of the sums take back. Weights fit if they
// are small whole numbers, which the converter makes them (converter/round_weights.h).
//
//     factors of levels    [row][inner, outer][pair of columns][product][source channel]
//     weights              [tile of targets][inner, outer][ky][quad of sources][product][target]
//                          [source of the quad]
//
// A map of few columns has too few pairs in a row to share a vector of weights, of which there are
// a third more than in a plain convolution, and which come from far: of 512 channels, from the
// third level of caches. There, the pairs of several rows share them, a stack, with 16 targets a
// tile:
//
//     map of 4 x 4     sums in registers: [row 0 to 3][pair 0, 1][inner or outer product 0, 1]
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "network_generated.h"
#include "runtime/assert.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/layout/level_frame.h"

namespace cssrun::internal {

struct LevelConv;
struct LevelConvShape;
struct LevelTarget;

// Of a kernel row.
constexpr int kWinogradTaps = 3;
// Neighbouring columns that share products, a pair.
constexpr uint32_t kPairColumns = 2;
// Products of a pair of columns: two inner ones, two outer ones.
constexpr size_t kHalfProducts = 2;
constexpr size_t kWinogradProducts = 2 * kHalfProducts;

// Pairs of columns of a row that are summed at a time, for 16 targets and for 32: registers hold 24
// sums and the weights of a product, or 16 sums, whose factors take more for their addresses.
constexpr size_t kMostPairs = 8;
constexpr size_t kMostPairsOfBoth = 6;

struct Winograd {
  bool empty() const { return weights == nullptr; }
  size_t tile_size() const { return 2 * size_t{half_size}; }

  uint32_t pairs = 0;      // of target columns; the last may have one column beyond the map
  uint32_t stacked = 1;    // rows whose pairs share the weights, at most
  uint32_t targets = 0;    // of a tile: those of LevelConv's, or half of them
  uint32_t row_size = 0;   // weights of a kernel row of a tile, of the inner or the outer products
  uint32_t half_size = 0;  // those of all kernel rows
  uint32_t row_bytes = 0;  // factors of a row of levels, of the inner or the outer products
  NarrowWeights weights;
  // What the sums of a kernel row's products begin with: [tile][ky][product][target].
  std::vector<int32_t> starts;
};

// The factors of neighbouring rows of levels.
struct WinogradRows {
  const uint8_t* Row(size_t row) const {
    CSSRUN_ASSERT(row >= first);
    return factors + (row - first) * pitch;
  }

  const uint8_t* factors = nullptr;
  size_t first = 0;  // row of levels
  size_t pitch = 0;  // bytes of a row
};

// Whether Winograd's products pay for a convolution to a map of `target_rows` and `target_columns`
// in which each target reads `sources` channels with `window`.
bool SuitsWinograd(const format::Window& window, uint32_t sources, uint32_t target_rows,
                   uint32_t target_columns);

// Fills in `kernel.winograd` if the machine has a use for it, and the kernel's shape, its levels
// and its weights allow it. For levels whose zero is the byte 0. Throws std::bad_alloc.
void PlanWinograd(const LevelConvShape& shape, LevelConv& kernel);

// The bytes of the factors that `rows` neighbouring target rows read; 0 without `kernel.winograd`.
size_t WinogradRoom(const LevelConv& kernel, size_t rows);

// The target rows that one call takes at most, and those of a stack.
constexpr size_t kMostWinogradRows = 16;
constexpr size_t kMostStackedRows = 4;

// Computes the factors that `targets` read, which are target rows from `first` on. Their columns
// begin and end between pairs, or with the row. `room`: WinogradRoom() bytes.
using FillWinogradRows = WinogradRows (*)(const LevelConv& kernel, const LevelFrame& levels,
                                          std::span<const LevelTarget> targets, size_t first,
                                          std::span<uint8_t> room);
// Sums these rows, whose tiles are the same. Rows of a stack are whole.
using SumByWinogradFunction = void (*)(const LevelConv& kernel, const LevelFrame& levels,
                                       const WinogradRows& factors,
                                       std::span<const LevelTarget> targets, size_t first);
struct WinogradKernel {
  FillWinogradRows fill = nullptr;
  SumByWinogradFunction sum = nullptr;
};
// Null if the running instruction set has no kernel for them.
WinogradKernel ResolveWinograd();

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_H_
