// Small random networks drawn by kind: one layer that ought to take a wanted kernel, with what
// ought to join it. Whether it does is for the engine's plan to say, not for the draw.
#ifndef CSSRUN_TESTS_ORACLE_KIND_NETWORK_H_
#define CSSRUN_TESTS_ORACLE_KIND_NETWORK_H_

#include <cstdint>

#include "network_generated.h"

namespace cssrun::oracle {

// A shape that suits a kernel.
enum class Kind : uint8_t { kTileGather, kRowScatter, kDepthwise, kShortcut, kLevelConv };

// What else a layer has.
enum class Join : uint8_t {
  kNothing,
  kAlignedShortcut,  // a source whose rows are laid out as the layer's
  kOtherShortcut,
  kOtherSums,  // another convolution
  kPixels,     // not coded in spikes
  kDisjointPool,
  kOverlappingPool,
  kManySynapses,  // more than 16
};

struct KindOptions {
  Kind kind = Kind::kTileGather;
  Join join = Join::kNothing;
  bool settled = false;  // beta = 2, T <= 6, L >= T - 1; else anything else
};

format::NetworkT KindNetwork(const KindOptions& options, uint32_t seed);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_KIND_NETWORK_H_
