// Plain twins of the encoder's functions, one neuron after another. Signatures are those of the
// originals.
#ifndef CSSRUN_RUNTIME_INTEGER_ENCODER_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_ENCODER_REFERENCE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

void EncodeRowReference(const uint16_t* positive, const uint16_t* negative, size_t neurons,
                        uint32_t bit, size_t row, SpikeFrame& spikes);

void FillLevelsReference(std::span<const SpikeFrame> steps, LevelFrame& levels);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_ENCODER_REFERENCE_H_
