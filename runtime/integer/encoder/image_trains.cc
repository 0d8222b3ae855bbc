#include "runtime/integer/encoder/image_trains.h"

#include <algorithm>

#include "format/geometry.h"
#include "runtime/integer/encoder/encoder.h"
#include "runtime/neuron/pixel_code.h"

namespace cssrun::internal {
namespace {

constexpr uint32_t kTrainBits = 16;  // of a mask

}  // namespace

ImageTrains::ImageTrains(const LoadedNetwork& network)
    : network_(network),
      row_size_(RoundUpToLines(size_t{network.layers.front().extent.width()} *
                               network.integers().layouts.front().stride())),
      positive_(row_size_ * network.layers.front().extent.height()),
      negative_(positive_.size()) {}

void ImageTrains::Encode(const Input& image, uint32_t index, SpikeFrame& spikes) {
  const uint32_t bit = index % kTrainBits;
  if (bit == 0 && image.kind == InputKind::kBytes) LookUp(image, index);
  if (bit == 0 && image.kind == InputKind::kValues) Compute(image, index);
  for (size_t row = 0; row < spikes.rows(); ++row) {
    EncodeRow(&positive_[row * row_size_], &negative_[row * row_size_], row_size_, bit, row,
              spikes);
  }
}

void ImageTrains::LookUp(const Input& image, uint32_t first_index) {
  const format::Extent& extent = network_.layers.front().extent;
  const IntegerNetwork& integers = network_.integers();
  const size_t channels = extent.channels();
  const PixelStrides strides = PixelStrides::Of(image.order, extent);
  const size_t stride = integers.layouts.front().stride();
  const uint64_t* positive = integers.encoder.positive.data();
  const uint64_t* negative = integers.encoder.negative.data();
  for (size_t row = 0; row < extent.height(); ++row) {
    const uint8_t* pixel = image.bytes.data() + row * strides.row;
    size_t lane = row * row_size_;
    for (size_t column = 0; column < extent.width(); ++column, lane += stride) {
      for (size_t c = 0; c < channels; ++c) {
        const size_t entry = c * 256 + pixel[column * strides.column + c * strides.channel];
        positive_[lane + c] = static_cast<uint16_t>(positive[entry] >> first_index);
        negative_[lane + c] = static_cast<uint16_t>(negative[entry] >> first_index);
      }
    }
  }
}

void ImageTrains::Compute(const Input& image, uint32_t first_index) {
  const Layer& encoder = network_.layers.front();
  const size_t channels = encoder.extent.channels();
  const size_t stride = network_.integers().layouts.front().stride();
  if (first_index == 0) {
    const InputFormat& format = network_.input;
    const double scale = EncoderScale(encoder.amplitude, network_.beta, network_.timesteps);
    potentials_.resize(Neurons(encoder.extent));
    ForEachPixel(image.order, encoder.extent, [&](size_t i, size_t at, size_t c) {
      potentials_[i] = StartingPotential(image.values[at], format.mean[c], format.stddev[c], scale);
    });
  }
  const uint32_t bits = std::min(kTrainBits, network_.timesteps - first_index);
  float* potential = potentials_.data();
  for (size_t row = 0; row < encoder.extent.height(); ++row) {
    size_t lane = row * row_size_;
    for (size_t column = 0; column < encoder.extent.width(); ++column, lane += stride) {
      for (size_t c = 0; c < channels; ++c, ++potential) {
        uint32_t positive = 0;
        uint32_t negative = 0;
        for (uint32_t bit = 0; bit < bits; ++bit) {
          const int spike =
              EncodeStep(network_.beta, encoder.thresholds[first_index + bit], *potential);
          positive |= static_cast<uint32_t>(spike > 0) << bit;
          negative |= static_cast<uint32_t>(spike < 0) << bit;
        }
        positive_[lane + c] = static_cast<uint16_t>(positive);
        negative_[lane + c] = static_cast<uint16_t>(negative);
      }
    }
  }
}

}  // namespace cssrun::internal
