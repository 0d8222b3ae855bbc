// Draws small random networks by kind: one layer whose shape suits a wanted kernel, with the wanted
// joins. The draw does not decide whether the layer gets that kernel; the engine's plan says so.
#ifndef CSSRUN_TESTS_ORACLE_KIND_NETWORK_H_
#define CSSRUN_TESTS_ORACLE_KIND_NETWORK_H_

#include <cstdint>

#include "network_generated.h"

namespace cssrun::oracle {

// A shape that suits a kernel.
enum class Kind : uint8_t {
  kTileGather,
  kRowScatter,
  kDepthwise,
  kShortcut,
  kLevelConv,
  kWinograd,  // level_conv with Winograd's products: settled, T = 7
};

// A feature that the layer has besides its main synapses.
enum class Join : uint8_t {
  kNothing,
  kAlignedShortcut,  // a source whose rows are laid out as the layer's
  kCopiedShortcut,   // of other places, a layer's only one
  kOtherShortcut,    // of means, or two of them
  kOtherSums,        // a second convolution
  kPixels,           // synapses from pixels with direct input
  kDisjointPool,
  kOverlappingPool,
  kManySynapses,  // more than 16
};

struct KindOptions {
  Kind kind = Kind::kTileGather;
  Join join = Join::kNothing;
  bool settled = false;     // beta = 2, T <= 6, L >= T - 1; if false, any other code
  bool long_train = false;  // of settled ones: T is 7 or 8
};

format::NetworkT KindNetwork(const KindOptions& options, uint32_t seed);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_KIND_NETWORK_H_
