// Loads bytes as a network and runs what loads, in every way that a caller might.
#ifndef CSSRUN_TESTS_FUZZ_RUN_NETWORK_H_
#define CSSRUN_TESTS_FUZZ_RUN_NETWORK_H_

#include <cstdint>
#include <span>

#include "cssrun/limits.h"

namespace cssrun::fuzz {

// Ends the process where an error is not the clean one, or two equal runs differ. True where the
// network was accepted.
bool RunNetwork(std::span<const uint8_t> bytes, const NetworkLimits& limits);

// So few that a fuzzer tries thousands a second.
constexpr NetworkLimits kSmall = {1 << 14, 1 << 20, 64, 32};

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_RUN_NETWORK_H_
