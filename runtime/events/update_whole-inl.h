// Neurons whose potentials are whole numbers; see WholeNeurons. The same numbers as in double
// precision, without its conversions, and twice as many in a vector.
#if defined(CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
#undef CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
#else
#define CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "runtime/events/event_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// What the update of a layer needs. Copies, which stay in registers: vectors that are stored might
// be any of the originals.
struct WholeRun {
  WholeRun(const SpikingLayer& layer, EventState& state)
      : potentials(state.whole_potentials.get()),
        sums(state.sums.get()),
        drive(layer.whole->drive.get()),
        highest(layer.whole->highest.get()),
        threshold(layer.whole->threshold.get()),
        reset_value(layer.whole->reset_value.get()),
        floor(layer.whole->floor.get()),
        positions(state.spikes.positions.data()),
        channels(state.spikes.channels.data()),
        numbers(state.spikes.numbers.data()),
        sent(state.spikes.size),
        lanes(layer.lanes),
        pitch(layer.pitch),
        largest(layer.whole->largest_potential),
        bounded(layer.whole->bounded),
        several(layer.several),
        subtracts(layer.subtracts) {}

  int32_t* potentials;
  int32_t* sums;
  const int32_t* drive;
  const int32_t* highest;
  const int32_t* threshold;
  const int32_t* reset_value;
  const int32_t* floor;
  uint32_t* positions;
  uint32_t* channels;
  int32_t* numbers;
  size_t sent;  // spikes so far
  size_t lanes;
  size_t pitch;
  int32_t largest;
  bool bounded;
  bool several;
  bool subtracts;
  bool outside = false;  // some potential has left the range of WholeNeurons
};

// Appends `numbers` of the neurons in `fires`, without a branch for each.
template <class D>
HWY_INLINE void SendWhole(D d, uint32_t position, size_t lane, hn::Mask<D> fires,
                          hn::Vec<D> numbers, WholeRun& run) {
  const hn::RebindToUnsigned<D> u;
  // Of Iota(d, lane) compilers make a store for each lane.
  const auto channels = hn::Add(hn::Iota(d, 0), hn::Set(d, static_cast<int32_t>(lane)));
  hn::StoreU(hn::Set(u, position), u, run.positions + run.sent);
  hn::StoreU(hn::BitCast(u, hn::Compress(channels, fires)), u, run.channels + run.sent);
  hn::StoreU(hn::Compress(numbers, fires), d, run.numbers + run.sent);
  run.sent += hn::CountTrue(d, fires);
}

// Takes off the thresholds of neurons that send more than a few spikes at this step.
template <class D>
HWY_INLINE void SendMany(D d, size_t p, const WholeRun& run, hn::Vec<D>& v, hn::Vec<D>& numbers) {
  HWY_ALIGN int32_t left[HWY_MAX_BYTES / sizeof(int32_t)];
  HWY_ALIGN int32_t sent[HWY_MAX_BYTES / sizeof(int32_t)];
  hn::Store(v, d, left);
  hn::Store(numbers, d, sent);
  for (size_t i = 0; i < hn::Lanes(d); ++i) {
    if (left[i] <= run.highest[p + i]) continue;
    sent[i] += left[i] / run.threshold[p + i];
    left[i] %= run.threshold[p + i];
  }
  v = hn::Load(d, left);
  numbers = hn::Load(d, sent);
}

// Spikes and resets of the neurons in `fires`; returns the potentials after them. `again`: some
// neuron fires at the next step, too.
template <class D>
HWY_INLINE hn::Vec<D> FireWhole(D d, uint32_t position, size_t lane, size_t p, hn::Vec<D> v,
                                hn::Mask<D> fires, WholeRun& run, bool& again) {
  const auto one = hn::Set(d, 1);
  auto numbers = one;
  if (run.subtracts) {
    const auto highest = hn::Load(d, run.highest + p);
    const auto threshold = hn::Load(d, run.threshold + p);
    v = hn::Sub(v, hn::IfThenElseZero(fires, threshold));
    auto more = hn::Gt(v, highest);
    if (!run.several) {
      again |= !hn::AllFalse(d, more);
    } else if (!hn::AllFalse(d, more)) {
      // Of neurons that fire most send one spike, and few more than two.
      numbers = hn::Add(numbers, hn::IfThenElseZero(more, one));
      v = hn::Sub(v, hn::IfThenElseZero(more, threshold));
      more = hn::Gt(v, highest);
      if (!hn::AllFalse(d, more)) SendMany(d, p, run, v, numbers);
    }
  } else {
    v = hn::IfThenElse(fires, hn::Load(d, run.reset_value + p), v);
  }
  SendWhole(d, position, lane, fires, numbers, run);
  return v;
}

// The neurons of a position; see event_kernels.h. Their lanes are whole vectors. Returns whether
// some fire at the next step, too.
template <class D>
HWY_INLINE bool UpdateWhole(D d, uint32_t position, WholeRun& run) {
  bool again = false;
  int32_t* HWY_RESTRICT potentials = run.potentials + position * run.lanes;
  int32_t* HWY_RESTRICT sums = run.sums + position * run.lanes;
  for (size_t lane = 0; lane < run.lanes; lane += hn::Lanes(d)) {
    const size_t p = position * run.pitch + lane;
    auto v = hn::Add(hn::Load(d, potentials + lane), hn::Load(d, sums + lane));
    v = hn::Add(v, hn::Load(d, run.drive + p));
    hn::Store(hn::Zero(d), d, sums + lane);
    const auto fires = hn::Gt(v, hn::Load(d, run.highest + p));
    if (!hn::AllFalse(d, fires)) {
      v = FireWhole(d, position, lane, p, v, fires, run, again);
    }
    v = hn::Max(v, hn::Load(d, run.floor + p));
    hn::Store(v, d, potentials + lane);
    if (run.bounded) continue;
    run.outside |= !hn::AllFalse(d, hn::Gt(hn::Abs(v), hn::Set(d, run.largest)));
  }
  return again;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
