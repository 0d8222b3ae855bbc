// The neuron: parameters, state and equations, one neuron at a time (Algorithm 1; TSA-ReLU,
// appendix A.7).
//
// Potentials are in spike weights of the last step: a spike of index i stands for beta^(T-1-i) of
// them. State, kept by every neuron:
//
//   h  the membrane: what has come in, grown by beta each step
//   g  what has been sent, grown likewise; the members of a pool have an h each and share one g
//
// A step in the life of a neuron, with o its drive and S its threshold:
//
//   integrate   h = beta h + bias + (weights of the spikes that arrive)
//   threshold   g = beta g;  o = max(h, 0) - g, or h - g without rectification;  a spike where
//               o >= S, a negative one where o <= -S
//   reset       g = g + u for a spike, g - u for a negative one
//
// Nothing is ever taken off h: a spike is accounted for in g (a reset by subtraction). Integration
// begins with the first input; firing begins L steps later, the silent period, during which h grows
// by beta^L, so that a spike weighs u = beta^L when it leaves. The models that networks use are
// constants of this one equation:
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

namespace cssrun::internal {

// Of all neurons of a layer; their thresholds and biases are in Layer, by spike index and by
// channel.
struct NeuronParameters {
  float beta = 1.5F;
  float spike_weight = 1;  // u
  bool rectify = false;
  bool negative_spikes = true;
};

// h at the next step, before spikes are added; `bias` is 0 once all T inputs have arrived.
inline float Integrate(const NeuronParameters& p, float bias, float h) { return p.beta * h + bias; }

// o of a neuron, or of a pool whose largest membrane is `h`.
inline float Drive(const NeuronParameters& p, float h, float g) {
  return (p.rectify ? std::max(h, 0.0F) : h) - g;
}

// The spike that leaves, +1, -1 or 0; brings g from the last step to this one.
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
