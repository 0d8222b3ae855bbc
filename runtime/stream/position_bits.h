// A bit for each position of a map: which of them changed, or have to be computed anew.
#ifndef CSSRUN_RUNTIME_STREAM_POSITION_BITS_H_
#define CSSRUN_RUNTIME_STREAM_POSITION_BITS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/assert.h"

namespace cssrun::internal {

constexpr size_t kPositionsOfWord = 64;

class PositionBits {
 public:
  PositionBits() = default;
  PositionBits(size_t rows, size_t columns)
      : rows_(rows),
        columns_(columns),
        words_per_row_((columns + kPositionsOfWord - 1) / kPositionsOfWord),
        words_(rows * words_per_row_) {}

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
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
  bool Get(size_t row, size_t column) const {
    return (Row(row)[column / kPositionsOfWord] >> column % kPositionsOfWord & 1) != 0;
  }
  bool AnyInRow(size_t row) const {
    return std::ranges::any_of(Row(row), [](uint64_t word) { return word != 0; });
  }
  void Clear() { std::ranges::fill(words_, 0); }
  void ClearRow(size_t row) { std::ranges::fill(Row(row), 0); }
  void SetRow(size_t row) {
    const std::span<uint64_t> words = Row(row);
    std::ranges::fill(words, ~uint64_t{0});
    if (const size_t rest = columns_ % kPositionsOfWord; rest != 0) {
      words.back() = (uint64_t{1} << rest) - 1;
    }
  }
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

#endif  // CSSRUN_RUNTIME_STREAM_POSITION_BITS_H_
