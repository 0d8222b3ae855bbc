// Neurons in double precision: any of them, with leaks, currents and gains.
#if defined(CSSRUN_RUNTIME_EVENTS_UPDATE_DOUBLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_EVENTS_UPDATE_DOUBLE_INL_H_
#undef CSSRUN_RUNTIME_EVENTS_UPDATE_DOUBLE_INL_H_
#else
#define CSSRUN_RUNTIME_EVENTS_UPDATE_DOUBLE_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "hwy/highway.h"
#include "runtime/events/event_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_HAVE_FLOAT64
using Doubles = hn::ScalableTag<double>;
#else
using Doubles = hn::CappedTag<double, 1>;
#endif
using Vector = hn::Vec<Doubles>;
using Mask = hn::Mask<Doubles>;

HWY_INLINE Vector FlushVector(Vector v) {
  const Doubles d;
  return hn::IfThenZeroElse(hn::Lt(hn::Abs(v), hn::Set(d, kSmallestPotential)), v);
}

// See LeakFor().
HWY_INLINE Vector LeakVector(Vector v, Vector decay, uint64_t steps) {
  const Doubles d;
  const Vector largest = hn::Set(d, std::numeric_limits<double>::max());
  const Mask leaks = hn::AndNot(hn::Eq(decay, hn::Set(d, 1.0)), hn::Le(hn::Abs(v), largest));
  for (uint64_t k = 0; k < steps; ++k) {
    if (hn::AllFalse(d, hn::And(leaks, hn::Ne(v, hn::Zero(d))))) break;
    v = hn::IfThenElse(leaks, FlushVector(hn::Mul(decay, v)), v);
  }
  return v;
}

// The neurons of one position of a map that has to be updated.
struct Position {
  size_t parameters;  // where its numbers begin
  size_t at;          // where its neurons begin
  uint32_t index;
  uint64_t missed;  // steps without input before this one
};

// Appends what the neurons from `lane` on send: `sent[i]` for each bit i that is set.
HWY_INLINE void Send(const SpikingLayer& layer, const Position& position, size_t lane,
                     const double* sent, uint64_t bits, SpikeList& spikes) {
  for (; bits != 0; bits &= bits - 1) {
    const auto i = static_cast<size_t>(std::countr_zero(bits));
    if (lane + i >= layer.extent.channels()) return;
    spikes.positions[spikes.size] = position.index;
    spikes.channels[spikes.size] = static_cast<uint32_t>(lane + i);
    if (spikes.valued) {
      spikes.values[spikes.size] = sent[i];
    } else {
      spikes.numbers[spikes.size] = static_cast<int32_t>(sent[i]);
    }
    ++spikes.size;
  }
}

HWY_INLINE uint64_t BitsOf(Mask mask) {
  const Doubles d;
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(d, mask, bytes);
  return bytes[0];
}

// Returns what arrived at the neurons from `at` on, and clears it.
HWY_INLINE Vector TakeInput(const SpikingLayer& layer, size_t at, EventState& state) {
  const Doubles d;
  if (state.wide) {
    const Vector x = hn::Load(d, state.inputs.get() + at);
    hn::Store(hn::Zero(d), d, state.inputs.get() + at);
    return x;
  }
  const hn::Rebind<int32_t, Doubles> ints;
  const auto units = hn::LoadU(ints, state.sums.get() + at);
  hn::StoreU(hn::Zero(ints), ints, state.sums.get() + at);
  return hn::Mul(hn::PromoteTo(d, units), hn::Set(d, layer.unit));
}

// Spikes and resets of the neurons whose potentials are `v`; returns the potentials after them.
// `again`: some fire at the next step, too.
HWY_INLINE Vector FireVector(const SpikingLayer& layer, const Position& position, size_t lane,
                             Vector v, EventState& state, bool& again) {
  const Doubles d;
  const size_t p = position.parameters + lane;
  const Vector threshold = hn::Load(d, layer.threshold.get() + p);
  const Mask fires = layer.several ? hn::Ge(v, threshold) : hn::Gt(v, threshold);
  if (!hn::AllFalse(d, fires)) {
    const Vector spikes = layer.several
                              ? hn::Min(hn::Floor(hn::Div(v, threshold)), hn::Set(d, kMostSpikes))
                              : hn::Set(d, 1.0);
    HWY_ALIGN double sent[HWY_MAX_BYTES / sizeof(double)];
    hn::Store(spikes, d, sent);
    Send(layer, position, lane, sent, BitsOf(fires), state.spikes);
    const Vector after = layer.subtracts ? hn::Sub(v, hn::Mul(spikes, threshold))
                                         : hn::Load(d, layer.reset_value.get() + p);
    v = hn::IfThenElse(fires, after, v);
    again |= !hn::AllFalse(d, layer.several ? hn::Ge(v, threshold) : hn::Gt(v, threshold));
  }
  return v;
}

