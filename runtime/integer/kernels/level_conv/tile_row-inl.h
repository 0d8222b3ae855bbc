// The part that LevelConv sums at a time, and where its sums go.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_TILE_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_TILE_ROW_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_TILE_ROW_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_TILE_ROW_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "hwy/highway.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/neurons/potential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// What sums begin with unless they begin with something.
HWY_ALIGN constexpr int32_t kZeroSums[2 * kTileTargets] = {};

// One tile of targets over one row: where its levels are. Target column x at tap (ky, kx) reads the
// quads at
//
//     levels + ky * levels_pitch + kx * tap_pitch + x * position_pitch
struct TileRow {
  const uint8_t* levels = nullptr;  // of the first kernel row on the map
  size_t levels_pitch = 0;
  size_t tap_pitch = 0;
  size_t position_pitch = 0;
  size_t kernel_rows = 0;  // on the map
  size_t kernel_columns = 0;
  size_t quads = 0;
  size_t targets = 0;               // of the tile
  const uint16_t* runs[2][2] = {};  // of kTileTargets each, by plane: see LevelConv
  size_t lanes = 0;                 // of a target column
  bool slides = false;              // kSlidingTaps taps of a row, one column apart
  bool joins = false;               // what the membranes hold
  size_t planes = 1;
  size_t plane_size = 0;                      // weights from one plane to the next
  const RowPotentials* potentials = nullptr;  // null: the sums themselves are the result
  bool leaves_at_once = false;                // of `potentials`: see StoreFromRegisters()
  // The starting values of sums, by target of the tile.
  const int32_t* start = nullptr;
  // Of pixels, what sums begin with besides, likewise: see PixelStarts. Null: levels, not pixels.
  const int32_t* class_starts = nullptr;
  const uint32_t* column_classes = nullptr;
  size_t class_pitch = 0;
  const int32_t* weight_offsets = nullptr;  // likewise; null: none
  const int32_t* level_sums = nullptr;      // by column: the factors of the offsets
  // Where sums times scale go: [column][lane]. Null: sums go to membranes.
  float* floats = nullptr;
  bool sets_floats = false;  // else they are added
  const float* float_scale = nullptr;
  // Bytes to prefetch meanwhile, and how many per column and per quad. Null: none.
  const int8_t* ahead = nullptr;
  size_t ahead_of_column = 0;
  size_t ahead_of_quad = 0;

  // The same for targets from `target` on, except `potentials`.
  TileRow From(size_t target) const {
    TileRow from = *this;
    from.start += target;
    std::copy_n(runs[target / kTileTargets], 2, from.runs[0]);
    if (class_starts != nullptr) from.class_starts += target;
    if (weight_offsets != nullptr) from.weight_offsets += target;
    if (floats != nullptr) {
      from.floats += target;
      from.float_scale += target;
    }
    return from;
  }
  // Spreads a part of the `size` weights from `next` on over all columns and quads.
  void AskAhead(const WeightsAhead& asked, const int8_t* next, size_t size, size_t columns) {
    constexpr size_t kColumnsTogether = 8;  // roughly: weights not prefetched come when needed
    const size_t part = size / asked.parts;
    const size_t times = (columns + kColumnsTogether - 1) / kColumnsTogether;
    const size_t steps = std::max<size_t>(1, times * kernel_rows * kernel_columns * quads);
    ahead = next + asked.part * part;
    ahead_of_column = part / columns;
    ahead_of_quad = (part + steps - 1) / steps;
  }
  // Spreads levels, from `first` on, `pitch` bytes from one column to the next, over what the
  // kernel does for `columns` columns at a time: `steps` times a quad.
  void AskForLevels(const uint8_t* first, size_t pitch, size_t columns, size_t steps) {
    if (steps == 0) return;
    ahead = reinterpret_cast<const int8_t*>(first);
    ahead_of_column = pitch;
    ahead_of_quad = (columns * pitch + steps - 1) / steps;
  }
  // Whether sums have to be stored in another way than by the vectors that hold them.
  bool leaves_registers() const { return floats != nullptr || lanes < kTileTargets; }
  const int32_t* ClassStarts(size_t column) const {
    return class_starts + column_classes[column] * class_pitch;
  }
  int32_t Start(size_t target, size_t column) const {
    return start[target] + (class_starts != nullptr ? ClassStarts(column)[target] : 0) +
           (weight_offsets != nullptr ? weight_offsets[target] * level_sums[column] : 0);
  }
};

// Targets from `target` on of a tile, with their own potentials.
class PartOfTile {
 public:
  PartOfTile(const TileRow& tile, size_t target) : row_(tile.From(target)) {
    if (tile.potentials == nullptr) return;
    row_.potentials = &potentials_.emplace(*tile.potentials);
    potentials_->StartAt(target);
  }
  PartOfTile(const PartOfTile&) = delete;  // `row_` points into it
  PartOfTile& operator=(const PartOfTile&) = delete;

  const TileRow& row() const { return row_; }

 private:
  TileRow row_;
  std::optional<RowPotentials> potentials_;
};

// Hands on the sums of one column, `D` lanes at a time.
template <class D>
HWY_NOINLINE void FinishColumn(D d, const TileRow& row, size_t column, size_t targets,
                               const int32_t* HWY_RESTRICT sums, int16_t* HWY_RESTRICT membranes) {
  const hn::Rebind<float, D> df;
  const hn::Rebind<int16_t, D> d16;
  for (size_t i = 0; i < targets; i += hn::Lanes(d)) {
    const auto sum = hn::LoadU(d, sums + i);
    if (row.floats != nullptr) {
      BringToFloats(df, hn::ConvertTo(df, sum), row.float_scale + i, row.sets_floats,
                    row.floats + column * row.lanes + i);
      continue;
    }
    if (row.potentials != nullptr) {
      StoreNeurons(df, hn::ConvertTo(df, sum), *row.potentials, column, i, membranes + i);
      continue;
    }
    auto narrow = hn::DemoteTo(d16, sum);
    if (row.joins) narrow = hn::SaturatedAdd(hn::LoadU(d16, membranes + i), narrow);
    hn::StoreU(narrow, d16, membranes + i);
  }
}

HWY_INLINE void FinishColumn(const TileRow& row, size_t column, size_t targets, const int32_t* sums,
                             int16_t* membranes) {
  if (row.lanes < kTileTargets) {
    FinishColumn(hn::CappedTag<int32_t, 8>(), row, column, row.lanes, sums, membranes);
  } else {
    FinishColumn(hn::CappedTag<int32_t, kTileTargets>(), row, column, targets, sums, membranes);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_TILE_ROW_INL_H_
