// Reading the readout before its last step.
//
// After index i the logits are what they would be if no spike came any more: the rest of the decay
// and of the biases is known. What may still come weighs beta^(T-2-i) + ... + 1.
#ifndef CSSRUN_RUNTIME_ENGINE_READING_H_
#define CSSRUN_RUNTIME_ENGINE_READING_H_

#include <cstdint>
#include <span>
#include <vector>

#include "cssrun/session.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Weight of the steps that come after readout index `index`.
double ComingWeight(const LoadedNetwork& network, uint32_t index);

// The readout's potentials after `index`, as logits.
void ReadLogits(const LoadedNetwork& network, std::span<const float> potentials, uint32_t index,
                std::vector<float>& logits);

// Best logit less second best; 0 with fewer than two.
double Margin(std::span<const float> logits);

// Before a run: what it does not reach has no reading. Allocates only where there were fewer.
void ClearReadings(const LoadedNetwork& network, const SessionOptions& options, Answer& answer);

// What a run does after readout index `index`: hands on the reading where that is asked for, and
// returns whether the run ends here, with `answer.logits` and `answer.ending` set. `scratch` is
// kept from call to call.
bool ReadAndDecide(const LoadedNetwork& network, const SessionOptions& options,
                   std::span<const float> potentials, uint32_t index, uint32_t step,
                   Reading& scratch, Answer& answer);

// Whether every step of the readout is to be read as soon as it is done.
bool ReadsEveryStep(const SessionOptions& options);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_READING_H_
