// Options for loading a network that the converter has just made.
#ifndef CSSRUN_CONVERTER_OWN_NETWORK_H_
#define CSSRUN_CONVERTER_OWN_NETWORK_H_

#include <cstdint>
#include <limits>

#include "cssrun/network.h"

namespace cssrun::converter {

// Returns options without limits, because LoadModel() and PrepareModel() have checked them.
inline LoadOptions OwnNetwork(EngineKind engine) {
  LoadOptions options = engine;
  constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  options.limits = {kNone, kNone, kNone, std::numeric_limits<uint32_t>::max()};
  return options;
}

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OWN_NETWORK_H_
