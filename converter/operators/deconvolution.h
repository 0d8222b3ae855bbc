// A transposed convolution: its attributes, checked, and the convolution that it is.
#ifndef CSSRUN_CONVERTER_OPERATORS_DECONVOLUTION_H_
#define CSSRUN_CONVERTER_OPERATORS_DECONVOLUTION_H_

#include <array>
#include <cstdint>
#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Rows and columns. Input position i reaches output positions i * stride - pad_before + k *
// dilation for taps k.
struct Deconvolution {
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> dilation = {1, 1};
  std::array<int64_t, 2> pad_before = {0, 0};
  std::array<int64_t, 2> pad_after = {0, 0};  // less output_padding, so that it may be negative
  std::array<int64_t, 2> positions = {1, 1};  // of the output
  int64_t groups = 1;
};

// Reads a ConvTranspose or Deconvolution over `input`, [batch, channels, rows, columns], whose
// kernel has the shape `weights`. Error: kBadModel naming the node.
Result<Deconvolution> DeconvolutionOf(const Node& node, const Shape& input, const Shape& weights);

// Makes a ConvTranspose with constant weights a Deconvolution: weights [output channel][input
// channel of the group][ky][kx], and no negative padding. Others stay.
Status NormalizeConvTranspose(Graph& graph, Node& node);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_DECONVOLUTION_H_
