// Adds maps of constants in the form of nodes that can become spikes.
#ifndef CSSRUN_CONVERTER_PASSES_ADD_MAPS_H_
#define CSSRUN_CONVERTER_PASSES_ADD_MAPS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Constants that differ from position to position, such as a mean image (Graph::image_map) or an
// embedding of positions (Add or Sub of an activation and a constant), cannot be a part of the
// normalization or of a bias. They are potentials, sent by one neuron that always stands for 1:
//
//     image -> Slice (one pixel) -> Conv (weight 0, bias 1) -> Relu -> Conv (to the whole map)
//
// Where only convolutions read the sum they are added behind these, conv(x + m) = conv(x) +
// conv(m); otherwise to x itself. Clears Graph::image_map. Call it when the graph's layers have
// their final weights.
Status AddMaps(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_ADD_MAPS_H_
