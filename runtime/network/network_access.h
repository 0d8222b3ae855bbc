// Gives tests, benchmarks and tools of this project access to the inside of a Network.
#ifndef CSSRUN_RUNTIME_NETWORK_NETWORK_ACCESS_H_
#define CSSRUN_RUNTIME_NETWORK_NETWORK_ACCESS_H_

#include "cssrun/network.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

struct NetworkAccess {
  static const LoadedNetwork& Loaded(const Network& network) { return *network.loaded_; }
};

// The result lives as long as `network`.
inline const LoadedNetwork& Loaded(const Network& network) {
  return NetworkAccess::Loaded(network);
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NETWORK_NETWORK_ACCESS_H_
