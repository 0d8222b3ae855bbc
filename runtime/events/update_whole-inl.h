// Neurons whose potentials are whole numbers; see WholeNeurons. The same numbers as in double
// precision, without its conversions, and twice as many in a vector.
#if defined(CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
#undef CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
#else
#define CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
#endif

#include <algorithm>
#include <cstdlib>

#include "hwy/highway.h"
#include "runtime/events/event_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FewInts = hn::CappedTag<int32_t, 8>;  // what a position of few channels fills
using IntVector = hn::Vec<FewInts>;
using IntMask = hn::Mask<FewInts>;

// The position that is brought up to date, and what was seen on the way.
struct WholeRun {
  uint32_t position = 0;
  size_t parameters = 0;  // where its numbers begin
  size_t at = 0;          // where its neurons begin
  bool again = false;     // some neuron of it fires at the next step, too
  bool outside = false;   // some potential so far has left the range of WholeNeurons
};

// Appends `numbers` of the neurons in `fires`, without a branch for each.
HWY_INLINE void SendWhole(uint32_t position, size_t lane, IntMask fires, IntVector numbers,
                          SpikeList& spikes) {
  const FewInts d;
  const hn::RebindToUnsigned<FewInts> unsigned_d;
  const auto channels = hn::Iota(d, static_cast<int32_t>(lane));
  hn::StoreU(hn::Set(unsigned_d, position), unsigned_d, spikes.positions.data() + spikes.size);
  hn::StoreU(hn::BitCast(unsigned_d, hn::Compress(channels, fires)), unsigned_d,
             spikes.channels.data() + spikes.size);
  hn::StoreU(hn::Compress(numbers, fires), d, spikes.numbers.data() + spikes.size);
  spikes.size += hn::CountTrue(d, fires);
}

// Spikes and resets of the neurons in `fires`; returns the potentials after them.
HWY_INLINE IntVector FireWhole(const SpikingLayer& layer, size_t lane, IntVector v, IntMask fires,
                               IntVector highest, EventState& state, WholeRun& run) {
  const FewInts d;
  const WholeNeurons& whole = *layer.whole;
  const size_t p = run.parameters + lane;
  const IntVector one = hn::Set(d, 1);
  IntVector numbers = one;
  if (layer.subtracts) {
    const IntVector threshold = hn::Load(d, whole.threshold.get() + p);
    v = hn::Sub(v, hn::IfThenElseZero(fires, threshold));
    IntMask more = hn::Gt(v, highest);
    if (layer.several && !hn::AllFalse(d, more)) {
      // Most neurons that fire send one spike, few more than two.
      for (size_t k = 0; k < 3 && !hn::AllFalse(d, more); ++k) {
        numbers = hn::Add(numbers, hn::IfThenElseZero(more, one));
        v = hn::Sub(v, hn::IfThenElseZero(more, threshold));
        more = hn::Gt(v, highest);
      }
      if (!hn::AllFalse(d, more)) {
        HWY_ALIGN int32_t left[HWY_MAX_BYTES / sizeof(int32_t)];
        HWY_ALIGN int32_t sent[HWY_MAX_BYTES / sizeof(int32_t)];
        hn::Store(v, d, left);
        hn::Store(numbers, d, sent);
        for (size_t i = 0; i < hn::Lanes(d); ++i) {
          if (left[i] <= whole.highest[p + i]) continue;
          sent[i] += left[i] / whole.threshold[p + i];
          left[i] %= whole.threshold[p + i];
        }
        v = hn::Load(d, left);
        numbers = hn::Load(d, sent);
      }
    } else {
      run.again |= !hn::AllFalse(d, more);
    }
  } else {
    v = hn::IfThenElse(fires, hn::Load(d, whole.reset_value.get() + p), v);
  }
  SendWhole(run.position, lane, fires, numbers, state.spikes);
  return v;
}

// One vector of neurons; see event_kernels.h. `lane` is a multiple of the vector's lanes.
HWY_INLINE void UpdateWholeVector(const SpikingLayer& layer, size_t lane, EventState& state,
                                  WholeRun& run) {
  const FewInts d;
  const WholeNeurons& whole = *layer.whole;
  const size_t p = run.parameters + lane;
  const size_t i = run.at + lane;
  IntVector v = hn::Load(d, state.whole_potentials.get() + i);
  v = hn::Add(v, hn::Load(d, state.sums.get() + i));
  v = hn::Add(v, hn::Load(d, whole.drive.get() + p));
  hn::Store(hn::Zero(d), d, state.sums.get() + i);
  const IntVector highest = hn::Load(d, whole.highest.get() + p);
  const IntMask fires = hn::Gt(v, highest);
  if (!hn::AllFalse(d, fires)) v = FireWhole(layer, lane, v, fires, highest, state, run);
  v = hn::Max(v, hn::Load(d, whole.floor.get() + p));
  hn::Store(v, d, state.whole_potentials.get() + i);
  const IntVector largest = hn::Set(d, whole.largest_potential);
  run.outside |= !hn::AllFalse(d, hn::Gt(hn::Abs(v), largest));
}

// One neuron, for positions of fewer neurons than a vector has lanes.
HWY_INLINE void UpdateWholeNeuron(const SpikingLayer& layer, size_t lane, EventState& state,
                                  WholeRun& run) {
  const WholeNeurons& whole = *layer.whole;
  const size_t p = run.parameters + lane;
  const size_t i = run.at + lane;
  int32_t v = state.whole_potentials[i] + state.sums[i] + whole.drive[p];
  state.sums[i] = 0;
  if (v > whole.highest[p]) {
    const int32_t number = layer.several ? v / whole.threshold[p] : 1;
    v = layer.subtracts ? v - number * whole.threshold[p] : whole.reset_value[p];
    run.again |= v > whole.highest[p];
    SpikeList& spikes = state.spikes;
    spikes.positions[spikes.size] = run.position;
    spikes.channels[spikes.size] = static_cast<uint32_t>(lane);
    spikes.numbers[spikes.size] = number;
    ++spikes.size;
  }
  v = std::max(v, whole.floor[p]);
  state.whole_potentials[i] = v;
  run.outside |= std::abs(v) > whole.largest_potential;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
