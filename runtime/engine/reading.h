// Reads logits from the readout before its last step, for early exit, time limits and callbacks.
//
// A reading after index i predicts the final logits if no further spike arrived: the remaining
// growth of the potentials and the remaining biases are known. The spikes that may still arrive
// weigh beta^(T-2-i) + ... + 1 together, for each synapse.
#ifndef CSSRUN_RUNTIME_ENGINE_READING_H_
#define CSSRUN_RUNTIME_ENGINE_READING_H_

#include <cstdint>
#include <span>
#include <vector>

#include "cssrun/session.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// The weight of the spikes that may arrive after readout index `index` < T: beta^(T-2-index) + ...
// + 1, or 0 after the last.
double ComingWeight(const LoadedNetwork& network, uint32_t index);

// Overwrites `logits` with the prediction from the `potentials` of all readouts after global step
// `step`, in which all of them have begun.
void ReadLogits(const LoadedNetwork& network, std::span<const float> potentials, uint32_t step,
                std::vector<float>& logits);

// The largest logit minus the second largest; 0 with fewer than two.
double Margin(std::span<const float> logits);

// Empties the answer's readings before a run, so that steps which the run does not reach have none.
// Allocates only where the answer had fewer.
void ClearReadings(const LoadedNetwork& network, const SessionOptions& options, Answer& answer);

// Called after global step `step`, in which all readouts have begun, if MayRead(). Keeps the
// reading or hands it to the callback, as the options ask. Returns true if the run ends here (early
// exit, or the callback said so); `answer.logits` and `answer.ending` are then set. `scratch` holds
// a reading that is not kept; pass the same one each time, so that nothing is allocated.
bool ReadAndDecide(const LoadedNetwork& network, const SessionOptions& options,
                   std::span<const float> potentials, uint32_t step, Reading& scratch,
                   Answer& answer);

// Whether the options ask for a reading after every step of the readout.
bool ReadsEveryStep(const SessionOptions& options);
// Whether Answer::layers are asked for.
bool CountsWork(const SessionOptions& options);
// Whether ReadAndDecide() may do anything.
bool MayRead(const SessionOptions& options);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_READING_H_
