// Level kernel of convolutions between settled layers: levels times weights, all steps at once.
//
// A settled layer has no use for single spikes: it waits for all T steps of its input, and the
// spikes of one rectifying source are then one whole number, its level, 0 to 2^T - 1. When nearly
// every neuron spikes, adding every level times its weight, four sources per instruction (VNNI) or
// two, costs less than finding the spikes. The sums are exact in 32 bits on every machine, and take
// the same time whether anything fires or not. If a level kernel is the only source of sums, they
// become potentials while they are in registers (SumMode::kPotential).
//
// Machines without VNNI add as many products of bytes in 16 bits as always fit (runs-inl.h).
//
// Vector units multiply unsigned bytes by signed bytes, which may need two corrections. Levels of a
// layer that does not rectify are bytes of level + zero: zero times the sum of a target's weights
// is subtracted. Weights of an 8-bit model with a zero point lie anywhere within 255 units: an
// offset per target brings them into a byte, and the offset times the sum of all levels in the
// window is added.
//
// A first layer that multiplies bytes takes pixels as levels (see whole_pixels.h). Its weights have
// two planes, 128 times the first plus the second: all products of the first are summed, the sums
// multiplied by 128, and the products of the second added. The correction for a pixel's zero
// depends on the taps that lie on the map (PixelStarts).
//
// The kernel sums as many target columns at a time as registers can hold, and multiplies each
// vector of weights with the levels of all of them:
//
//     weights    [tile of targets][plane][ky][kx][quad of sources][target][source of the quad]
//                the quads of a tile are those of its groups: from first_quads[tile] on
//     levels     [row][position][channel], see LevelFrame: a quad is 4 neighbouring bytes
//     sums       [column][target], 32 bits, in registers
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_LEVEL_CONV_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_LEVEL_CONV_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network_generated.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/level_conv/winograd.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/neurons/settled.h"

namespace cssrun::internal {

// Sources that share an instruction.
constexpr uint32_t kQuad = 4;
// Targets of a vector of 32-bit sums on the widest machine.
constexpr uint32_t kTileTargets = 16;

// The largest difference between two weights of a target, in units.
constexpr int kLargestWeightSpread = 255;

// The values that sums of pixels start from. Positions whose windows lie on the map in the same way
// form a class, separately for rows and columns:
//
//     kernel 3, pad 1     classes of rows and of columns: 0 1 1 ... 1 2
struct PixelStarts {
  bool empty() const { return values.empty(); }
  // Those of a tile at column class 0; those of the next class follow `class_pitch` numbers later.
  const int32_t* Of(size_t row, size_t tile, size_t targets) const {
    return &values[row_classes[row] * column_class_count * class_pitch + tile * targets];
  }

  std::vector<uint32_t> row_classes;     // by target row
  std::vector<uint32_t> column_classes;  // by target column
  size_t column_class_count = 0;
  size_t class_pitch = 0;       // tiles * targets
  std::vector<int32_t> values;  // [row class][column class][tile][target]
};

// In LevelConv::runs.
constexpr uint16_t kWideRun = 0x8000;
constexpr uint16_t kFullRun = 0x4000;
constexpr uint16_t kRunQuads = 0x3FFF;

struct LevelConv {
  static constexpr KernelTraits kTraits = {
      .name = "level_conv", .role = KernelRole::kSumsLevels, .width = WeightWidth::kNarrow};
  static bool Takes(const Connection& connection, const TargetLayer& target);
  static std::optional<LevelConv> Build(const KernelRequest& request, std::string& reason);
  StoredWeights Stored(const LaneLayout& target) const;

