#include "runtime/stream/touched.h"

#include <algorithm>
#include <bit>
#include <span>

#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

// Ranges that are so near to each other are computed as one: beginning anew costs as much as a
// column or two.
constexpr uint32_t kLargestGap = 1;
// From this share of a row on, in percent, the row is computed whole.
constexpr uint32_t kWholeRowPercent = 90;

void SetBits(std::span<uint64_t> words, size_t first, size_t last) {
  for (size_t at = first; at < last;) {
    const size_t bit = at % kPositionsOfWord;
    const size_t count = std::min(kPositionsOfWord - bit, last - at);
    const uint64_t ones = count == kPositionsOfWord ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
    words[at / kPositionsOfWord] |= ones << bit;
    at += count;
  }
}

// The first position from `from` on whose bit is `set`; the number of positions if there is none.
size_t FindBit(std::span<const uint64_t> words, size_t from, size_t positions, bool set) {
  for (size_t at = from; at < positions;) {
    uint64_t word = words[at / kPositionsOfWord];
    if (!set) word = ~word;
    word >>= at % kPositionsOfWord;
    if (word != 0) return std::min(positions, at + static_cast<size_t>(std::countr_zero(word)));
    at += kPositionsOfWord - at % kPositionsOfWord;
  }
  return positions;
}

}  // namespace

void Touch(const PositionBits& changed, const Reach& reach, PositionBits& touched) {
  CSSRUN_ASSERT(reach.rows.size() == changed.rows() && reach.columns.size() == changed.columns());
  for (size_t row = 0; row < changed.rows(); ++row) {
    const Interval rows = reach.rows[row];
    if (rows.first == rows.last || !changed.AnyInRow(row)) continue;
    const std::span<const uint64_t> words = changed.Row(row);
    size_t first = FindBit(words, 0, changed.columns(), true);
    while (first < changed.columns()) {
      const size_t last = FindBit(words, first, changed.columns(), false);
      const uint32_t from = reach.columns[first].first;
      const uint32_t to = reach.columns[last - 1].last;
      for (uint32_t y = rows.first; y < rows.last; ++y) SetBits(touched.Row(y), from, to);
      first = FindBit(words, last, changed.columns(), true);
    }
  }
}

TouchedRanges::TouchedRanges(const MembraneLayout& membranes, const LayerPools& pools,
                             bool whole_rows, bool whole_lines)
    : rows_(pools.rows),
      columns_(pools.columns),
      membrane_rows_(membranes.rows),
      membrane_columns_(membranes.columns),
      stride_y_(pools.y.stride),
      stride_x_(pools.x.stride),
      members_y_(pools.y.members),
      members_x_(pools.x.members),
      align_(whole_lines ? membranes.lanes.positions() : 1),
      pooled_(pools.pooled()),
      whole_rows_(whole_rows) {
  const size_t most = columns_ / 2 + 1;
  sent_.ranges.reserve(rows_ * most);
  sent_.bounds.reserve(rows_ + size_t{1});
  if (!pooled_) return;
  membranes_.ranges.reserve(membrane_rows_ * most);
  membranes_.bounds.reserve(membrane_rows_ + size_t{1});
}

// Appends the ranges of one row.
void TouchedRanges::SetRow(const PositionBits& touched, size_t row) {
  const std::span<const uint64_t> words = touched.Row(row);
  const size_t begin = sent_.ranges.size();
  uint32_t covered = 0;
  size_t first = FindBit(words, 0, columns_, true);
  if (first == columns_) return;
  if (whole_rows_) {
    sent_.ranges.push_back({0, columns_});
    return;
  }
  while (first < columns_) {
    const size_t last = FindBit(words, first, columns_, false);
    ColumnRange range{static_cast<uint32_t>(first) / align_ * align_,
                      (static_cast<uint32_t>(last) + align_ - 1) / align_ * align_};
    range.last = std::min(range.last, columns_);
    if (sent_.ranges.size() > begin && range.first <= sent_.ranges.back().last + kLargestGap) {
      covered += range.last - std::min(range.last, sent_.ranges.back().last);
      sent_.ranges.back().last = std::max(sent_.ranges.back().last, range.last);
    } else {
      covered += range.last - range.first;
      sent_.ranges.push_back(range);
    }
    first = FindBit(words, last, columns_, true);
  }
  if (uint64_t{covered} * 100 < uint64_t{columns_} * kWholeRowPercent) return;
  sent_.ranges.resize(begin);
  sent_.ranges.push_back({0, columns_});
}

uint64_t TouchedRanges::positions() const {
  uint64_t positions = 0;
  for (const ColumnRange& range : sent_.ranges) positions += range.last - range.first;
  return positions;
}

bool TouchedRanges::Set(const PositionBits& touched) {
  sent_.ranges.clear();
  sent_.bounds.assign(1, 0);
  for (size_t row = 0; row < rows_; ++row) {
    SetRow(touched, row);
    sent_.bounds.push_back(static_cast<uint32_t>(sent_.ranges.size()));
  }
  if (!pooled_ || sent_.ranges.empty()) return !sent_.ranges.empty();
  membranes_.ranges.clear();
  membranes_.bounds.assign(1, 0);
  for (uint32_t row = 0; row < membrane_rows_; ++row) {
    const uint32_t pool = row / stride_y_;
    if (pool < rows_ && row % stride_y_ < members_y_) {
      for (const ColumnRange& range : sent_.Of(pool)) {
        membranes_.ranges.push_back(
            {range.first * stride_x_,
             std::min(membrane_columns_, (range.last - 1) * stride_x_ + members_x_)});
      }
    }
    membranes_.bounds.push_back(static_cast<uint32_t>(membranes_.ranges.size()));
  }
  return true;
}

}  // namespace cssrun::internal
