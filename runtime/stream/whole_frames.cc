#include "runtime/stream/whole_frames.h"

#include <algorithm>
#include <bit>

namespace cssrun::internal {
namespace {

// Bytes of a word that are not 0.
size_t GroupsOf(uint64_t word) {
  constexpr uint64_t kLow = 0x7F7F7F7F7F7F7F7F;
  return static_cast<size_t>(std::popcount((((word & kLow) + kLow) | word) & ~kLow));
}

// Of all groups of 8 neighbouring positions of a row, the share with a position of `bits`.
double ShareOfGroups(const PositionBits& bits) {
  constexpr size_t kGroup = 8;
  size_t some = 0;
  for (size_t row = 0; row < bits.rows(); ++row) {
    for (const uint64_t word : bits.Row(row)) some += GroupsOf(word);
  }
  const size_t all = bits.rows() * ((bits.columns() + kGroup - 1) / kGroup);
  return all == 0 ? 0 : static_cast<double>(some) / static_cast<double>(all);
}

}  // namespace

bool WholeFrames::Takes(const PositionBits& changed) {
  const double share = ShareOfGroups(changed);
  class_ = share == 0 ? 0 : 1 + std::min(kShares - 1, static_cast<size_t>(share * kShares));
  Class& known = classes_[class_];
  return known.work >= kBreakEven && known.whole++ < kCompareAgain;
}

}  // namespace cssrun::internal
