// The neuron: parameters, state and equations, one neuron at a time (Algorithm 1; TSA-ReLU,
// appendix A.7).
//
// The unit of potentials is the weight of a spike of the last step: a spike of index i stands for
// beta^(T-1-i) units. Every neuron keeps two numbers:
//
//   h  the membrane: the sum of all input, multiplied by beta at each step
//   g  the sum of all spikes sent, multiplied likewise; the members of a pool have an h each and
//   share
//      one g
//
// One step of a neuron, with o its drive and S its threshold:
//
//   integrate   h = beta h + bias + (weights of the spikes that arrive)
//   threshold   g = beta g;  o = max(h, 0) - g, or h - g without rectification;  a spike where
//               o >= S, a negative one where o <= -S
//   reset       g = g + u for a spike, g - u for a negative one
//
// A spike never changes h; g accounts for it, which is a reset by subtraction. Integration begins
// with the first input. Firing begins L steps later; during these steps, the silent period, h grows
// by beta^L, so a spike weighs u = beta^L when it leaves. All neuron models are constants of this
// one equation:
//
//   model                        beta   L        rectify   S / u                     h at first
//   TSA (linear outputs)         1..4   0..8     no        0.5..1 by spike index     0
//   TSA-ReLU                     1..4   0..8     yes       0.5..1 by spike index     0
//   rate-coded IF, soft reset    1      0        yes       1                         0.5
//
// These functions are the reference. runtime/float/fire.cc computes them for vectors of channels
// with the same operations in the same order, hence the same bits, which
// tests/runtime/neuron_test.cc checks for every instruction set.
#ifndef CSSRUN_RUNTIME_NEURON_NEURON_H_
#define CSSRUN_RUNTIME_NEURON_NEURON_H_

#include <algorithm>
#include <limits>

namespace cssrun::internal {

// The parameters that all neurons of a layer share. Thresholds (by spike index) and biases (by
// channel) are in Layer.
struct NeuronParameters {
  float beta = 1.5F;
  float spike_weight = 1;  // u
  bool rectify = false;    // TSA-ReLU
  bool negative_spikes = true;
  // h counts as these where it is beyond them. They grow with h: those of the current step.
  float lowest = -std::numeric_limits<float>::infinity();
  float highest = std::numeric_limits<float>::infinity();
};

// Returns h at the next step, before spikes are added. `bias` is 0 once all T inputs have arrived.
inline float Integrate(const NeuronParameters& p, float bias, float h) { return p.beta * h + bias; }

// Returns o of a neuron, or of a pool whose largest membrane is `h`.
inline float Drive(const NeuronParameters& p, float h, float g) {
  const float limited = std::min(std::max(h, p.lowest), p.highest);
  return (p.rectify ? std::max(limited, 0.0F) : limited) - g;
}

// Returns the spike that leaves, +1, -1 or 0, and brings g from the previous step to this one.
inline int Fire(const NeuronParameters& p, float threshold, float h, float& g) {
  g *= p.beta;
  const float o = Drive(p, h, g);
  const bool up = o >= threshold;
  const bool down = p.negative_spikes && o <= -threshold;
  if (up) g += p.spike_weight;
  if (down) g -= p.spike_weight;
  return static_cast<int>(up) - static_cast<int>(down);
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NEURON_NEURON_H_
