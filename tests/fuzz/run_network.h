// Loads bytes as a network and runs it, if it loads, in every way that a caller might.
#ifndef CSSRUN_TESTS_FUZZ_RUN_NETWORK_H_
#define CSSRUN_TESTS_FUZZ_RUN_NETWORK_H_

#include <cstdint>
#include <span>

#include "cssrun/limits.h"

namespace cssrun::fuzz {

// Ends the process if an error is not a clean one, or two equal runs differ. Returns true if the
// network was accepted.
bool RunNetwork(std::span<const uint8_t> bytes, const NetworkLimits& limits);

// Limits that are small enough for a fuzzer to try thousands of inputs a second.
constexpr NetworkLimits kSmall = {1 << 14, 1 << 20, 64, 32};

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_RUN_NETWORK_H_
