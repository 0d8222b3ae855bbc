// The picture that a stream works with: each pixel keeps its value in all channels until one of
// them changes by more than the hold.
#ifndef CSSRUN_RUNTIME_STREAM_KEPT_PICTURE_H_
#define CSSRUN_RUNTIME_STREAM_KEPT_PICTURE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cssrun/stream.h"
#include "network_generated.h"
#include "runtime/engine/input.h"
#include "runtime/position_bits.h"

namespace cssrun::internal {

class KeptPicture {
 public:
  // `hold`: in steps of 8-bit pixels.
  KeptPicture(const format::Extent& extent, unsigned hold);

  void Reset() { empty_ = true; }
  bool empty() const { return empty_; }

  // Takes the pixels of a frame, of the network's size, and sets changed(). If the frame before was
  // of the other kind, this is a first frame. Returns whether it is a first frame.
  bool Take(const Input& frame);
  // The same for a difference, whose addresses are in range. The picture must not be empty.
  void Take(std::span<const ChangedPixel> changes);

  // The picture, interleaved; `kind` is that of the last frame.
  Input input() const;
  // The positions whose pixels changed with the last frame, and how many numbers changed.
  const PositionBits& changed() const { return changed_; }
  uint64_t changed_numbers() const { return changed_numbers_; }

 private:
  template <class T>
  void TakeAll(std::span<const T> pixels, PixelOrder order, std::vector<T>& kept);
  template <class T>
  void TakeChanged(std::span<const T> pixels, PixelOrder order, std::vector<T>& kept);
  template <class T>
  bool Holds(T kept, T pixel) const;
  // Takes one pixel, whose channels are `channel_stride` apart.
  template <class T>
  void TakePixel(const T* pixel, size_t channel_stride, size_t row, size_t column, T* kept_row);

  format::Extent extent_;
  unsigned hold_ = 0;
  bool empty_ = true;
  InputKind kind_ = InputKind::kBytes;
  std::vector<uint8_t> bytes_;  // [row][column][channel]
  std::vector<float> values_;   // likewise; empty until there is a frame of floats
  PositionBits changed_;
  uint64_t changed_numbers_ = 0;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_KEPT_PICTURE_H_
