// The integer engine's arithmetic written plainly: what docs/design.md says, neuron by neuron, with
// dense sums, sharing no code with the runtime.
#ifndef CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_
#define CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "tests/oracle/reference.h"

namespace cssrun::oracle {

struct IntegerRun {
  Train train;
  // By neuron that fires: the index from which on some order of its sums may have saturated on the
  // way, so that a sum taken at once is no reference any more.
  std::vector<size_t> exact_until;
};

// One layer of neurons, driven by the trains of the earlier nodes; `inputs` as RunNode() takes
// them.
IntegerRun RunNodeInIntegers(const format::NetworkT& network, size_t node,
                             const std::vector<Train>& trains,
                             const std::vector<double>& inputs = {});

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_INTEGER_REFERENCE_H_
