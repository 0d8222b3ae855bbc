// The paper's equations in plain code: double precision, dense, one loop per index.
//
// The reference is slow and obviously right; every fast path is tested against it. It shares no
// code with the runtime and works on spike indices, not on global steps. The runtime's delay lines
// must therefore give the same result as if index i of every source met index i of every other.
#ifndef CSSRUN_TESTS_ORACLE_REFERENCE_H_
#define CSSRUN_TESTS_ORACLE_REFERENCE_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"

namespace cssrun::oracle {

// Spikes of one layer: [index][channel, row, column], each -1, 0 or +1.
using Train = std::vector<std::vector<int8_t>>;

struct NodeRun {
  Train train;
  // The distance of each decision from its threshold, | |o| - v |, as a share of the sum of the
  // absolute values that were added up to o. Rounding errors are compared with it. The layout is
  // that of `train`.
  std::vector<std::vector<double>> margin;
  std::vector<double> potentials;  // after the last step; those of the readout are the logits
  uint64_t synops = 0;
};

// Encodes normalized inputs [channel, row, column] (Theorem 3).
NodeRun RunEncoder(const format::NetworkT& network, const std::vector<double>& inputs);

// The amounts that spikes add to the membranes of `node` at input index `index`: sums, and sums of
// absolute values.
struct Inputs {
  std::vector<double> sum;
  std::vector<double> magnitude;
};
Inputs SumInputs(const format::NetworkT& network, const format::NodeT& node,
                 const std::vector<Train>& trains, size_t index);

// Returns the largest member of each pool, or `membranes` themselves if the node has no pool.
std::vector<double> PoolMembranes(const format::NodeT& node, const std::vector<double>& membranes);

// Runs one layer, driven by the trains of the earlier nodes. With direct input, synapses from the
// encoder read the normalized `inputs` [channel, row, column] instead of its train, 1 / sb of them
// at each step.
NodeRun RunNode(const format::NetworkT& network, size_t node, const std::vector<Train>& trains,
                const std::vector<double>& inputs = {});

// Returns sb.
double SumOfWeights(const format::NetworkT& network);

// Runs the whole network on one image of 8-bit interleaved pixels.
std::vector<NodeRun> RunNetwork(const format::NetworkT& network,
                                const std::vector<uint8_t>& pixels);

// Computes (pixel / 255 - mean) / stddev, as [channel, row, column]; the quotient is a float.
std::vector<double> Normalize(const format::NetworkT& network, const std::vector<uint8_t>& pixels);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_REFERENCE_H_
