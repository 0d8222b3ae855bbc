// A bit for each position of a map: which of them changed, were reached, or have to be computed
// anew.
#ifndef CSSRUN_RUNTIME_POSITION_BITS_H_
#define CSSRUN_RUNTIME_POSITION_BITS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/assert.h"

namespace cssrun::internal {

constexpr size_t kPositionsOfWord = 64;

// `count` ones from bit `first` of a word on; at least one, and they end within the word.
inline uint64_t OnesFrom(size_t first, size_t count) {
  CSSRUN_ASSERT(count > 0 && first + count <= kPositionsOfWord);
  return (~uint64_t{0} >> (kPositionsOfWord - count)) << first;
}

class PositionBits {
 public:
  PositionBits() = default;
  // All bits are 0. Throws std::bad_alloc.
  PositionBits(size_t rows, size_t columns)
      : rows_(rows),
        columns_(columns),
        words_per_row_((columns + kPositionsOfWord - 1) / kPositionsOfWord),
        words_(rows * words_per_row_) {}

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  // Words of consecutive rows follow each other.
  size_t words_per_row() const { return words_per_row_; }
  std::span<uint64_t> Row(size_t row) {
    CSSRUN_ASSERT(row < rows_);
    return std::span(words_).subspan(row * words_per_row_, words_per_row_);
  }
  std::span<const uint64_t> Row(size_t row) const {
    CSSRUN_ASSERT(row < rows_);
    return std::span(words_).subspan(row * words_per_row_, words_per_row_);
  }
  void Set(size_t row, size_t column) {
    Row(row)[column / kPositionsOfWord] |= uint64_t{1} << column % kPositionsOfWord;
  }
  // Sets columns [first, last).
  void SetRange(size_t row, size_t first, size_t last) {
    CSSRUN_ASSERT(last <= columns_);
    const std::span<uint64_t> words = Row(row);
    while (first < last) {
      const size_t bit = first % kPositionsOfWord;
      const size_t count = std::min(kPositionsOfWord - bit, last - first);
      words[first / kPositionsOfWord] |= OnesFrom(bit, count);
      first += count;
    }
  }
  bool Get(size_t row, size_t column) const {
    return (Row(row)[column / kPositionsOfWord] >> column % kPositionsOfWord & 1) != 0;
  }
  bool AnyInRow(size_t row) const {
    return std::ranges::any_of(Row(row), [](uint64_t word) { return word != 0; });
  }
  bool Any() const {
    return std::ranges::any_of(words_, [](uint64_t word) { return word != 0; });
  }
  void Clear() { std::ranges::fill(words_, 0); }
  void ClearRow(size_t row) { std::ranges::fill(Row(row), 0); }
  void SetRow(size_t row) { SetRange(row, 0, columns_); }
  void SetAll() {
    for (size_t row = 0; row < rows_; ++row) SetRow(row);
  }

 private:
  size_t rows_ = 0;
  size_t columns_ = 0;
  size_t words_per_row_ = 0;
  std::vector<uint64_t> words_;  // [row][word]; bits beyond the last column are 0
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_POSITION_BITS_H_
