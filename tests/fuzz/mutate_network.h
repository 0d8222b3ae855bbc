// Damages a network at random in ways that only a structured mutation reaches: one field at a time,
// in a file that is otherwise intact.
#ifndef CSSRUN_TESTS_FUZZ_MUTATE_NETWORK_H_
#define CSSRUN_TESTS_FUZZ_MUTATE_NETWORK_H_

#include <random>

#include "network_generated.h"

namespace cssrun::fuzz {

// Changes one field, table or list. Some changes keep the network sound (weights, thresholds, T
// with all that depends on it), most do not.
void MutateNetwork(std::mt19937& random, format::NetworkT& network);

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_MUTATE_NETWORK_H_
