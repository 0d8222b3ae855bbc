// Small networks that take events, to be changed by tests.
#ifndef CSSRUN_TESTS_ORACLE_EVENT_PARTS_H_
#define CSSRUN_TESTS_ORACLE_EVENT_PARTS_H_

#include "format/network_file.h"

namespace cssrun::oracle {

// Inputs of 2x4x4, a convolution of 3x3 to 3 channels of leaky neurons, and a full matrix of sums
// of 2x2 to 5 neurons without a leak, which are read by their spikes. Thresholds are 1, resets
// subtract, weights are 1/4 to 3/4.
format::NetworkT SmallEventNetwork();

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_EVENT_PARTS_H_
