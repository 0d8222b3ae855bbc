// The integer engine's arithmetic in plain code: what docs/design.md says, neuron by neuron, with
// dense sums, sharing no code with the runtime. The reference does not choose scales, bits and
// kinds of sums; it takes the engine's choices as Choices, and tests/runtime/integer_plan_test.cc
// checks these.
#ifndef CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_
#define CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "tests/oracle/reference.h"

namespace cssrun::oracle {

// How the spikes of a source become part of a sum.
enum class Addition {
  kEvents,  // step by step, in 16 bits, saturating
  kLevels,  // all steps as one whole number, in 32 bits
  kFloat,   // all steps, not rounded to units
  kScaled,  // all steps, with scales of its own, joined in float
};

// An engine's decisions about a node. The reference follows them without checking them.
struct Choices {
  bool settled = false;  // all input is there when the first spike leaves
  bool exact = false;    // for a settled node: nothing is added to its 32-bit sums
  // Units of one amplitude before the silent period, by target channel.
  std::vector<double> scales;
  bool whole_pixels = false;  // pixels are bytes, and their weights whole numbers
  // The synapses that carry spikes, in the node's order.
  struct Synapses {
    Addition addition = Addition::kEvents;
    int bits = 8;                     // of a weight in units; unused for kFloat
    std::vector<double> scales = {};  // of kScaled, by target channel
  };
  std::vector<Synapses> synapses;
};

struct IntegerRun {
  Train train;
  bool weights_fit = true;  // whether weights in units fit their bits
  // By neuron that fires: the first spike index that depends on the order of additions, because a
  // sum may saturate on the way, or on the rounding of floats. From there on the reference, which
  // takes each sum at once, decides nothing.
  std::vector<size_t> exact_until;
  // Of a settled node, by neuron that fires: what its train rounds, in amplitudes.
  std::vector<double> potentials;
};

// Runs one layer of neurons, driven by the trains of the earlier nodes. `inputs` are those of
// RunNode().
IntegerRun RunNodeInIntegers(const format::NetworkT& network, size_t node, const Choices& choices,
                             const std::vector<Train>& trains,
                             const std::vector<double>& inputs = {});

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_
