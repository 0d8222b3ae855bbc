// The public LayerKind of a node of a network file.
#ifndef CSSRUN_RUNTIME_NETWORK_LAYER_KIND_H_
#define CSSRUN_RUNTIME_NETWORK_LAYER_KIND_H_

#include "cssrun/network.h"
#include "network_generated.h"

namespace cssrun::internal {

inline LayerKind LayerKindOf(format::NodeKind node, bool pooled, format::InputCoding input) {
  switch (node) {
    case format::NodeKind::Encoder:
      return input == format::InputCoding::Direct ? LayerKind::kPixels : LayerKind::kEncoder;
    case format::NodeKind::Readout:
      return LayerKind::kReadout;
    case format::NodeKind::Neurons:
      break;
  }
  return pooled ? LayerKind::kPooledNeurons : LayerKind::kNeurons;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NETWORK_LAYER_KIND_H_
