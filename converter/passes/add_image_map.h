// Adds Graph::image_map to the image, in the form of nodes that can become spikes.
#ifndef CSSRUN_CONVERTER_PASSES_ADD_IMAGE_MAP_H_
#define CSSRUN_CONVERTER_PASSES_ADD_IMAGE_MAP_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// A mean image that a model subtracts differs from pixel to pixel, so it cannot be a part of the
// normalization. Behind the first layer it is a map of potentials, conv(x + m) = conv(x) + conv(m),
// sent by one neuron that always stands for 1:
//
//     image -> Conv ----------------------------------------------------------------------- Add
//     image -> Slice (one pixel) -> Conv (weight 0, bias 1) -> Relu -> Conv (to the whole map) |
//
// Clears Graph::image_map. Call it when the graph's layers have their final weights.
Status AddImageMap(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_ADD_IMAGE_MAP_H_