  format::Window window;
  uint32_t source_rows = 0;
  uint32_t source_stride = 0;  // levels of one position
  uint32_t quads = 0;          // of one position, that a tile reads
  uint32_t targets = 0;        // of a tile: kTileTargets or twice as many
  uint32_t tiles = 0;
  // The bytes that windows read from a row of levels: `left` before the first neuron, and up to
  // `right` after its beginning.
  uint32_t left = 0;
  uint32_t right = 0;
  uint32_t planes = 1;
  NarrowWeights weights;
  PixelStarts starts;                   // empty: levels, not pixels
  std::vector<uint32_t> first_quads;    // by tile
  std::vector<int32_t> row_sums;        // of weights of both planes: [tile][ky][target]
  std::vector<int32_t> weight_offsets;  // [tile][target]; empty: none
  // By tile: whether it has offsets; empty if `weight_offsets` is.
  std::vector<uint8_t> tile_has_offsets;
  // Runs of kTileTargets targets: the number of successive quads in each, within a tap (within a
  // kernel row where taps adjoin). Whatever the levels, 16 bits hold the sums of all products from
  // the end of one full run, which has the flag kFullRun, to the end of the next. Not so with
  // kWideRun: each of these quads has two products whose sum 16 bits do not hold.
  std::vector<uint16_t> runs;
  uint32_t largest_byte = 255;       // of the levels
  int8_t smallest_weight = 0;        // as they are stored
  Winograd winograd;                 // the same weights once more; empty: not used
  std::vector<uint32_t> first_runs;  // by [tile][kTileTargets of it][plane][ky]
  // Settled units per unit, by parameter lane (MembraneLayout), for ToFloats(mode). Null: not
  // needed.
  hwy::AlignedFreeUniquePtr<float[]> float_scale;

