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
#include "runtime/bit_lists.h"
#include "runtime/events/event_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// What the update of a layer needs. Copies, which can stay in registers, because stores of vectors
// might alias the originals.
template <class D>
struct WholeRun {
  enum Firing : uint8_t { kMany, kOne, kReset };

  WholeRun(const SpikingLayer& layer, EventState& state)
      : potentials(state.whole_potentials.get()),
        sums(state.sums.get()),
        parameters(layer.whole->parameters.get()),
        positions(state.spikes.positions.data()),
        channels(state.spikes.channels.data()),
        numbers(state.spikes.numbers.data()),
        sent(state.spikes.size),
        lanes(layer.lanes),
        pitch(layer.whole->pitch),
        drives(layer.whole->drives),
        firing(!layer.subtracts ? kReset
               : layer.several  ? kMany
                                : kOne),
        largest(hn::Zero(D())) {}

  int32_t* potentials;
  int32_t* sums;
  const int32_t* parameters;
  uint32_t* positions;
  uint32_t* channels;
  int32_t* numbers;
  size_t sent;  // spikes so far
  size_t lanes;
  size_t pitch;
  bool drives;
  Firing firing;
  hn::Vec<D> largest;  // absolute potentials so far
};

// Appends `numbers` of the neurons in `fires`, without a branch for each.
template <class D>
HWY_INLINE void SendWhole(D d, uint32_t position, size_t lane, hn::Mask<D> fires,
                          hn::Vec<D> numbers, WholeRun<D>& run) {
  const hn::RebindToUnsigned<D> u;
  const auto first = hn::Set(u, static_cast<uint32_t>(lane));
  hn::StoreU(hn::Set(u, position), u, run.positions + run.sent);
  if constexpr (1 < hn::MaxLanes(D()) && hn::MaxLanes(D()) <= 8) {
    // Without an instruction that compresses, Highway 1.0.3 looks shuffles up in a table that GCC
    // copies to the stack at each call.
    uint8_t bits[8];
    hn::StoreMaskBits(d, fires, bits);
    const hn::Rebind<uint8_t, D> bytes;
    const auto lanes = hn::PromoteTo(u, hn::LoadU(bytes, kBitLists.bits[bits[0]]));
    numbers = hn::TableLookupLanes(numbers, hn::IndicesFromVec(d, lanes));
    hn::StoreU(hn::Add(lanes, first), u, run.channels + run.sent);
    hn::StoreU(numbers, d, run.numbers + run.sent);
    run.sent += kBitLists.counts[bits[0]];
    return;
  }
  // Compilers turn Iota(u, lane) into a store for each lane.
  const auto channels = hn::Add(hn::Iota(u, 0), first);
  hn::StoreU(hn::Compress(channels, hn::RebindMask(u, fires)), u, run.channels + run.sent);
  hn::StoreU(hn::Compress(numbers, fires), d, run.numbers + run.sent);
  run.sent += hn::CountTrue(d, fires);
}

// Subtracts all thresholds of the neurons in `more`, which send more than a few spikes at this
// step; returns how many. Quotients of floats are at most one off, since thresholds are at least
// kSmallestThreshold.
template <class D>
HWY_INLINE hn::Vec<D> SendMany(D d, const int32_t* parameters, size_t lanes, hn::Mask<D> more,
                               hn::Vec<D>& v) {
  const hn::Rebind<float, D> floats;
  const auto highest = hn::Load(d, parameters + WholeNeurons::kHighest * lanes);
  const auto threshold = hn::Load(d, parameters + WholeNeurons::kThreshold * lanes);
  const auto inverse =
      hn::BitCast(floats, hn::Load(d, parameters + WholeNeurons::kInverse * lanes));
  const auto one = hn::Set(d, 1);
  const auto quotient = hn::ConvertTo(d, hn::Mul(hn::ConvertTo(floats, v), inverse));
  auto numbers = hn::IfThenElseZero(more, quotient);
  v = hn::Sub(v, hn::Mul(numbers, threshold));
  const auto too_many = hn::And(more, hn::Lt(v, hn::Zero(d)));
  const auto too_few = hn::And(more, hn::Gt(v, highest));
  numbers = hn::Sub(numbers, hn::IfThenElseZero(too_many, one));
  numbers = hn::Add(numbers, hn::IfThenElseZero(too_few, one));
  v = hn::Add(v, hn::IfThenElseZero(too_many, threshold));
  v = hn::Sub(v, hn::IfThenElseZero(too_few, threshold));
  return numbers;
}

