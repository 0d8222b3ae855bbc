#include "runtime/stream/kept_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "format/geometry.h"
#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

constexpr float kLargestPixel = 255.0F;
// Interleaved bytes that are taken together, without branches.
constexpr size_t kBytesTogether = 64;

// Takes the bytes that are beyond the hold. Sets `beyond` of these to 1, of others to 0, and
// returns how many they are.
unsigned TakeBytes(uint8_t* kept, const uint8_t* pixels, size_t count, uint8_t hold,
                   uint8_t* beyond) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t difference =
        static_cast<uint8_t>(std::max(kept[i], pixels[i]) - std::min(kept[i], pixels[i]));
    beyond[i] = difference > hold ? 1 : 0;
    kept[i] = difference > hold ? pixels[i] : kept[i];
  }
  unsigned taken = 0;
  for (size_t i = 0; i < count; ++i) taken += beyond[i];
  return taken;
}

// Sets the bits of positions from `column` on of which some channel is beyond the hold.
void MarkPositions(const uint8_t* beyond, size_t column, size_t positions, size_t channels,
                   std::span<uint64_t> bits) {
  for (size_t i = 0; i < positions; ++i, ++column, beyond += channels) {
    uint8_t any = 0;
    for (size_t c = 0; c < channels; ++c) any |= beyond[c];
    bits[column / kPositionsOfWord] |= uint64_t{any} << column % kPositionsOfWord;
  }
}

}  // namespace

KeptPicture::KeptPicture(const format::Extent& extent, unsigned hold)
    : extent_(extent),
      hold_(hold),
      bytes_(Neurons(extent)),
      changed_(extent.height(), extent.width()) {}

Input KeptPicture::input() const {
  Input input;
  input.kind = kind_;
  if (kind_ == InputKind::kBytes) {
    input.bytes = bytes_;
  } else {
    input.values = values_;
  }
  return input;
}

template <class T>
bool KeptPicture::Holds(T kept, T pixel) const {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return static_cast<unsigned>(std::abs(int{kept} - int{pixel})) <= hold_;
  } else {
    // A float of pixel / 255 is held as the 8-bit pixel is.
    constexpr float kRounding = 1e-3F;
    if (hold_ == 0) return kept == pixel;
    return std::abs(kept - pixel) * kLargestPixel <= static_cast<float>(hold_) + kRounding;
  }
}

void KeptPicture::TakeRow(const uint8_t* pixels, size_t row, uint8_t* kept) {
  const size_t width = extent_.width();
  const size_t channels = extent_.channels();
  const size_t together = kBytesTogether / channels;
  uint8_t beyond[kBytesTogether];
  for (size_t column = 0; column < width; column += together) {
    const size_t positions = std::min(together, width - column);
    const size_t first = column * channels;
    const unsigned taken = TakeBytes(kept + first, pixels + first, positions * channels,
                                     static_cast<uint8_t>(hold_), beyond);
    if (taken == 0) continue;
    changed_numbers_ += taken;
    MarkPositions(beyond, column, positions, channels, changed_.Row(row));
  }
}

template <class T>
void KeptPicture::TakeAll(std::span<const T> pixels, PixelOrder order, std::vector<T>& kept) {
  if (order == PixelOrder::kInterleaved) {
    std::ranges::copy(pixels, kept.begin());
  } else {
    ForEachPixel(order, extent_, [&](size_t to, size_t from, size_t) { kept[to] = pixels[from]; });
  }
  changed_.SetAll();
  changed_numbers_ = kept.size();
}

template <class T>
void KeptPicture::TakeChanged(std::span<const T> pixels, PixelOrder order, std::vector<T>& kept) {
  const PixelStrides strides = PixelStrides::Of(order, extent_);
  const size_t channels = extent_.channels();
  const size_t row_size = size_t{extent_.width()} * channels;
  changed_.Clear();
  changed_numbers_ = 0;
  T* to = kept.data();
  for (size_t row = 0; row < extent_.height(); ++row) {
    const T* from = pixels.data() + row * strides.row;
    if (order == PixelOrder::kInterleaved && std::memcmp(to, from, row_size * sizeof(T)) == 0) {
      to += row_size;
      continue;
    }
    if constexpr (std::is_same_v<T, uint8_t>) {
      if (order == PixelOrder::kInterleaved && channels <= kBytesTogether) {
        TakeRow(from, row, to);
        to += row_size;
        continue;
      }
    }
    for (size_t column = 0; column < extent_.width(); ++column, to += channels) {
      const T* pixel = from + column * strides.column;
      unsigned changed = 0;
      for (size_t c = 0; c < channels; ++c) {
        const T value = pixel[c * strides.channel];
        if (Holds(to[c], value)) continue;
        to[c] = value;
        ++changed;
      }
      if (changed == 0) continue;
      changed_.Set(row, column);
      changed_numbers_ += changed;
    }
  }
}

bool KeptPicture::Take(const Input& frame) {
  CSSRUN_ASSERT(frame.kind != InputKind::kSpikes);
  const bool first = empty_ || kind_ != frame.kind;
  if (frame.kind == InputKind::kValues) values_.resize(bytes_.size());
  kind_ = frame.kind;
  empty_ = false;
  if (kind_ == InputKind::kBytes) {
    first ? TakeAll(frame.bytes, frame.order, bytes_)
          : TakeChanged(frame.bytes, frame.order, bytes_);
  } else {
    first ? TakeAll(frame.values, frame.order, values_)
          : TakeChanged(frame.values, frame.order, values_);
  }
  return first;
}

void KeptPicture::Take(std::span<const ChangedPixel> changes) {
  CSSRUN_ASSERT(!empty_);
  const size_t positions = Positions(extent_);
  const size_t channels = extent_.channels();
  changed_.Clear();
  changed_numbers_ = 0;
  for (const ChangedPixel& change : changes) {
    const size_t position = change.address % positions;
    const size_t at = position * channels + change.address / positions;
    CSSRUN_ASSERT(at < bytes_.size());
    if (kind_ == InputKind::kBytes) {
      if (Holds(bytes_[at], change.value)) continue;
      bytes_[at] = change.value;
    } else {
      const float value = static_cast<float>(change.value) / kLargestPixel;
      if (Holds(values_[at], value)) continue;
      values_[at] = value;
    }
    changed_.Set(position / extent_.width(), position % extent_.width());
    ++changed_numbers_;
  }
}

}  // namespace cssrun::internal
