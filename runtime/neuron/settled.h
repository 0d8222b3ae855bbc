// Settled codes: codes with which a neuron has received its whole input before it fires.
//
// The first spike of a layer leaves L steps after its first input; where L >= T - 1, the last of
// the T inputs has arrived by then. The spike train is then a function of one number, the sum of
// the whole input, and with beta = 2 it is that number's binary digits. The integer engine computes
// such a layer in one step instead of T + L.
#ifndef CSSRUN_RUNTIME_NEURON_SETTLED_H_
#define CSSRUN_RUNTIME_NEURON_SETTLED_H_

#include <cstdint>

namespace cssrun::internal {

// The longest train that is computed in one step. Its potential has 16 bits; a longer train would
// leave too few of them for the fraction, and its level would not fit a byte.
constexpr uint32_t kLongestSettledTrain = 8;

// The longest train for which sums of 16 bits leave enough units to an amplitude (512 at 6 steps,
// 128 at 8: too few for the weights of wide layers). Longer ones are summed in 32 bits wherever
// that is possible, each set of synapses with a scale of its own.
constexpr uint32_t kLongestNarrowTrain = 6;

constexpr bool IsSettled(float beta, uint32_t timesteps, uint32_t silent_steps) {
  return beta == 2 && timesteps <= kLongestSettledTrain && silent_steps + 1 >= timesteps;
}

constexpr bool SumsAreWide(bool settled, uint32_t timesteps) {
  return settled && timesteps > kLongestNarrowTrain;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NEURON_SETTLED_H_
