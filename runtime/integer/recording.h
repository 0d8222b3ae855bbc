// Spikes and membranes of the integer engine as a Recording has them, [channel, row, column]; and
// the reverse, the caller's spikes as words.
#ifndef CSSRUN_RUNTIME_INTEGER_RECORDING_H_
#define CSSRUN_RUNTIME_INTEGER_RECORDING_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "network_generated.h"
#include "runtime/engine/input.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/integer/network.h"

namespace cssrun::internal {

// Spikes of one step on a map of `width` columns, `stride` numbers of neurons each.
void WriteSpikes(std::span<const CodedSpike> coded, size_t width, size_t stride,
                 SpikeFrame& spikes);

// `out` must be all 0 before.
void RecordSpikes(const format::Extent& extent, size_t stride, const SpikeFrame& spikes,
                  int8_t* out);

// max(M, -G) after the step, in spikes. Both have already grown to the next step, and `biases` were
// added (null: none); this is undone, to within the rounding of a unit.
void RecordMembranes(const IntegerLayer& layer, const format::Extent& extent, const int16_t* biases,
                     float beta, const int16_t* membranes, const int16_t* sent, size_t sent_row,
                     float* out);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_RECORDING_H_
