// Plain twins of the functions of neurons: the equations of event_neurons.h and settled.h, one
// neuron after another. Signatures are those of the twins' originals.
#ifndef CSSRUN_RUNTIME_INTEGER_NEURONS_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_NEURONS_REFERENCE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/integer/neurons/event_neurons.h"
#include "runtime/integer/neurons/settled.h"

namespace cssrun::internal {

// FireRowFunction. The guards keep their values.
void FireRowReference(const NeuronStep& step, size_t row);

void AddPixelsReference(const PixelPotentials& pixels, const MembraneLayout& layout,
                        const LayerPart& part, float beta, int16_t* membranes);

// The potential of one neuron, rounded down and saturated; towards zero for a rectifier, which
// sends nothing below zero. `joined_scale`: the scale of sums that join the floats before the bias,
// by parameter lane; null: they have the neurons' scale, and floats follow the bias.
int16_t PotentialReference(const SettledRow& settled, const PotentialInputs& inputs, float sum,
                           size_t column, size_t channel, const float* joined_scale = nullptr);

void RoundPotentialsReference(const SettledRow& settled, const PotentialInputs& inputs, size_t row);

void PoolPotentialsReference(const MembraneLayout& layout, const LayerPools& pools,
                             const int16_t* membranes, size_t pool_row, int16_t* largest);

void WriteDigitsReference(const SettledRow& settled, const DigitsTarget& target, size_t row,
                          size_t spike_row);

// The byte of a potential's level.
uint8_t LevelReference(const LevelRule& rule, int16_t potential);

void WriteLevelsReference(const SettledRow& settled, const LevelsTarget& target, size_t row,
                          size_t level_row);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_REFERENCE_H_
