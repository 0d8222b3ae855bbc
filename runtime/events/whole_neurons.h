// Which neurons of an event network have potentials that are whole numbers; see WholeNeurons.
#ifndef CSSRUN_RUNTIME_EVENTS_WHOLE_NEURONS_H_
#define CSSRUN_RUNTIME_EVENTS_WHOLE_NEURONS_H_

#include <optional>

#include "runtime/events/event_network.h"

namespace cssrun::internal {

// Nothing where some number of `neurons` is not a whole multiple of its unit, or too large, or
// where neurons leak, multiply their input or get values instead of spikes. Its connections are
// laid out. Throws std::bad_alloc.
std::optional<WholeNeurons> MakeWholeNeurons(const SpikingLayer& neurons);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EVENTS_WHOLE_NEURONS_H_
