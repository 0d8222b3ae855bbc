// Takes pixels, for every instruction set: see take_pixels.h.
#include "runtime/stream/take_pixels.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/assert.h"
#include "runtime/position_bits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/stream/take_pixels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/stream/mask_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Columns from `first` on, of any number of channels.
uint64_t TakeEach(const PixelRow& row, size_t first, uint8_t hold, uint64_t* positions) {
  uint64_t others = 0;
  for (size_t column = first; column < row.columns; ++column) {
    const uint8_t* pixel = row.pixels + column * row.channels;
    uint8_t* kept = row.kept + column * row.channels;
    bool beyond = false;
    for (size_t c = 0; c < row.channels; ++c) {
      beyond = beyond || std::abs(int{pixel[c]} - int{kept[c]}) > hold;
    }
    if (!beyond) continue;
    positions[column / kPositionsOfWord] |= uint64_t{1} << column % kPositionsOfWord;
    for (size_t c = 0; c < row.channels; ++c) {
      others += pixel[c] != kept[c] ? 1 : 0;
      kept[c] = pixel[c];
    }
  }
  return others;
}

using D8 = hn::CappedTag<uint8_t, kPositionsOfWord>;
using V8 = hn::Vec<D8>;

// A vector of columns for each channel.
template <size_t kChannels>
struct Columns {
  V8 of[kChannels];

  HWY_INLINE explicit Columns(const uint8_t* from) {
    if constexpr (kChannels == 3) {
      hn::LoadInterleaved3(D8(), from, of[0], of[1], of[2]);
    } else {
      of[0] = hn::LoadU(D8(), from);
    }
  }
  HWY_INLINE void Store(uint8_t* to) const {
    if constexpr (kChannels == 3) {
      hn::StoreInterleaved3(of[0], of[1], of[2], D8(), to);
    } else {
      hn::StoreU(of[0], D8(), to);
    }
  }
};

template <size_t kChannels>
uint64_t TakeColumns(const PixelRow& row, uint8_t hold, uint64_t* positions) {
  const D8 d;
  const size_t lanes = hn::Lanes(d);
  const auto largest = hn::Set(d, hold);
  uint64_t others = 0;
  size_t column = 0;
  for (; column + lanes <= row.columns; column += lanes) {
    const Columns<kChannels> now(row.pixels + column * kChannels);
    Columns<kChannels> kept(row.kept + column * kChannels);
    auto beyond = hn::Zero(d);
    HWY_UNROLL(3)
    for (size_t c = 0; c < kChannels; ++c) {
      const auto distance =
          hn::Or(hn::SaturatedSub(now.of[c], kept.of[c]), hn::SaturatedSub(kept.of[c], now.of[c]));
      beyond = hn::Or(beyond, hn::SaturatedSub(distance, largest));
    }
    const auto taken = hn::Ne(beyond, hn::Zero(d));
    const uint64_t bits = BitsOf(d, taken);
    if (bits == 0) continue;
    positions[column / kPositionsOfWord] |= bits << column % kPositionsOfWord;
    HWY_UNROLL(3)
    for (size_t c = 0; c < kChannels; ++c) {
      others += hn::CountTrue(d, hn::And(taken, hn::Ne(now.of[c], kept.of[c])));
      kept.of[c] = hn::IfThenElse(taken, now.of[c], kept.of[c]);
    }
    kept.Store(row.kept + column * kChannels);
  }
  return others + TakeEach(row, column, hold, positions);
}

uint64_t TakePixelsTarget(const PixelRow& row, uint8_t hold, uint64_t* positions) {
  switch (row.channels) {
    case 1:
      return TakeColumns<1>(row, hold, positions);
    case 3:
      return TakeColumns<3>(row, hold, positions);
    default:
      return TakeEach(row, 0, hold, positions);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(TakePixelsTarget);

uint64_t TakePixels(const PixelRow& row, uint8_t hold, std::span<uint64_t> positions) {
  CSSRUN_ASSERT(row.columns <= positions.size() * kPositionsOfWord);
  return HWY_DYNAMIC_DISPATCH(TakePixelsTarget)(row, hold, positions.data());
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
