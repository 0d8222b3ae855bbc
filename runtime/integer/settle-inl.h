// Neurons that have all of their input when the first spike leaves: beta = 2 and L >= T - 1.
//
// Then a train is nothing but the rounding of one number, z = (what came in) + (bias), to T signed
// digits, and all T spikes leave at once, with no membrane written in between. The sums of spikes
// are whole numbers, exact where weights are those of a quantized model; z is a float,
// so that biases, shortcuts and pixels need no rounding either. Networks of few steps need that:
// one neuron of a 3-bit ResNet-20 rounded otherwise changes three in the next layer, and after
// twenty layers a third of them. Digits are then those of z in settled units, rounded down to 16
// bits: thresholds are whole numbers of them, so that rounding moves no z across one. (A z that is
// a negative threshold to the last bit does not reach it.)
#if defined(CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/fire-inl.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/round-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Moves the largest of each pool's members, whose rows have been rounded, to the front of their
// first row.
template <class D>
HWY_NOINLINE void PoolRow(D d, const LayerStep& step, size_t first_row) {
  const IntegerLayer& layer = *step.layer;
  const size_t lanes = layer.layout.lanes;
  for (size_t block = 0; block < layer.layout.blocks; ++block) {
    int16_t* row = step.membranes + block * layer.block_lanes() + first_row * layer.row_lanes +
                   layer.guard_lanes;
    for (size_t column = 0; column < layer.spike_columns; ++column) {
      const int16_t* members = row + column * layer.pool_x.stride * lanes;
      for (size_t i = 0; i < lanes; i += hn::Lanes(d)) {
        auto top = hn::LoadU(d, members + i);
        for (size_t y = 0; y < layer.pool_y.members; ++y) {
          for (size_t x = 0; x < layer.pool_x.members; ++x) {
            top = hn::Max(top, hn::LoadU(d, members + y * layer.row_lanes + x * lanes + i));
          }
        }
        hn::StoreU(top, d, row + column * lanes + i);
      }
    }
  }
}

// All spikes of a row of rounded z: the greedy digits of 2^(T-1), ... 2, 1. With as many steps as
// the layer has, or `kSteps` that the compiler knows.
template <bool kRectify, uint32_t kSteps>
HWY_NOINLINE void WriteDigits(const LayerStep& step, size_t row, size_t spike_row) {
  const hn::CappedTag<int16_t, kChunkLanes> d;
  const hn::Rebind<int8_t, decltype(d)> d8;
  const IntegerLayer& layer = *step.layer;
  const SettledStep& settled = *step.settled;
  const uint32_t timesteps = kSteps > 0 ? kSteps : settled.timesteps;
  const size_t blocks = layer.layout.blocks;
  const size_t neurons = size_t{layer.spike_columns} * layer.layout.stride();
  const size_t chunks = (neurons + kChunkLanes - 1) / kChunkLanes;
  const size_t columns = chunks / blocks;
  int8_t* HWY_RESTRICT levels =
      settled.levels == nullptr ? nullptr : settled.levels->Row(spike_row);
  uint64_t* spikes[kMostSettledSteps];
  int16_t thresholds[kMostSettledSteps];
  int16_t lowest[kMostSettledSteps];  // nothing is below without negative spikes
  for (uint32_t k = 0; k < timesteps; ++k) {
    spikes[k] = settled.spikes[k]->Row(spike_row);
    thresholds[k] = layer.settled_thresholds[k];
    const int below = step.negative_spikes ? -thresholds[k] - 1 : INT16_MIN;
    lowest[k] = static_cast<int16_t>(below);
  }
  const int fraction = SettledFraction(timesteps);
  for (size_t block = 0; block < blocks; ++block) {
    const int16_t* HWY_RESTRICT rounded =
        step.membranes + block * layer.block_lanes() + row * layer.row_lanes + layer.guard_lanes;
    for (size_t column = 0; column < columns; ++column) {
      const size_t chunk = column * blocks + block;
      for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
        auto z = hn::LoadU(d, rounded + column * kChunkLanes + i);
        if constexpr (kRectify) z = hn::Max(z, hn::Zero(d));
        const auto all = z;
        for (uint32_t k = 0; k < timesteps; ++k) {
          const auto unit =
              hn::Set(d, static_cast<int16_t>(1U << (fraction + static_cast<int>(timesteps) - 1 -
                                                     static_cast<int>(k))));
          const auto up = hn::Gt(z, hn::Set(d, thresholds[k]));
          if (kRectify && k == 0) {  // nothing is sent that could be taken back
            WriteSpikes(d, up, hn::FirstN(d, 0), i, spikes[k] + chunk);
            z = hn::IfThenElse(up, hn::Sub(z, unit), z);
            continue;
          }
          const auto down = hn::Lt(z, hn::Set(d, lowest[k]));
          WriteSpikes(d, up, down, i, spikes[k] + chunk);
          z = hn::IfThenElse(up, hn::Sub(z, unit), z);
          z = hn::IfThenElse(down, hn::Add(z, unit), z);
        }
        if (levels == nullptr) continue;
        const auto sent = hn::ShiftRightSame(hn::Sub(all, z), fraction);
        hn::StoreU(hn::DemoteTo(d8, sent), d8, levels + chunk * kChunkLanes + i);
      }
    }
  }
  // Beyond the map's last neuron lies the guard, whose membranes mean nothing.
  if (neurons % kChunkLanes != 0) {
    const uint64_t exist = (uint64_t{1} << (neurons % kChunkLanes)) - 1;
    for (uint32_t k = 0; k < timesteps; ++k)
      spikes[k][chunks - 1] &= exist | (exist << kChunkLanes);
  }
  if (levels != nullptr) std::fill(levels + neurons, levels + chunks * kChunkLanes, int8_t{0});
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_SETTLE_INL_H_
