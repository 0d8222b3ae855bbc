// Computes what pixels add to potentials with direct input, in plain code.
#ifndef CSSRUN_TESTS_ORACLE_DIRECT_REFERENCE_H_
#define CSSRUN_TESTS_ORACLE_DIRECT_REFERENCE_H_

#include <vector>

#include "network_generated.h"

namespace cssrun::oracle {

bool IsDirect(const format::NetworkT& network, const format::SynapsesT& s);

// Returns what the image adds to each membrane [channel, row, column] at each step, in amplitudes.
// The sums are in float, tap after tap. `inputs`: normalized pixels [channel, row, column].
std::vector<float> DirectPotentials(const format::NetworkT& network, const format::NodeT& node,
                                    const std::vector<double>& inputs);

// The same of a node whose only synapses are one convolution of the image, where pixels are bytes
// and weights whole numbers: in units of `scales`, which are those of an amplitude, of all steps.
std::vector<double> WholePixelSums(const format::NetworkT& network, const format::NodeT& node,
                                   const std::vector<double>& inputs,
                                   const std::vector<double>& scales);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_DIRECT_REFERENCE_H_
