// The neuron's equations (runtime/neuron/neuron.h) over all channels of all positions.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/float/fire.cc"
#include "format/geometry.h"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/assert.h"
#include "runtime/float/kernels.h"
#include "runtime/float/pool.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, ChannelBlocks::kChunk>;
using V = hn::Vec<FloatTag>;
using M = hn::Mask<FloatTag>;

// The three functions of neuron.h for a vector of neurons: the same names, the same operations in
// the same order.

HWY_INLINE V Integrate(FloatTag d, const NeuronParameters& p, V bias, V h) {
  return hn::Add(hn::Mul(hn::Set(d, p.beta), h), bias);
}

HWY_INLINE V Drive(FloatTag d, const NeuronParameters& p, V h, V g) {
  h = hn::Min(hn::Max(h, hn::Set(d, p.lowest)), hn::Set(d, p.highest));
  return hn::Sub(p.rectify ? hn::Max(h, hn::Zero(d)) : h, g);
}

struct Spikes {
  M up;
  M down;
};

HWY_INLINE Spikes Fire(FloatTag d, const NeuronParameters& p, float threshold, V h, V& g) {
  g = hn::Mul(g, hn::Set(d, p.beta));
  const V o = Drive(d, p, h, g);
  const V s = hn::Set(d, threshold);
  const V u = hn::Set(d, p.spike_weight);
  const M up = hn::Ge(o, s);
  const M down = p.negative_spikes ? hn::Le(o, hn::Neg(s)) : hn::FirstN(d, 0);
  g = hn::Add(g, hn::IfThenElseZero(up, u));
  g = hn::Sub(g, hn::IfThenElseZero(down, u));
  return {up, down};
}

void IntegrateAll(const Layer& layer, const ChannelBlocks& blocks, const float* bias,
                  const NeuronArrays& neurons) {
  const FloatTag d;
  const NeuronParameters p = layer.neuron;  // a copy that no store below can change
  const size_t lanes = hn::Lanes(d);
  const size_t stride = blocks.stride();
  const size_t positions = Positions(layer.potential);
  float* HWY_RESTRICT membranes = neurons.membranes;
  for (size_t position = 0; position < positions; ++position, membranes += stride) {
    for (size_t c = 0; c < stride; c += lanes) {
      const V b = bias != nullptr ? hn::Load(d, bias + c) : hn::Zero(d);
      hn::Store(Integrate(d, p, b, hn::Load(d, membranes + c)), d, membranes + c);
    }
  }
}

// The lanes of the vector at channel `c` that are channels. The others never fire: their contents
// belong to no neuron (and are NaN if a potential is infinite, since missing weights are stored as
// 0).
HWY_INLINE M ChannelLanes(FloatTag d, size_t channels, size_t c) {
  return hn::FirstN(d, c < channels ? std::min(channels - c, hn::Lanes(d)) : 0);
}

// Appends the channel numbers of the lanes set in `mask`, ascending; returns the new end. Without a
// loop over spikes, whose end would be mispredicted; up to EventFrame::kSlack numbers behind the
// new end are overwritten.
HWY_INLINE uint16_t* AppendChannels(FloatTag d, M mask, size_t first_channel, uint16_t* out) {
  const hn::Rebind<uint16_t, FloatTag> d16;
  static_assert(hn::MaxLanes(d16) <= EventFrame::kSlack);
  uint8_t bits[8] = {};
  hn::StoreMaskBits(d, mask, bits);
  const auto channels = hn::Iota(d16, static_cast<uint16_t>(first_channel));
  // Compressing into a register: into memory is slow on Zen 4.
  hn::StoreU(hn::CompressBits(channels, bits), d16, out);
  return out + hn::CountTrue(d, mask);
}

// The largest membrane of a pool, for each channel of the vector that begins at channel `c`:
//
//     membranes[(row * width + column) * stride + c]     row, column: the pool's members
HWY_INLINE V Largest(FloatTag d, const PoolMembers& members, const float* HWY_RESTRICT membranes,
                     size_t width, size_t stride, size_t c) {
  V largest = hn::Set(d, hwy::LowestValue<float>());
  for (size_t row = members.first_row; row < members.last_row; ++row) {
    for (size_t column = members.first_column; column < members.last_column; ++column) {
      const float* h = membranes + (row * width + column) * stride + c;
      largest = hn::Max(largest, hn::Load(d, h));
    }
  }
  return largest;
}

void FireAll(const Layer& layer, const ChannelBlocks& blocks, uint32_t index,
             const NeuronArrays& neurons, uint16_t* negative_scratch, EventFrame& events) {
  const FloatTag d;
  const float* HWY_RESTRICT membranes = neurons.membranes;
  float* HWY_RESTRICT sent = neurons.sent;
  const NeuronParameters p = layer.NeuronAt(index);  // a copy that no store below can change
  const float threshold = layer.thresholds[index];
  const size_t lanes = hn::Lanes(d);
  const size_t stride = blocks.stride();
  const size_t channels = layer.extent.channels();
  const size_t width = layer.potential.width();
  uint16_t* const begin = events.channels.data();
  uint16_t* out = begin;
  uint32_t* bounds = events.bounds.data();

  for (uint32_t y = 0; y < layer.extent.height(); ++y) {
    for (uint32_t x = 0; x < layer.extent.width(); ++x, sent += stride, bounds += 2) {
      const PoolMembers members = MembersOf(layer, y, x);
      uint16_t* negative = negative_scratch;
      for (size_t c = 0; c < stride; c += lanes) {
        const V h = Largest(d, members, membranes, width, stride, c);
        V g = hn::Load(d, sent + c);
        const Spikes spikes = Fire(d, p, threshold, h, g);
        hn::Store(g, d, sent + c);
        const M real = ChannelLanes(d, channels, c);
        out = AppendChannels(d, hn::And(spikes.up, real), c, out);
        if (p.negative_spikes) {
          negative = AppendChannels(d, hn::And(spikes.down, real), c, negative);
        }
      }
      bounds[1] = static_cast<uint32_t>(out - begin);
      out = std::copy(negative_scratch, negative, out);
      bounds[2] = static_cast<uint32_t>(out - begin);
    }
  }
  CSSRUN_ASSERT(static_cast<size_t>(out - begin) + EventFrame::kSlack <= events.channels.size());
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(IntegrateAll);
HWY_EXPORT(FireAll);

void IntegrateLayer(const Layer& layer, const ChannelBlocks& blocks, const float* bias,
                    const NeuronArrays& neurons) {
  CSSRUN_ASSERT(neurons.membranes != nullptr);
  CSSRUN_ASSERT(blocks.stride() >= layer.potential.channels());
  HWY_DYNAMIC_DISPATCH(IntegrateAll)(layer, blocks, bias, neurons);
}

void FireLayer(const Layer& layer, const ChannelBlocks& blocks, uint32_t index,
               const NeuronArrays& neurons, std::vector<uint16_t>& negative_scratch,
               EventFrame& events) {
  CSSRUN_ASSERT(neurons.membranes != nullptr && neurons.sent != nullptr);
  CSSRUN_ASSERT(blocks.stride() >= layer.extent.channels());
  CSSRUN_ASSERT(index < layer.thresholds.size());
  // Otherwise neurons at rest would fire.
  CSSRUN_ASSERT(layer.thresholds[index] > 0);
  CSSRUN_ASSERT(events.bounds.size() == 2 * Positions(layer.extent) + 1);
  negative_scratch.resize(blocks.stride() + EventFrame::kSlack);
  HWY_DYNAMIC_DISPATCH(FireAll)(layer, blocks, index, neurons, negative_scratch.data(), events);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
