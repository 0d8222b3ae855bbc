// Decay and firing: the neuron equation over all channels of all positions.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/float/fire.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/float/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, ChannelBlocks::kChunk>;

void DecayLayer(const ChannelBlocks& blocks, size_t positions, float beta, const float* bias,
                float* HWY_RESTRICT membranes) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, beta);
  const size_t stride = blocks.stride();
  for (size_t position = 0; position < positions; ++position, membranes += stride) {
    for (size_t c = 0; c < stride; c += lanes) {
      auto h = hn::Mul(factor, hn::Load(d, membranes + c));
      if (bias != nullptr) h = hn::Add(h, hn::Load(d, bias + c));
      hn::Store(h, d, membranes + c);
    }
  }
}

// The set lanes of `mask` as channel numbers, ascending.
template <class M>
HWY_INLINE uint16_t* AppendChannels(FloatTag d, M mask, size_t first_channel, uint16_t* out) {
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(d, mask, bytes);
  uint32_t bits = bytes[0] | (static_cast<uint32_t>(bytes[1]) << 8);
  for (; bits != 0; bits &= bits - 1) {
    const auto lane = static_cast<size_t>(hwy::Num0BitsBelowLS1Bit_Nonzero32(bits));
    *out++ = static_cast<uint16_t>(first_channel + lane);
  }
  return out;
}

// The membranes that one neuron fires from: a rectangle of one, or of the pool's members.
struct Members {
  size_t first_row;
  size_t last_row;
  size_t first_column;
  size_t last_column;
};

Members MembersOf(const Layer& layer, uint32_t y, uint32_t x) {
  if (!layer.pool.has_value()) return {y, y + size_t{1}, x, x + size_t{1}};
  const format::Window& pool = *layer.pool;
  const int64_t top = int64_t{y} * pool.stride_y() - pool.pad_top();
  const int64_t left = int64_t{x} * pool.stride_x() - pool.pad_left();
  const auto clip = [](int64_t value, uint32_t size) {
    return static_cast<size_t>(std::clamp<int64_t>(value, 0, size));
  };
  return {
      clip(top, layer.potential.height()), clip(top + pool.kernel_y(), layer.potential.height()),
      clip(left, layer.potential.width()), clip(left + pool.kernel_x(), layer.potential.width())};
}

void FireLayer(const Layer& layer, const ChannelBlocks& blocks, uint32_t index, float beta,
               float spike_weight, bool negative_spikes, const float* HWY_RESTRICT membranes,
               float* HWY_RESTRICT sent, uint16_t* negative_scratch, EventFrame& events) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d);
  const auto factor = hn::Set(d, beta);
  const auto weight = hn::Set(d, spike_weight);
  const auto threshold = hn::Set(d, layer.thresholds[index]);
  const auto negative_threshold = hn::Neg(threshold);
  const size_t stride = blocks.stride();
  const size_t row_stride = layer.potential.width() * stride;
  uint16_t* const begin = events.channels.data();
  uint16_t* out = begin;
  uint32_t* bounds = events.bounds.data();

  for (uint32_t y = 0; y < layer.extent.height(); ++y) {
    for (uint32_t x = 0; x < layer.extent.width(); ++x, sent += stride, bounds += 2) {
      const Members members = MembersOf(layer, y, x);
      uint16_t* negative = negative_scratch;
      for (size_t c = 0; c < stride; c += lanes) {
        auto top = hn::Set(d, hwy::LowestValue<float>());
        for (size_t row = members.first_row; row < members.last_row; ++row) {
          for (size_t column = members.first_column; column < members.last_column; ++column) {
            top = hn::Max(top, hn::Load(d, membranes + row * row_stride + column * stride + c));
          }
        }
        if (layer.rectify) top = hn::Max(top, zero);
        auto g = hn::Mul(factor, hn::Load(d, sent + c));
        const auto o = hn::Sub(top, g);
        const auto up = hn::Ge(o, threshold);
        g = hn::Add(g, hn::IfThenElseZero(up, weight));
        out = AppendChannels(d, up, c, out);
        if (negative_spikes) {
          const auto down = hn::Le(o, negative_threshold);
          g = hn::Sub(g, hn::IfThenElseZero(down, weight));
          negative = AppendChannels(d, down, c, negative);
        }
        hn::Store(g, d, sent + c);
      }
      bounds[1] = static_cast<uint32_t>(out - begin);
      out = std::copy(negative_scratch, negative, out);
      bounds[2] = static_cast<uint32_t>(out - begin);
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(DecayLayer);
HWY_EXPORT(FireLayer);

void Decay(const ChannelBlocks& blocks, size_t positions, float beta, const float* bias,
           float* membranes) {
  HWY_DYNAMIC_DISPATCH(DecayLayer)(blocks, positions, beta, bias, membranes);
}

void Fire(const Layer& layer, const ChannelBlocks& blocks, uint32_t index, float beta,
          float spike_weight, bool negative_spikes, const float* membranes, float* sent,
          std::vector<uint16_t>& negative_scratch, EventFrame& events) {
  negative_scratch.resize(blocks.stride());
  HWY_DYNAMIC_DISPATCH(FireLayer)
  (layer, blocks, index, beta, spike_weight, negative_spikes, membranes, sent,
   negative_scratch.data(), events);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
