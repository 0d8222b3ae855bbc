// The spike trains of one image's pixels: see encoder.h.
#ifndef CSSRUN_RUNTIME_INTEGER_ENCODER_IMAGE_TRAINS_H_
#define CSSRUN_RUNTIME_INTEGER_ENCODER_IMAGE_TRAINS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/engine/input.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Sixteen steps of every pixel's train are kept at a time, as masks. Allocates on construction, and
// the first time that it is given floats.
class ImageTrains {
 public:
  // `network` must be laid out in integers, code its pixels in spikes, and outlive this.
  explicit ImageTrains(const LoadedNetwork& network);

  // Writes the spikes of `index` of an image. Indices of an image come in order, from 0.
  void Encode(const Input& image, uint32_t index, SpikeFrame& spikes);

 private:
  void LookUp(const Input& image, uint32_t first_index);
  void Compute(const Input& image, uint32_t first_index);

  const LoadedNetwork& network_;
  size_t row_size_ = 0;             // lanes of a row, whole words
  std::vector<uint16_t> positive_;  // [row][column][lane]; bit i: index first_index + i
  std::vector<uint16_t> negative_;
  std::vector<float> potentials_;  // of an image of floats: the encoder's, [row][column][channel]
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_ENCODER_IMAGE_TRAINS_H_