  size_t kernel_rows() const { return static_cast<size_t>(window.kernel_y()); }
  // The row of levels that a target row reads with its first kernel row; may be beyond the map.
  int64_t SourceRow(size_t row) const {
    return RowsOf(window).SourceOf(static_cast<int64_t>(row), 0);
  }
  // The runs of kTileTargets targets, those from `sixteen` * kTileTargets on, from kernel row `ky`.
  const uint16_t* RunsOf(size_t sixteen, size_t plane, size_t ky) const {
    return &runs[first_runs[(sixteen * planes + plane) * kernel_rows() + ky]];
  }
  // Weights of one tap of one tile, and of one kernel row.
  size_t tap_size() const { return size_t{quads} * targets * kQuad; }
  size_t tap_row_size() const { return static_cast<size_t>(window.kernel_x()) * tap_size(); }
  size_t plane_size() const { return kernel_rows() * tap_row_size(); }
  size_t tile_size() const { return planes * plane_size(); }
  size_t size() const { return tiles * tile_size(); }
  // Whether the quads of a kernel row are one long tap, without a gap.
  bool taps_adjoin() const {
    return static_cast<uint64_t>(window.dilation_x()) * source_stride == uint64_t{quads} * kQuad;
  }
};

struct LevelConvShape {
  format::Extent source;
  uint32_t source_stride = 0;
  uint32_t target_channels = 0;
  uint32_t target_rows = 0;
  uint32_t target_columns = 0;
  uint32_t groups = 1;
  format::Window window;
  uint32_t largest_byte = 255;  // of the source's levels, see LevelFrame
};

LevelConvShape LevelConvShapeOf(const Connection& connection, const TargetLayer& target);

// Whether sums of levels up to `largest_level` and weights up to `largest_weight` fit 32 bits.
bool LevelSumsFit(const LevelConvShape& shape, double largest_level,
                  int largest_weight = kLargestNarrowWeight);

// Bytes of all levels that the kernel reads; a double, because sizes in a file are arbitrary.
double LevelBytes(const LevelConvShape& shape);

// For all kernels that sum levels in 32 bits. If sums are wide, every source that has levels is
// summed from them: event kernels add in 16 bits.
bool TakesWideLevels(const Connection& connection, const TargetLayer& target);
// Whether those levels are not too many; else false, with the reason.
bool LevelsFit(const KernelRequest& request, std::string& reason);

// The weights of a target differ by kLargestWeightSpread units at most. Throws std::bad_alloc.
LevelConv MakeLevelConv(const LevelConvShape& shape, const ScaledWeights& weights);

// Fills in the runs, the largest byte and the smallest weight. Called by the functions that lay out
// kernels.
void PlanRuns(uint32_t largest_byte, LevelConv& kernel);

// The factor of the first of two planes, and the largest weight of both together.
constexpr int kPlaneShift = 7;
constexpr int32_t kPlane = 1 << kPlaneShift;
constexpr int kLargestPlanesWeight = kLargestNarrowWeight * kPlane + kPlane / 2 - 1;

// A first layer on pixels: `weights` multiply bytes, `zeros` is the zero of each source channel.
// Weights are at most kLargestNarrowWeight units in one plane, or kLargestPlanesWeight in two; all
// sums fit 32 bits.
struct PixelConvShape {
  LevelConvShape conv;
  uint32_t planes = 2;
  std::span<const double> zeros;
};
LevelConv MakePixelConv(const PixelConvShape& shape, const ScaledWeights& weights);

// The number of classes of positions: a small file may ask for many.
size_t PixelClasses(const PixelConvShape& shape);

enum class SumMode : uint8_t {
  kStore,      // sums replace what the membranes hold, saturated to 16 bits
  kJoin,       // sums join the membranes, saturating
  kPotential,  // potentials, rounded down, replace what the membranes hold
  kLevels,     // levels of the neurons are written; membranes stay as they are
  kSetFloats,  // sums, in settled units, replace floats beside the membranes
  kAddFloats,  // the same are added to floats
};

constexpr bool ToFloats(SumMode mode) {
  return mode == SumMode::kSetFloats || mode == SumMode::kAddFloats;
}

// Tiles of targets [first, last), as many as there are.
struct TileRange {
  uint32_t first = 0;
  uint32_t last = std::numeric_limits<uint32_t>::max();
  bool all() const { return first == 0 && last == std::numeric_limits<uint32_t>::max(); }
};

// The part of the next tile's weights that a row prefetches while it multiplies those of this tile,
// in LevelConv. Rows share one tile after another, so that weights come from the far caches once
// for all of them; without prefetching, the first row would wait for them.
struct WeightsAhead {
  size_t part = 0;
  size_t parts = 0;  // 0: no prefetching
};

// Whether `kernel` prefetches LevelTarget::far_levels on this machine.
bool PrefetchesLevels(const LevelConv& kernel);

// Where a row's sums go.
struct LevelTarget {
  const SettledRow* settled = nullptr;
  SumMode mode = SumMode::kStore;
  const PotentialInputs* inputs = nullptr;  // of this row, for kPotential and kLevels
  uint8_t* levels = nullptr;                // the row's first neuron, for kLevels
  const LevelRule* rule = nullptr;          // of kLevels
  LevelBounds bounds = {};                  // likewise
  float* floats = nullptr;                  // of this row and block 0, where ToFloats(mode)
  size_t block_floats = 0;                  // from one block to the next
  int32_t* level_sums = nullptr;  // room for a number per column, where weights have offsets
  // With kPotential and kLevels: the sums have the kernel's float_scale, and join inputs->floats.
  bool joins_floats = false;
  TileRange tiles = {};  // of LevelConv
  WeightsAhead ahead = {};
  // Of LevelConv with kLevels, unless it prefetches weights: the row's first neuron in levels that
  // are needed soon, see LevelsTarget. Null: none.
  const uint8_t* far_levels = nullptr;
  // The columns that are summed; empty: all.
  std::span<const ColumnRange> columns = {};
};

// Sums all levels that reach target row `row`. Looked up once a layer, called once a row.
using SumLevelsFunction = void (*)(const LevelConv& kernel, const LevelFrame& levels,
                                   const LevelTarget& target, size_t row);
SumLevelsFunction Resolve(const LevelConv& kernel);

// The products that the best variant for this machine uses: "8-bit products (VNNI)", "8-bit
// products (AVX-VNNI)", "8-bit products in 16-bit sums", "16-bit pairs" or "scalar".
const char* LevelConvVariant();

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_LEVEL_CONV_H_
