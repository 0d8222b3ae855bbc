// A target row of LevelConv, tile by tile.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_ROW_TILES_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_ROW_TILES_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_ROW_TILES_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_ROW_TILES_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hwy/highway.h"
#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"
#include "runtime/integer/kernels/level_conv/window_sums-inl.h"
#include "runtime/integer/neurons/store_levels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Whether LevelTarget::far_levels are prefetched: measured with VNNI alone.
constexpr bool kPrefetchesLevels = CSSRUN_TARGET_VNNI != 0;

// Where the levels of a target row are and where its sums go, for one tile after another, from
// target.tiles.first on. `P`: the products that are used.
template <class P>
class RowTiles {
 public:
  // `weights`: of the first tile, each of which has `tile_size`; for prefetching. All references
  // stay valid.
  RowTiles(const LevelConv& kernel, const LevelFrame& levels, const LevelTarget& target, size_t row,
           const int8_t* weights, size_t tile_size)
      : kernel_(kernel),
        target_(target),
        layout_(*target.settled->layout),
        whole_row_{0, layout_.columns},
        row_(row),
        weights_(weights),
        tile_size_(tile_size),
        zero_(levels.layout.zero) {
    CSSRUN_ASSERT(!fused() || target.inputs != nullptr);
    CSSRUN_ASSERT(kernel.left <= levels.layout.before);
    CSSRUN_ASSERT(levels.layout.before + kernel.right <= levels.layout.row_size);
    CSSRUN_ASSERT(kernel.planes == 1 || !kernel.starts.empty());
    const WindowAxis y = RowsOf(kernel.window);
    const WindowAxis x = ColumnsOf(kernel.window);
    taps_ = y.TapsInside(static_cast<int64_t>(row), kernel.source_rows);
    if (taps_.first < taps_.last) {
      const int64_t first = y.SourceOf(static_cast<int64_t>(row), taps_.first);
      levels_ = levels.Row(static_cast<size_t>(first)) -
                x.pad * static_cast<int64_t>(kernel.source_stride);
    }
    tile_.levels = levels_;
    tile_.levels_pitch = static_cast<size_t>(y.dilation) * levels.layout.row_size;
    tile_.tap_pitch = static_cast<size_t>(x.dilation) * kernel.source_stride;
    tile_.position_pitch = static_cast<size_t>(x.stride) * kernel.source_stride;
    tile_.kernel_rows = static_cast<size_t>(taps_.last - taps_.first);
    tile_.kernel_columns = static_cast<size_t>(x.kernel);
    tile_.quads = kernel.quads;
    tile_.targets = kernel.targets;
    tile_.start = kZeroSums;
    tile_.lanes = layout_.lanes.lanes;
    tile_.joins = target.mode == SumMode::kJoin;
    tile_.slides = tile_.kernel_columns == kSlidingTaps && tile_.tap_pitch == tile_.position_pitch;
    const bool apart = P::kSlides && tile_.slides;
    if (!apart && kernel.taps_adjoin()) {
      tile_.quads *= tile_.kernel_columns;
      tile_.kernel_columns = 1;
    }
    tile_.planes = kernel.planes;
    tile_.plane_size = kernel.plane_size();
    tile_.column_classes = kernel.starts.column_classes.data();
    tile_.class_pitch = kernel.starts.class_pitch;
  }
  RowTiles(const RowTiles&) = delete;  // `tile_` points into it
  RowTiles& operator=(const RowTiles&) = delete;

  // The kernel rows that are on the map.
  const TapRange& taps() const { return taps_; }
  size_t last() const { return std::min(kernel_.tiles, target_.tiles.last); }
  // The columns that are summed.
  std::span<const ColumnRange> columns() const {
    return target_.columns.empty() ? std::span(&whole_row_, 1) : target_.columns;
  }
  const TileRow& tile() const { return tile_; }
  int16_t* membranes() const { return membranes_; }

