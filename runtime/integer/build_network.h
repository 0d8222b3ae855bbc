// Lays a network out in integers: chooses kernels, quantizes, builds.
#ifndef CSSRUN_RUNTIME_INTEGER_BUILD_NETWORK_H_
#define CSSRUN_RUNTIME_INTEGER_BUILD_NETWORK_H_

#include <optional>
#include <string>

#include "format/network_file.h"
#include "runtime/integer/network.h"

namespace cssrun::internal {

// Nothing, with the reason, when the network needs what 16-bit membranes or this layout cannot do;
// the float engine runs such networks. Throws as NetworkFile::WeightsOf().
std::optional<IntegerNetwork> BuildIntegerNetwork(const format::NetworkFile& file,
                                                  std::string& reason);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_BUILD_NETWORK_H_
