// Transposes and reshapes that only move activations about are followed instead of computed.
//
// A model that was trained channels-last transposes the image at its beginning and the map before
// its fully connected layers; a channel shuffle is a Reshape, a Transpose and a Reshape. Spikes
// carry addresses, so none of this costs anything: for each such value the pass records where its
// elements lie in another value (views.h), and rewrites the nodes that read it, by reordering
// weights and constants or by moving the operator to the unmoved map. An image [1, rows, columns,
// channels] becomes the input [1, channels, rows, columns].
#ifndef CSSRUN_CONVERTER_PASSES_FOLLOW_ADDRESSES_H_
#define CSSRUN_CONVERTER_PASSES_FOLLOW_ADDRESSES_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes and normalized nodes. What cannot be followed stays as it was.
Status FollowAddresses(Graph& graph);

// Returns whether the image is [1, rows, columns, channels]: no window moves over it as it is, and
// it is transposed, or has 1, 3 or 4 columns and more rows and channels than that.
bool HasChannelsLast(const Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FOLLOW_ADDRESSES_H_
