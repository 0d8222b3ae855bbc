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
// Looked at together: of most, nothing changed.
constexpr size_t kPixelsTogether = 16;

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

// Without branches, for vectors.
template <class T>
bool KeptPicture::HoldsAll(const T* kept, const T* pixels, size_t count) const {
  if constexpr (std::is_same_v<T, uint8_t>) {
    const auto hold = static_cast<uint8_t>(hold_);
    uint8_t beyond = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto difference =
          static_cast<uint8_t>(std::max(kept[i], pixels[i]) - std::min(kept[i], pixels[i]));
      beyond = static_cast<uint8_t>(beyond | (difference > hold ? 1 : 0));
    }
    return beyond == 0;
  } else {
    return false;
  }
}

template <class T>
void KeptPicture::TakeAll(std::span<const T> pixels, PixelOrder order, std::vector<T>& kept) {
  ForEachPixel(order, extent_, [&](size_t to, size_t from, size_t) { kept[to] = pixels[from]; });
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
    size_t end = 0;  // of the pixels that have been looked at together
    for (size_t column = 0; column < extent_.width(); ++column, to += channels) {
      if (order == PixelOrder::kInterleaved && column == end) {
        end = std::min<size_t>(column + kPixelsTogether, extent_.width());
        if (HoldsAll(to, from + column * channels, (end - column) * channels)) {
          to += (end - column - 1) * channels;
          column = end - 1;
          continue;
        }
      }
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