  // Moves to tile `t`, the first one or the next.
  void MoveTo(size_t t) {
    t_ = t;
    const size_t first = t * kernel_.targets;
    const size_t block = first / tile_.lanes;
    const size_t lane = first % tile_.lanes;
    if (levels_ != nullptr) tile_.levels = levels_ + kernel_.first_quads[t] * size_t{kQuad};
    if ((zero_ != 0 || P::kShift != 0) && taps_.first < taps_.last) {
      StartTile(kernel_, t, taps_, P::kShift, zero_, of_zero_);
      tile_.start = of_zero_;
    }
    if (ToFloats(target_.mode)) {
      tile_.sets_floats = target_.mode == SumMode::kSetFloats;
      CSSRUN_ASSERT(target_.floats != nullptr && kernel_.float_scale != nullptr);
      tile_.floats = target_.floats + block * target_.block_floats + lane;
      tile_.float_scale = kernel_.float_scale.get() + block * kLineLanes + lane;
    }
    if (fused()) MovePotentials(block, lane);
#if CSSRUN_TARGET_RUNS
    for (size_t half = 0; half * kTileTargets < kernel_.targets && taps_.first < taps_.last;
         ++half) {
      for (size_t plane = 0; plane < kernel_.planes; ++plane) {
        tile_.runs[half][plane] =
            kernel_.RunsOf(first / kTileTargets + half, plane, static_cast<size_t>(taps_.first));
      }
    }
#endif
    if (target_.ahead.parts != 0 && t + 1 < kernel_.tiles) {
      tile_.AskAhead(target_.ahead, weights_ + (t + 1) * tile_size_, tile_size_, layout_.columns);
    }
    if constexpr (kPrefetchesLevels) {
      if (target_.ahead.parts == 0 && target_.far_levels != nullptr) {
        AskForLevels(target_.far_levels + block * kLineLanes + lane);
      }
    }
    membranes_ = target_.settled->membranes + layout_.RowAt(block, row_) + lane;
    if (!kernel_.starts.empty()) tile_.class_starts = kernel_.starts.Of(row_, t, kernel_.targets);
  }

  // Afterwards, where weights have offsets: sums the levels that the tile reads.
  void SumOffsetLevels() {
    if (t_ == target_.tiles.first || kernel_.first_quads[t_] != kernel_.first_quads[t_ - 1]) {
      windows_summed_ = false;
    }
    tile_.weight_offsets = nullptr;
    if (kernel_.weight_offsets.empty() || kernel_.tile_has_offsets[t_] == 0) return;
    CSSRUN_ASSERT(target_.level_sums != nullptr);
    if (!windows_summed_) {
      for (const ColumnRange& range : columns()) SumWindows(tile_, range, target_.level_sums);
    }
    windows_summed_ = true;
    tile_.weight_offsets = &kernel_.weight_offsets[t_ * kernel_.targets];
    tile_.level_sums = target_.level_sums;
  }

 private:
  // Whether sums become potentials at once.
  bool fused() const {
    return target_.mode == SumMode::kPotential || target_.mode == SumMode::kLevels;
  }

  void AskForLevels(const uint8_t* of_tile) {
    const size_t pitch = layout_.lanes.stride();
    if (kernel_.winograd.empty()) {
      tile_.AskForLevels(of_tile, pitch, P::kPositions * kTileTargets / kernel_.targets,
                         tile_.kernel_rows * tile_.kernel_columns * tile_.quads);
      return;
    }
    // Which asks once for the quads of two products.
    const size_t pairs = kernel_.winograd.targets == kTileTargets ? kMostPairs : kMostPairsOfBoth;
    tile_.AskForLevels(of_tile, pitch, kPairColumns * pairs,
                       tile_.kernel_rows * kHalfProducts * kernel_.quads);
  }

  void MovePotentials(size_t block, size_t lane) {
    if (potentials_.has_value() && potentials_->floats == nullptr) {
      potentials_->StartAt(kernel_.targets);  // without floats, tiles are neighbours
      return;
    }
    RowPotentials& of_tile =
        potentials_.emplace(*target_.settled, *target_.inputs, block, tile_.lanes);
    if (target_.joins_floats) {
      CSSRUN_ASSERT(target_.inputs->floats != nullptr && kernel_.float_scale != nullptr);
      of_tile.JoinFloats(kernel_.float_scale.get() + block * kLineLanes);
    }
    of_tile.StartAt(lane);
    if (target_.mode == SumMode::kLevels)
      of_tile.WriteLevelsTo(target_.levels, *target_.rule, target_.bounds);
    tile_.potentials = &of_tile;
#if CSSRUN_TARGET_AVX512
    tile_.leaves_at_once = !tile_.leaves_registers() && LeavesRegistersAtOnce(of_tile);
#endif
  }

  const LevelConv& kernel_;
  const LevelTarget& target_;
  const MembraneLayout& layout_;
  ColumnRange whole_row_;
  size_t row_;
  const int8_t* weights_;
  size_t tile_size_;
  int32_t zero_;
  TapRange taps_;
  const uint8_t* levels_ = nullptr;  // of the first kernel row on the map, if there is one
  size_t t_ = 0;
  TileRow tile_;
  int16_t* membranes_ = nullptr;
  std::optional<RowPotentials> potentials_;
  int32_t of_zero_[2 * kTileTargets];
  bool windows_summed_ = false;  // those that this tile reads
};

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_ROW_TILES_INL_H_
