// The loops of event_kernels.h, for every instruction set.
//
// Each number is computed by the same operations in the same order in all of them, without fused
// multiply-adds, so that all give the same bits.
#include "runtime/events/event_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "runtime/assert.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/events/event_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

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
using Floats = hn::Rebind<float, Doubles>;

HWY_INLINE void AddScaled(double* HWY_RESTRICT to, const float* HWY_RESTRICT weights, double value,
                          size_t count) {
  const Doubles d;
  const Floats f;
  const size_t lanes = hn::Lanes(d);
  const Vector scale = hn::Set(d, value);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Vector weight = hn::PromoteTo(d, hn::LoadU(f, weights + i));
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::Mul(scale, weight)), d, to + i);
  }
  for (; i < count; ++i) to[i] += value * static_cast<double>(weights[i]);
}

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

// The neurons of one position of a map that has to be brought up to date.
struct Position {
  size_t parameters;  // where its numbers begin
  size_t at;          // where its neurons begin
  uint32_t index;
  uint64_t missed;  // steps without input before this one
};

// Appends what neurons from `lane` on send: `sent[i]` of each one that is in the mask's bits.
HWY_INLINE void Send(const SpikingLayer& layer, const Position& position, size_t lane,
                     const double* sent, uint64_t bits, bool counts, EventState& state) {
  for (; bits != 0; bits &= bits - 1) {
    const auto i = static_cast<size_t>(std::countr_zero(bits));
    if (lane + i >= layer.extent.channels()) return;
    state.spikes.push_back({position.index, static_cast<uint32_t>(lane + i), sent[i]});
    if (counts) state.counts[position.at + lane + i] += static_cast<uint64_t>(sent[i]);
  }
}

HWY_INLINE uint64_t BitsOf(Mask mask) {
  const Doubles d;
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(d, mask, bytes);
  return bytes[0];
}

// Spikes and resets of the neurons whose potentials are `v`; returns the potentials after them.
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
    Send(layer, position, lane, sent, BitsOf(fires), true, state);
    const Vector after = layer.subtracts ? hn::Sub(v, hn::Mul(spikes, threshold))
                                         : hn::Load(d, layer.reset_value.get() + p);
    v = hn::IfThenElse(fires, after, v);
    again |= !hn::AllFalse(d, layer.several ? hn::Ge(v, threshold) : hn::Gt(v, threshold));
  }
  return v;
}

// One vector of neurons; see event_kernels.h. `lane` is a multiple of the vector's lanes.
HWY_INLINE void UpdateVector(const SpikingLayer& layer, const Position& position, size_t lane,
                             EventState& state, bool& again) {
  const Doubles d;
  const size_t p = position.parameters + lane;
  const size_t i = position.at + lane;
  const Vector decay = hn::Load(d, layer.decay.get() + p);
  Vector v = hn::Load(d, state.potentials.get() + i);
  if (position.missed > 0 && layer.forgets) v = LeakVector(v, decay, position.missed);
  Vector x = hn::Load(d, state.inputs.get() + i);
  hn::Store(hn::Zero(d), d, state.inputs.get() + i);
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
  if (layer.sending == format::EventSending::Spikes) {
    v = FireVector(layer, position, lane, v, state, again);
  }
  const Vector floor = hn::Load(d, layer.floor.get() + p);
  v = hn::IfThenElse(hn::Lt(v, floor), floor, v);
  hn::Store(v, d, state.potentials.get() + i);
  if (layer.sending == format::EventSending::Values) {
    const uint64_t bits = BitsOf(hn::Ne(v, hn::Zero(d)));
    Send(layer, position, lane, state.potentials.get() + i, bits, false, state);
  }
}

HWY_INLINE double FlushNumber(double x) { return std::abs(x) < kSmallestPotential ? 0.0 : x; }

// One neuron, for positions of fewer neurons than a vector has lanes.
HWY_INLINE void UpdateNeuron(const SpikingLayer& layer, const Position& position, size_t lane,
                             EventState& state, bool& again) {
  const size_t p = position.parameters + lane;
  const size_t i = position.at + lane;
  double v = LeakFor(state.potentials[i], layer.decay[p], position.missed);
  double x = state.inputs[i];
  state.inputs[i] = 0;
  if (layer.current_decay != nullptr) {
    x = FlushNumber(layer.current_decay[p] * state.currents[i] + (x + layer.drive[p]));
    state.currents[i] = x;
    v = FlushNumber(layer.decay[p] * v + layer.gain[p] * x);
  } else {
    v = FlushNumber(layer.decay[p] * v + (layer.gain[p] * x + layer.drive[p]));
  }
  if (layer.sending == format::EventSending::Spikes) {
    const double threshold = layer.threshold[p];
    if (layer.several ? v >= threshold : v > threshold) {
      const double spikes = layer.several ? std::min(std::floor(v / threshold), kMostSpikes) : 1.0;
      Send(layer, position, lane, &spikes, 1, true, state);
      v = layer.subtracts ? v - spikes * threshold : layer.reset_value[p];
      again |= layer.several ? v >= threshold : v > threshold;
    }
  }
  v = v < layer.floor[p] ? layer.floor[p] : v;
  state.potentials[i] = v;
  if (layer.sending == format::EventSending::Values && v != 0) {
    Send(layer, position, lane, &v, 1, false, state);
  }
}

