// The ANN in 8-bit integers by oneDNN: what a user of that library would run instead of cssrun.
//
// Static quantization, as ONNX Runtime and oneDNN's own examples do it: weights of 8 bits with a
// scale for each channel of the output; activations of 8 bits with one scale each, the largest
// magnitude on the calibration images, unsigned where a ReLU makes them so. Products are summed in
// 32 bits, and rescaling, residual sums and ReLUs are part of the layer before them. Activations
// stay in 8 bits from the pixels to the last layer, whose logits are float.
//
// As a good user would, and as DenseNetwork does: layouts are those that oneDNN chooses, weights
// are reordered once, primitives are kept, the memory of activations is reused.
#ifndef CSSRUN_BENCH_OPPONENTS_ONEDNN_INT8_H_
#define CSSRUN_BENCH_OPPONENTS_ONEDNN_INT8_H_

#include <memory>

#include "converter/ann_run.h"
#include "converter/dense.h"
#include "converter/graph.h"
#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun::bench {

// Quantizes the graph (of LoadModel()) by the ranges of its activations on `calibration`. `input`
// has the preprocessing. The network takes one normalized image at a time. Error: kBadModel naming
// a node that this or oneDNN cannot run in 8 bits, such as a Concat.
Result<std::unique_ptr<converter::DenseNetwork>> CreateOneDnnInt8(
    const converter::Graph& graph, const converter::ImageSet& calibration,
    const InputFormat& input);

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_OPPONENTS_ONEDNN_INT8_H_
