// Direct input: pixels reach the first layers by multiplication instead of by spikes.
//
// A layer's potentials z are computed once an image and added as z / sb at each of the T input
// steps, like a bias, so that after the last step z has come in. Sums are taken in a fixed order
// (kernel row, kernel column, channel) without fused multiply-adds: the same bits everywhere.
#ifndef CSSRUN_RUNTIME_DIRECT_INPUT_H_
#define CSSRUN_RUNTIME_DIRECT_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "network_generated.h"
#include "runtime/engine/input.h"

namespace cssrun::internal {

// What a pixel adds to potentials at each step, in amplitudes of the image: by channel and value.
class PixelScale {
 public:
  PixelScale() = default;
  explicit PixelScale(const format::Network& network);

  // `values`: [row][column][channel]. `input` holds pixels, not spikes.
  void Apply(const Input& input, const format::Extent& image, std::span<float> values) const;

 private:
  float Scaled(float value, size_t channel) const;  // of 0 to 1

  std::vector<float> mean_, stddev_;  // by channel
  double scale_ = 1;
  std::vector<float> table_;  // of 8-bit pixels, [channel][256]
};

// The width of the widest vector of floats.
constexpr uint32_t kDirectLanes = 16;

// Synapses from the image to one layer.
struct DirectSynapses {
  format::SynapseKind kind = format::SynapseKind::Convolution;
  format::Extent source;
  format::Extent seen;    // after the mean
  format::Extent target;  // of the target's membranes
  format::Window window;
  std::optional<format::Window> average;
  uint32_t groups = 1;
  int32_t channel_offset = 0;
  // Convolution: [ky][kx][source channel of the group][target channel, rounded up to kDirectLanes].
  // Identity: the one weight.
  hwy::AlignedFreeUniquePtr<float[]> weights;
  uint64_t macs = 0;  // an image; borders count only what exists

  size_t weight_stride() const {
    return (size_t{target.channels()} + kDirectLanes - 1) / kDirectLanes * kDirectLanes;
  }
};

DirectSynapses LayOutDirect(const format::Synapses& synapses, const format::Extent& source,
                            const format::Extent& target);

// The image as these synapses see it: `values` themselves, or their sums in the mean's windows, for
// which `scratch` makes room.
std::span<const float> SeenImage(const DirectSynapses& synapses, std::span<const float> values,
                                 std::vector<float>& scratch);

// Adds what row `row` of the target's map gets at each step to `potentials`, [column][stride]; the
// stride holds the channels rounded up to kDirectLanes.
void AddDirectRow(const DirectSynapses& synapses, std::span<const float> seen, uint32_t row,
                  size_t stride, float* potentials);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_DIRECT_INPUT_H_
