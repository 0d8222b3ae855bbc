// The expected time of an image: the operations of the plan, times what this machine's kernels take
// for each.
//
// It compares codes before any of them runs, so it must put networks in the right order, but need
// not be exact. SyOPs cannot do that: products of levels are cheaper than additions of events by a
// factor of five. `bench/cost.py` prints the model beside measured times, by network and by kernel,
// so that a wrong constant shows.
#ifndef CSSRUN_RUNTIME_INTEGER_COST_H_
#define CSSRUN_RUNTIME_INTEGER_COST_H_

#include <vector>

namespace cssrun::internal {

struct LoadedNetwork;

// Milliseconds on one thread of this machine if kExpectedRate of the neurons fire at each step
// (plan.h). Does not depend on the machine's load. For the float engine, which has no plan, the
// time follows from the network's size.
double ExpectedMilliseconds(const LoadedNetwork& network);

// The same by layer index, for a network that the integer engine runs.
std::vector<double> ExpectedLayerMilliseconds(const LoadedNetwork& network);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_COST_H_
