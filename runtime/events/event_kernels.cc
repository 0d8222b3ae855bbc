#include "runtime/events/event_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

double Flush(double x) { return std::abs(x) < kSmallestPotential ? 0.0 : x; }

void AddScaled(double* to, const float* weights, double value, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] += value * static_cast<double>(weights[i]);
}

// What one position of a map has to be brought up to date.
struct Position {
  size_t parameters;  // where its numbers begin
  size_t at;          // where its neurons begin
  uint32_t index;
  uint64_t missed;  // steps without input before this one
};

// Returns whether the neuron may fire again at the next step without input.
bool UpdateNeuron(const SpikingLayer& neurons, const Position& position, size_t lane,
                  EventState& state) {
  const size_t p = position.parameters + lane;
  const size_t i = position.at + lane;
  double v = LeakFor(state.potentials[i], neurons.decay[p], position.missed);
  double x = state.inputs[i];
  state.inputs[i] = 0;
  if (state.currents != nullptr) {
    x = Flush(neurons.current_decay[p] * state.currents[i] + x);
    state.currents[i] = x;
  }
  v = Flush(neurons.decay[p] * v + (neurons.gain[p] * x + neurons.drive[p]));
  const double threshold = neurons.threshold[p];
  double spikes = 0;
  if (neurons.several) {
    if (v >= threshold) spikes = std::min(std::floor(v / threshold), kMostSpikes);
  } else if (v > threshold) {
    spikes = 1;
  }
  if (spikes > 0) {
    state.spikes.push_back({position.index, static_cast<uint32_t>(lane), spikes});
    state.counts[i] += static_cast<uint64_t>(spikes);
    v = neurons.subtracts ? v - spikes * threshold : neurons.reset_value[p];
  }
  v = std::max(v, neurons.floor[p]);
  state.potentials[i] = v;
  if (neurons.sending == format::EventSending::Values && v != 0) {
    state.spikes.push_back({position.index, static_cast<uint32_t>(lane), v});
  }
  return neurons.several ? v >= threshold : v > threshold;
}

}  // namespace

double LeakFor(double potential, double decay, uint64_t steps) {
  if (decay == 1 || !std::isfinite(potential)) return potential;
  for (uint64_t k = 0; k < steps && potential != 0; ++k) potential = Flush(decay * potential);
  return potential;
}

uint64_t ScatterSpikes(const EventConnection& connection, std::span<const EventSpike> spikes,
                       uint32_t source_width, const SpikingLayer& neurons, EventState& target) {
  uint64_t added = 0;
  const size_t row_taps = connection.columns.kernel_index.size() * connection.tap_size;
  const size_t channel_taps = connection.rows.kernel_index.size() * row_taps;
  const size_t width = neurons.extent.width();
  const bool dense = connection.groups == 1;
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
          double* to = target.inputs.get() + (row * width + run.target) * neurons.lanes + channel;
          const float* from = row_weights + run.tap * connection.tap_size;
          if (dense) {
            AddScaled(to, from, spike.value, run.count * neurons.lanes);
          } else {
            for (uint32_t x = 0; x < run.count; ++x) {
              AddScaled(to + x * neurons.lanes, from + x * connection.tap_size, spike.value,
                        connection.group_targets);
            }
          }
          target.reached.Add(row, run.target, run.count);
          reached += uint64_t{run.count} * connection.group_targets;
        }
      }
    }
    const double times = connection.valued ? 1 : std::max(1.0, std::abs(spike.value));
    added += reached * static_cast<uint64_t>(times);
  }
  return added;
}

uint64_t UpdateReached(const SpikingLayer& neurons, uint64_t step, EventState& state) {
  uint64_t updated = 0;
  const size_t channels = neurons.extent.channels();
  std::vector<uint64_t>& rows = state.reached.rows();
  for (size_t r = 0; r < rows.size(); ++r) {
    uint64_t row_bits = rows[r];
    for (rows[r] = 0; row_bits != 0; row_bits &= row_bits - 1) {
      const size_t row =
          r * PositionSet::kWordBits + static_cast<size_t>(std::countr_zero(row_bits));
      uint64_t* words = state.reached.Row(row);
      for (size_t w = 0; w < state.reached.words_per_row(); ++w) {
        uint64_t bits = words[w];
        for (words[w] = 0; bits != 0; bits &= bits - 1) {
          const size_t column =
              w * PositionSet::kWordBits + static_cast<size_t>(std::countr_zero(bits));
          const size_t index = row * neurons.extent.width() + column;
          CSSRUN_ASSERT(state.done[index] <= step);
          const Position position{neurons.ParametersAt(index), index * neurons.lanes,
                                  static_cast<uint32_t>(index), step - state.done[index]};
          state.done[index] = step + 1;
          bool again = false;
          for (size_t lane = 0; lane < channels; ++lane) {
            again |= UpdateNeuron(neurons, position, lane, state);
          }
          if (again) state.reached.Add(row, column, 1);
          updated += channels;
        }
      }
    }
  }
  return updated;
}

}  // namespace cssrun::internal
