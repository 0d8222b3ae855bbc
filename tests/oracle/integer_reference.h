// The integer engine's arithmetic written plainly: what docs/design.md says, neuron by neuron, with
// dense sums, sharing no code with the runtime. Which scale, how many bits and which sum an engine
// chooses is its own affair and comes as Choices: tests/runtime/integer_plan_test.cc judges it.
#ifndef CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_
#define CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "tests/oracle/reference.h"

namespace cssrun::oracle {

// How what a source sends becomes part of a sum.
enum class Addition {
  kEvents,  // step by step, in 16 bits, saturating
  kLevels,  // all steps as one whole number, in 32 bits
  kFloat,   // all steps, not rounded to units
};

// What an engine decided about a node. The reference follows it and judges none of it.
struct Choices {
  bool settled = false;  // all input is there when the first spike leaves
  bool exact = false;    // of a settled node: nothing joins its 32-bit sums
  // Units of one amplitude before the silent period, by target channel.
  std::vector<double> scales;
  // Of the synapses that carry spikes, in the node's order.
  struct Synapses {
    Addition addition = Addition::kEvents;
    int bits = 8;  // of a weight in units; of no meaning for kFloat
  };
  std::vector<Synapses> synapses;
};

struct IntegerRun {
  Train train;
  bool weights_fit = true;  // in units, into their bits
  // By neuron that fires: the index from which on it depends on the order of additions, some of
  // which saturate on the way, so that a sum taken at once is no reference any more; or on the
  // rounding of floats.
  std::vector<size_t> exact_until;
};

// One layer of neurons, driven by the trains of the earlier nodes; `inputs` as RunNode() takes
// them.
IntegerRun RunNodeInIntegers(const format::NetworkT& network, size_t node, const Choices& choices,
                             const std::vector<Train>& trains,
                             const std::vector<double>& inputs = {});

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_