HWY_INLINE void UpdatePosition(const SpikingLayer& layer, size_t row, size_t column, uint64_t step,
                               EventState& state) {
  const size_t index = row * layer.extent.width() + column;
  CSSRUN_ASSERT(state.done[index] <= step);
  const Position position{layer.ParametersAt(index), index * layer.lanes,
                          static_cast<uint32_t>(index), step - state.done[index]};
  state.done[index] = step + 1;
  bool again = false;
  const size_t vector = hn::Lanes(Doubles());
  if (layer.lanes % vector == 0) {
    for (size_t lane = 0; lane < layer.lanes; lane += vector) {
      UpdateVector(layer, position, lane, state, again);
    }
  } else {
    for (size_t lane = 0; lane < layer.extent.channels(); ++lane) {
      UpdateNeuron(layer, position, lane, state, again);
    }
  }
  if (again) state.reached.Add(row, column, 1);
}

uint64_t UpdateTarget(const SpikingLayer& layer, uint64_t step, EventState& state) {
  uint64_t positions = 0;
  std::vector<uint64_t>& rows = state.reached.rows();
  for (size_t r = 0; r < rows.size(); ++r) {
    uint64_t row_bits = rows[r];
    for (rows[r] = 0; row_bits != 0; row_bits &= row_bits - 1) {
      const size_t row =
          r * PositionSet::kWordBits + static_cast<size_t>(std::countr_zero(row_bits));
      uint64_t* words = state.reached.Row(row);
      for (size_t w = 0; w < state.reached.words_per_row(); ++w) {
        uint64_t bits = words[w];
        positions += static_cast<uint64_t>(std::popcount(bits));
        for (words[w] = 0; bits != 0; bits &= bits - 1) {
          const size_t column =
              w * PositionSet::kWordBits + static_cast<size_t>(std::countr_zero(bits));
          UpdatePosition(layer, row, column, step, state);
        }
      }
    }
  }
  return positions * layer.extent.channels();
}

// Adds the weights of one spike in one row of targets.
HWY_INLINE void ScatterRun(const EventConnection& connection, const AxisRun& run, double value,
                           const float* HWY_RESTRICT from, size_t lanes, double* HWY_RESTRICT to) {
  if (connection.groups == 1) {
    AddScaled(to, from, value, run.count * lanes);
    return;
  }
  for (uint32_t x = 0; x < run.count; ++x) {
    AddScaled(to + x * lanes, from + x * connection.tap_size, value, connection.group_targets);
  }
}

uint64_t ScatterTarget(const EventConnection& connection, std::span<const EventSpike> spikes,
                       uint32_t source_width, const SpikingLayer& layer, EventState& target) {
  uint64_t added = 0;
  const size_t row_taps = connection.columns.kernel_index.size() * connection.tap_size;
  const size_t channel_taps = connection.rows.kernel_index.size() * row_taps;
  const size_t width = layer.extent.width();
  for (const EventSpike& spike : spikes) {
    uint64_t reached = 0;
    const float* weights = connection.weights.get() + spike.channel * channel_taps;
    const size_t channel = spike.channel / connection.group_sources * connection.group_targets;
    const auto columns = connection.columns.RunsOf(spike.position % source_width);
    for (const AxisRun& rows : connection.rows.RunsOf(spike.position / source_width)) {
      for (uint32_t k = 0; k < rows.count; ++k) {
        const float* row_weights = weights + (rows.tap + k) * row_taps;
        const size_t row = rows.target + k;
        for (const AxisRun& run : columns) {
          double* to = target.inputs.get() + (row * width + run.target) * layer.lanes + channel;
          ScatterRun(connection, run, spike.value, row_weights + run.tap * connection.tap_size,
                     layer.lanes, to);
          target.reached.Add(row, run.target, run.count);
          reached += run.count;
        }
      }
    }
    const double times = connection.valued ? 1 : std::max(1.0, std::abs(spike.value));
    added += reached * connection.group_targets * static_cast<uint64_t>(times);
  }
  return added;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(ScatterTarget);
HWY_EXPORT(UpdateTarget);

double LeakFor(double potential, double decay, uint64_t steps) {
  if (decay == 1 || !std::isfinite(potential)) return potential;
  for (uint64_t k = 0; k < steps && potential != 0; ++k) {
    const double next = decay * potential;
    potential = std::abs(next) < kSmallestPotential ? 0.0 : next;
  }
  return potential;
}

uint64_t ScatterSpikes(const EventConnection& connection, std::span<const EventSpike> spikes,
                       uint32_t source_width, const SpikingLayer& layer, EventState& target) {
  if (spikes.empty()) return 0;
  return HWY_DYNAMIC_DISPATCH(ScatterTarget)(connection, spikes, source_width, layer, target);
}

uint64_t UpdateReached(const SpikingLayer& layer, uint64_t step, EventState& state) {
  if (state.reached.empty()) return 0;
  return HWY_DYNAMIC_DISPATCH(UpdateTarget)(layer, step, state);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