// One vector of neurons; see event_kernels.h. `lane` is a multiple of the vector's lanes. Returns
// whether some fire at the next step, too.
HWY_INLINE bool UpdateVector(const SpikingLayer& layer, const Position& position, size_t lane,
                             EventState& state) {
  const Doubles d;
  const size_t p = position.parameters + lane;
  const size_t i = position.at + lane;
  const Vector decay = hn::Load(d, layer.decay.get() + p);
  Vector v = hn::Load(d, state.potentials.get() + i);
  if (position.missed > 0 && layer.forgets) v = LeakVector(v, decay, position.missed);
  Vector x = TakeInput(layer, i, state);
  const Vector drive = hn::Load(d, layer.drive.get() + p);
  const Vector gain = hn::Load(d, layer.gain.get() + p);
  if (layer.current_decay != nullptr) {
    // With a current, the drive is part of what feeds it.
    const Vector kept =
        hn::Mul(hn::Load(d, layer.current_decay.get() + p), hn::Load(d, state.currents.get() + i));
    x = FlushVector(hn::Add(kept, hn::Add(x, drive)));
    hn::Store(x, d, state.currents.get() + i);
    v = hn::Add(hn::Mul(decay, v), hn::Mul(gain, x));
  } else {
    v = hn::Add(hn::Mul(decay, v), hn::Add(hn::Mul(gain, x), drive));
  }
  v = FlushVector(v);
  bool again = false;
  if (layer.sending == format::EventSending::Spikes) {
    v = FireVector(layer, position, lane, v, state, again);
  }
  const Vector floor = hn::Load(d, layer.floor.get() + p);
  v = hn::IfThenElse(hn::Lt(v, floor), floor, v);
  hn::Store(v, d, state.potentials.get() + i);
  if (layer.sending == format::EventSending::Values) {
    const uint64_t bits = BitsOf(hn::Ne(v, hn::Zero(d)));
    Send(layer, position, lane, state.potentials.get() + i, bits, state.spikes);
  }
  return again;
}

HWY_INLINE double FlushNumber(double x) { return std::abs(x) < kSmallestPotential ? 0.0 : x; }

HWY_INLINE double TakeInputOfNeuron(const SpikingLayer& layer, size_t at, EventState& state) {
  const double x = state.wide ? state.inputs[at] : layer.unit * state.sums[at];
  state.inputs[at] = 0;
  state.sums[at] = 0;
  return x;
}

// One neuron, for positions of fewer neurons than a vector has lanes.
HWY_INLINE bool UpdateNeuron(const SpikingLayer& layer, const Position& position, size_t lane,
                             EventState& state) {
  const size_t p = position.parameters + lane;
  const size_t i = position.at + lane;
  double v = LeakFor(state.potentials[i], layer.decay[p], position.missed);
  double x = TakeInputOfNeuron(layer, i, state);
  if (layer.current_decay != nullptr) {
    x = FlushNumber(layer.current_decay[p] * state.currents[i] + (x + layer.drive[p]));
    state.currents[i] = x;
    v = FlushNumber(layer.decay[p] * v + layer.gain[p] * x);
  } else {
    v = FlushNumber(layer.decay[p] * v + (layer.gain[p] * x + layer.drive[p]));
  }
  bool again = false;
  if (layer.sending == format::EventSending::Spikes) {
    const double threshold = layer.threshold[p];
    if (layer.several ? v >= threshold : v > threshold) {
      const double spikes = layer.several ? std::min(std::floor(v / threshold), kMostSpikes) : 1.0;
      Send(layer, position, lane, &spikes, 1, state.spikes);
      v = layer.subtracts ? v - spikes * threshold : layer.reset_value[p];
      again = layer.several ? v >= threshold : v > threshold;
    }
  }
  v = v < layer.floor[p] ? layer.floor[p] : v;
  state.potentials[i] = v;
  if (layer.sending == format::EventSending::Values && v != 0) {
    Send(layer, position, lane, &v, 1, state.spikes);
  }
  return again;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_EVENTS_UPDATE_DOUBLE_INL_H_