// Spikes and resets of the neurons in `fires`; returns the potentials after them. `parameters`: of
// these lanes. `again`: some neuron fires at the next step, too.
template <class D>
HWY_INLINE hn::Vec<D> FireWhole(D d, uint32_t position, size_t lane, const int32_t* parameters,
                                hn::Vec<D> v, hn::Mask<D> fires, WholeRun<D>& run, bool& again) {
  const auto one = hn::Set(d, 1);
  auto numbers = one;
  if (run.firing == WholeRun<D>::kReset) {
    const auto value = hn::Load(d, parameters + WholeNeurons::kResetValue * run.lanes);
    v = hn::IfThenElse(fires, value, v);
  } else {
    const auto highest = hn::Load(d, parameters + WholeNeurons::kHighest * run.lanes);
    const auto threshold = hn::Load(d, parameters + WholeNeurons::kThreshold * run.lanes);
    v = hn::Sub(v, hn::IfThenElseZero(fires, threshold));
    auto more = hn::Gt(v, highest);
    if (run.firing == WholeRun<D>::kOne) {
      again |= !hn::AllFalse(d, more);
    } else {
      // Most neurons that fire send one spike, and few send more than two.
      numbers = hn::Add(numbers, hn::IfThenElseZero(more, one));
      v = hn::Sub(v, hn::IfThenElseZero(more, threshold));
      more = hn::Gt(v, highest);
      if (HWY_UNLIKELY(!hn::AllFalse(d, more))) {
        numbers = hn::Add(numbers, SendMany(d, parameters, run.lanes, more, v));
      }
    }
  }
  SendWhole(d, position, lane, fires, numbers, run);
  return v;
}

// The neurons of a position; see event_kernels.h. Their lanes are whole vectors. Returns whether
// some fire at the next step, too. kRare: see FiringRate.
template <bool kRare, class D>
HWY_INLINE bool UpdateWhole(D d, uint32_t position, WholeRun<D>& run) {
  static_assert(WholeNeurons::kHighest == 0);
  bool again = false;
  int32_t* HWY_RESTRICT potentials = run.potentials + position * run.lanes;
  int32_t* HWY_RESTRICT sums = run.sums + position * run.lanes;
  const int32_t* HWY_RESTRICT parameters = run.parameters + position * run.pitch;
  for (size_t lane = 0; lane < run.lanes; lane += hn::Lanes(d)) {
    auto v = hn::Add(hn::Load(d, potentials + lane), hn::Load(d, sums + lane));
    hn::Store(hn::Zero(d), d, sums + lane);
    if (run.drives) {
      v = hn::Add(v, hn::Load(d, parameters + WholeNeurons::kDrive * run.lanes + lane));
    }
    const auto fires = hn::Gt(v, hn::Load(d, parameters + lane));
    if (!kRare || !hn::AllFalse(d, fires)) {
      v = FireWhole(d, position, lane, parameters + lane, v, fires, run, again);
    }
    v = hn::Max(v, hn::Load(d, parameters + WholeNeurons::kFloor * run.lanes + lane));
    hn::Store(v, d, potentials + lane);
    run.largest = hn::Max(run.largest, hn::Abs(v));
  }
  return again;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_EVENTS_UPDATE_WHOLE_INL_H_
