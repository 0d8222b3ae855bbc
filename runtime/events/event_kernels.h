// The two loops in which a network on events spends its time.
#ifndef CSSRUN_RUNTIME_EVENTS_EVENT_KERNELS_H_
#define CSSRUN_RUNTIME_EVENTS_EVENT_KERNELS_H_

#include <cstdint>

#include "runtime/events/event_network.h"
#include "runtime/events/event_state.h"

namespace cssrun::internal {

// A potential or a current nearer to 0 than this is 0: a leak then ends after finitely many steps.
constexpr double kSmallestPotential = 0x1p-100;
// Most spikes of a neuron at one step.
constexpr double kMostSpikes = 65535;

// Adds weights times spikes to target.sums, or to target.inputs if target.wide, and marks the
// positions that they reach. `target` is of `layer`. Returns the number of weights added.
// `source_width`: of the source's map.
uint64_t ScatterSpikes(const EventConnection& connection, const SpikeList& spikes,
                       uint32_t source_width, const SpikingLayer& layer, EventState& target);

// Brings the neurons of all reached positions to the end of step `step`: leaks that are due, input,
// spikes, resets. Appends their spikes to state.spikes. Keeps in state.reached the positions that
// are still above their threshold. Returns the number of neurons.
uint64_t UpdateReached(const SpikingLayer& layer, uint64_t step, EventState& state);

// `potential` after `steps` more steps without input, each rounded as one step is.
double LeakFor(double potential, double decay, uint64_t steps);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EVENTS_EVENT_KERNELS_H_
