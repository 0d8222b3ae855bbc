// The weights of one kernel in one of two widths, and how a weight becomes a whole number.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_WEIGHTS_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_WEIGHTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "hwy/aligned_allocator.h"
#include "runtime/aligned.h"
#include "runtime/rounding.h"

namespace cssrun::internal {

enum class WeightWidth : uint8_t {
  kNarrow,  // 8 bits in memory, weights up to 127
  kWide,    // 16 bits in memory, weights up to 1023
};

// The largest weight of each width. Wide weights have 11 bits only: then the sum of 32 of them fits
// 16 bits, and that of 256 narrow ones does, too.
constexpr int kLargestNarrowWeight = 127;
constexpr int kLargestWideWeight = 1023;

constexpr int LargestWeight(WeightWidth width) {
  return width == WeightWidth::kWide ? kLargestWideWeight : kLargestNarrowWeight;
}
constexpr size_t WeightBytes(WeightWidth width) {
  return width == WeightWidth::kWide ? sizeof(int16_t) : sizeof(int8_t);
}

// As what a weight is stored.
enum class WeightType : uint8_t { kInt8, kInt16, kFloat };

using NarrowWeights = hwy::AlignedFreeUniquePtr<int8_t[]>;
using WideWeights = hwy::AlignedFreeUniquePtr<int16_t[]>;
using Weights = std::variant<NarrowWeights, WideWeights>;

// All zeros. Throws std::bad_alloc.
inline Weights MakeWeights(WeightWidth width, size_t size) {
  const auto zeros = [size]<typename T>(T) {
    auto weights = AllocateAligned<T>(size);
    std::fill_n(weights.get(), size, T{0});
    return weights;
  };
  if (width == WeightWidth::kWide) return zeros(int16_t{});
  return zeros(int8_t{});
}

inline WeightWidth WidthOf(const Weights& weights) {
  return std::holds_alternative<WideWeights>(weights) ? WeightWidth::kWide : WeightWidth::kNarrow;
}

inline WeightType TypeOf(const Weights& weights) {
  return WidthOf(weights) == WeightWidth::kWide ? WeightType::kInt16 : WeightType::kInt8;
}

// The weights of one layer's synapses and the scale of each target channel, in units per amplitude.
struct ScaledWeights {
  const float* weights = nullptr;  // of a convolution: [target][source / groups][ky][kx]
  std::span<const double> scales;  // by target channel

  // A weight of channel `target` in whole units, rounded to nearest, halves to even.
  double Units(size_t target, size_t index) const {
    return RoundToWhole(static_cast<double>(weights[index]) * scales[target]);
  }
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_WEIGHTS_H_
