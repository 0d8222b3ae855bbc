// Direct input: pixels reach the first layers by multiplication instead of by spikes.
//
// A layer's potential z is computed once per image. The layer then adds z / sb at each of the T
// input steps, as it adds a bias, where sb = beta^(T-1) + ... + 1; after the last step these shares
// have grown to z. Sums are taken in a fixed order (kernel row, kernel column, channel) without
// fused multiply-adds, so every machine computes the same bits.
//
// Threads: all functions may be called at the same time, on different outputs. Errors: laying out
// throws std::bad_alloc; nothing else fails, because the loader has checked the network.
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
#include "runtime/integer/layout/membrane_layout.h"

namespace cssrun::internal {

// The multiples that normalized pixels of a quantized model are rounded to, see docs/format.md.
struct PixelGrid {
  PixelGrid() = default;
  explicit PixelGrid(const format::Preprocessing& preprocessing);

  bool exists() const { return step > 0; }
  // How many steps a normalized pixel is: whole, from `lowest` to `highest`.
  double StepsOf(double normalized) const;

  double step = 0;
  double lowest = 0;
  double highest = 0;
};

// Translates pixels to what they add at each input step: (value - mean) / stddev / (theta sb),
// where theta is the amplitude of the image. A quantized model's pixels are rounded before.
class PixelScale {
 public:
  PixelScale() = default;
  explicit PixelScale(const format::Network& network);

  // Fills `values`, [row][column][channel] of `image`. `input` holds pixels of that size, in either
  // order, not spikes. Does not allocate.
  void Apply(const Input& input, const format::Extent& image, std::span<float> values) const;
  // The same for one row of an interleaved image, and no other values.
  void ApplyRow(const Input& input, const format::Extent& image, size_t row,
                std::span<float> values) const;

 private:
  float Scaled(float value, size_t channel) const;  // `value`: a pixel from 0 to 1

  std::vector<float> mean_, stddev_;  // by channel
  double scale_ = 1;
  PixelGrid grid_;
  std::vector<float> table_;  // the result for each 8-bit pixel, [channel][256]
};

// Floats in the widest vector: 512 bits.
constexpr uint32_t kDirectLanes = 16;

// Synapses from the image to one layer.
struct DirectSynapses {
  format::SynapseKind kind = format::SynapseKind::Convolution;
  format::Extent source;
  format::Extent seen;    // the view: the means over the source, or the source itself, spread out
  format::Extent target;  // the map of the target's membranes
  format::Window window;
  std::optional<format::Window> average;  // the window of the means; nothing: no means
  int32_t spread_y = 1;                   // view positions from one mean or pixel to the next
  int32_t spread_x = 1;
  uint32_t groups = 1;
  int32_t channel_offset = 0;
  // Convolution: [ky][kx][source channel of the group][target channel, rounded up to kDirectLanes].
  // Identity: the one weight.
  hwy::AlignedFreeUniquePtr<float[]> weights;
  uint64_t macs = 0;  // multiply-accumulates per image; padding does not count

  // Floats from one row of weights to the next: the target's channels, rounded up.
  size_t weight_stride() const {
    return (size_t{target.channels()} + kDirectLanes - 1) / kDirectLanes * kDirectLanes;
  }
};

// Lays out the synapses of a file, with their weights, for AddDirectRow(). `source` is the image,
// `target` the map of the target's membranes.
DirectSynapses LayOutDirect(const format::Synapses& synapses, std::span<const float> weights,
                            const format::Extent& source, const format::Extent& target);

// The image as these synapses see it, [row][column][channel] of `synapses.seen`: `values` itself,
// or its sums in the windows of the mean (the division is folded into the weights), or either with
// zeros in between. These are
// kept in `scratch`, which must live as long as the result is used.
std::span<const float> SeenImage(const DirectSynapses& synapses, std::span<const float> values,
                                 std::vector<float>& scratch);

// Adds what the target's row `row` receives at each input step to `potentials`:
//
//     potentials[column * stride + channel]     column < target.width(), channel < stride
//
// `seen` is what SeenImage() returned. `stride` is at least weight_stride(), because whole vectors
// are stored; the lanes beyond the channels get + 0. Does not allocate.
// Of the columns of the range alone.
void AddDirectRow(const DirectSynapses& synapses, std::span<const float> seen, uint32_t row,
                  size_t stride, float* potentials, const ColumnRange& columns = {});

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_DIRECT_INPUT_H_
