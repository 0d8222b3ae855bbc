// How long an image is expected to take: what the plan has to do, times what this machine's kernels
// take for it.
//
// It decides between codes before any of them runs, so it has to put networks into the right order
// and need not be exact. SyOPs cannot do that: products of levels are cheaper than additions of
// events by a factor of five. `bench/cost.py` prints the model beside measured times, by network
// and by kernel, so that a wrong constant shows.
#ifndef CSSRUN_RUNTIME_INTEGER_COST_H_
#define CSSRUN_RUNTIME_INTEGER_COST_H_

#include <vector>

namespace cssrun::internal {

struct LoadedNetwork;

// Milliseconds on one thread of this machine, where kExpectedRate of the neurons fire at each step
// (plan.h). It does not depend on what else the machine does. The float engine, which has no plan,
// takes its time from the network's size.
double ExpectedMilliseconds(const LoadedNetwork& network);

// The same by layer index, of a network that the integer engine runs.
std::vector<double> ExpectedLayerMilliseconds(const LoadedNetwork& network);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_COST_H_
