#include "runtime/stream/touched.h"

#include <algorithm>
#include <bit>
#include <span>

#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

// If at least this percentage of a row is touched, the whole row is computed.
constexpr uint32_t kWholeRowPercent = 90;

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

// Word `at` of a row moved by `shift` columns, to higher ones where it is positive.
uint64_t Moved(std::span<const uint64_t> words, size_t at, int shift) {
  if (shift == 0) return words[at];
  if (shift > 0) {
    const uint64_t below = at > 0 ? words[at - 1] : 0;
    return words[at] << shift | below >> (static_cast<int>(kPositionsOfWord) - shift);
  }
  const uint64_t above = at + 1 < words.size() ? words[at + 1] : 0;
  return words[at] >> -shift | above << (static_cast<int>(kPositionsOfWord) + shift);
}

// The columns of a row that see the changes in a source row of as many columns.
void TouchShifted(const PositionBits& changed, size_t row, const Reach& reach,
                  PositionBits& touched) {
  const Interval rows = reach.rows[row];
  const std::span<const uint64_t> words = changed.Row(row);
  const size_t rest = touched.columns() % kPositionsOfWord;
  for (size_t at = 0; at < words.size(); ++at) {
    uint64_t seen = 0;
    for (int shift = -static_cast<int>(reach.left); shift <= static_cast<int>(reach.right);
         ++shift) {
      seen |= Moved(words, at, shift);
    }
    if (at + 1 == words.size() && rest != 0) seen &= (uint64_t{1} << rest) - 1;
    for (uint32_t y = rows.first; y < rows.last; ++y) touched.Row(y)[at] |= seen;
  }
}

// The same for any reach, by ranges of changed columns.
void TouchRanges(const PositionBits& changed, size_t row, const Reach& reach,
                 PositionBits& touched) {
  const Interval rows = reach.rows[row];
  const std::span<const uint64_t> words = changed.Row(row);
  size_t first = FindBit(words, 0, changed.columns(), true);
  while (first < changed.columns()) {
    const size_t last = FindBit(words, first, changed.columns(), false);
    const uint32_t from = reach.columns[first].first;
    const uint32_t to = reach.columns[last - 1].last;
    for (uint32_t y = rows.first; y < rows.last; ++y) touched.SetRange(y, from, to);
    first = FindBit(words, last, changed.columns(), true);
  }
}

}  // namespace

void Touch(const PositionBits& changed, const Reach& reach, PositionBits& touched) {
  CSSRUN_ASSERT(reach.rows.size() == changed.rows() && reach.columns.size() == changed.columns());
  for (size_t row = 0; row < changed.rows(); ++row) {
    const Interval rows = reach.rows[row];
    if (rows.first == rows.last || !changed.AnyInRow(row)) continue;
    reach.shifts ? TouchShifted(changed, row, reach, touched)
                 : TouchRanges(changed, row, reach, touched);
  }
}

TouchedRanges::TouchedRanges(size_t rows, size_t columns, const Rule& rule)
    : rows_(static_cast<uint32_t>(rows)), columns_(static_cast<uint32_t>(columns)), rule_(rule) {
  ranges_.ranges.reserve(rows * (columns / 2 + 1));
  ranges_.bounds.reserve(rows + 1);
}

// Appends the ranges of one row.
void TouchedRanges::SetRow(const PositionBits& touched, size_t row) {
  const std::span<const uint64_t> words = touched.Row(row);
  const size_t begin = ranges_.ranges.size();
  uint32_t covered = 0;
  size_t first = FindBit(words, 0, columns_, true);
  if (first == columns_) return;
  if (rule_.whole_rows) {
    ranges_.ranges.push_back({0, columns_});
    return;
  }
  while (first < columns_) {
    const size_t last = FindBit(words, first, columns_, false);
    ColumnRange range{static_cast<uint32_t>(first) / rule_.align * rule_.align,
                      (static_cast<uint32_t>(last) + rule_.align - 1) / rule_.align * rule_.align};
    range.last = std::min(range.last, columns_);
    CSSRUN_ASSERT(range.first < range.last);
    if (ranges_.ranges.size() > begin && range.first <= ranges_.ranges.back().last + rule_.gap) {
      covered += range.last - std::min(range.last, ranges_.ranges.back().last);
      ranges_.ranges.back().last = std::max(ranges_.ranges.back().last, range.last);
    } else {
      covered += range.last - range.first;
      ranges_.ranges.push_back(range);
    }
    first = FindBit(words, last, columns_, true);
  }
  if (uint64_t{covered} * 100 < uint64_t{columns_} * kWholeRowPercent) return;
  ranges_.ranges.resize(begin);
  ranges_.ranges.push_back({0, columns_});
}

uint64_t TouchedRanges::positions() const {
  uint64_t positions = 0;
  for (const ColumnRange& range : ranges_.ranges) positions += range.last - range.first;
  return positions;
}

bool TouchedRanges::Set(const PositionBits& touched) {
  CSSRUN_ASSERT(touched.rows() == rows_ && touched.columns() == columns_);
  ranges_.ranges.clear();
  ranges_.bounds.assign(1, 0);
  for (size_t row = 0; row < rows_; ++row) {
    SetRow(touched, row);
    ranges_.bounds.push_back(static_cast<uint32_t>(ranges_.ranges.size()));
  }
  return !ranges_.ranges.empty();
}

}  // namespace cssrun::internal
