#include "runtime/stream/kept_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/stream/take_pixels.h"

namespace cssrun::internal {
namespace {

constexpr float kLargestPixel = 255.0F;
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
    // A float of pixel / 255 is compared like the 8-bit pixel.
    constexpr float kRounding = 1e-3F;
    if (hold_ == 0) return kept == pixel;
    return std::abs(kept - pixel) * kLargestPixel <= static_cast<float>(hold_) + kRounding;
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
  for (size_t row = 0; row < extent_.height(); ++row, to += row_size) {
    const T* from = pixels.data() + row * strides.row;
    if (order == PixelOrder::kInterleaved && std::memcmp(to, from, row_size * sizeof(T)) == 0) {
      continue;
    }
    if constexpr (std::is_same_v<T, uint8_t>) {
      if (order == PixelOrder::kInterleaved) {
        changed_numbers_ += TakePixels({from, to, extent_.width(), channels},
                                       static_cast<uint8_t>(hold_), changed_.Row(row));
        continue;
      }
    }
    for (size_t column = 0; column < extent_.width(); ++column) {
      TakePixel(from + column * strides.column, strides.channel, row, column, to);
    }
  }
}

template <class T>
void KeptPicture::TakePixel(const T* pixel, size_t channel_stride, size_t row, size_t column,
                            T* kept_row) {
  const size_t channels = extent_.channels();
  T* const kept = kept_row + column * channels;
  bool holds = true;
  for (size_t c = 0; c < channels; ++c) holds = holds && Holds(kept[c], pixel[c * channel_stride]);
  if (holds) return;
  changed_.Set(row, column);
  for (size_t c = 0; c < channels; ++c) {
    const T value = pixel[c * channel_stride];
    changed_numbers_ += kept[c] != value ? 1 : 0;
    kept[c] = value;
  }
}

bool KeptPicture::Take(const Input& frame) {
  CSSRUN_ASSERT(frame.kind != InputKind::kSpikes);
  CSSRUN_ASSERT((frame.kind == InputKind::kBytes ? frame.bytes.size() : frame.values.size()) ==
                bytes_.size());
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
  const auto column_of = [&](size_t position) { return position % extent_.width(); };
  const auto row_of = [&](size_t position) { return position / extent_.width(); };
  const auto for_each = [&](const auto& take) {
    for (const ChangedPixel& change : changes) {
      const size_t position = change.address % positions;
      const size_t at = position * channels + change.address / positions;
      CSSRUN_ASSERT(at < bytes_.size());
      if (kind_ == InputKind::kBytes) {
        take(position, bytes_[at], change.value);
      } else {
        take(position, values_[at], static_cast<float>(change.value) / kLargestPixel);
      }
    }
  };
  // A pixel beyond the hold in one channel is taken in all channels that are listed.
  for_each([&](size_t position, auto kept, auto value) {
    if (!Holds(kept, value)) changed_.Set(row_of(position), column_of(position));
  });
  for_each([&](size_t position, auto& kept, auto value) {
    if (kept == value || !changed_.Get(row_of(position), column_of(position))) return;
    kept = value;
    ++changed_numbers_;
  });
}

}  // namespace cssrun::internal
