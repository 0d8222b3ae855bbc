// Rounds the weights of settled layers as the integer engine would, so that the bias can take back
// what is lost.
//
// Level kernels of long trains multiply by whole numbers of one byte. The file gets such numbers,
// in units of its own for each target channel, and every reader finds them (WholeScale()): all
// engines and instruction sets give the same answers. A sum of many rounded weights is off most by
// what the mean of its sources adds, since levels are positive; that goes to the bias (bias
// correction; M. Nagel et al., Data-Free Quantization through Weight Equalization and Bias
// Correction, 2019). ResNet-20's logit error at T = 8 falls from 3.5 to 3.3 %.
//
// Winograd's products (runtime/integer/kernels/level_conv/winograd.h) need sums of a kernel row's
// weights that are bytes, too, so units 1.5 to 2.9 times as large.
//
// Weights of 8-bit pixels, which a reader may round to 15 bits, take half of the products as bytes:
// ResNet-50's first layer 0.93 ms instead of 1.67. ResNet-20's logit error at T = 7 rises from 3.7
// to 3.8 %. With T = 8, for which more bits were asked, they keep them.
#ifndef CSSRUN_CONVERTER_ROUND_WEIGHTS_H_
#define CSSRUN_CONVERTER_ROUND_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "converter/code_settings.h"
#include "converter/spiking.h"
#include "network_generated.h"

namespace cssrun::converter {

enum class WeightRounding : uint8_t {
  kNone,      // by the reader
  kBytes,     // weights are bytes
  kWinograd,  // so are sums of a kernel row: where kernels use it, if levels are at most 127
};

// How the weights of `synapses`, which lead to `node`, are rounded. `knows_pixels`: whether the
// file has 8-bit pixels and how they are scaled. Only dense convolutions between settled layers
// are, and those of pixels: depthwise kernels take more bits, and means and the readout are summed
// otherwise. Layers of a quantized model keep their own rounding.
WeightRounding RoundingOf(const SpikingNetwork& network, const SpikingNode& node,
                          const SpikingSynapses& synapses, const CodeSettings& code,
                          bool knows_pixels);

// What the source channels of some synapses send, in their amplitudes.
struct SentBy {
  std::span<const double> means;  // 0 where unknown
  // Of pixels, what one of 255 adds: the weight times it is a whole number of units. Empty: 1.
  std::span<const double> steps;
};

// Rounds the weights of `synapses`, [target][source of the group][ky][kx]. Returns by target
// channel what the weights lost on the mean of its sources, in the target's amplitudes. Targets
// whose weights are whole numbers of some unit already keep them, as those of a model that was
// trained so.
std::vector<double> RoundWeights(WeightRounding rounding, const SentBy& sources,
                                 format::SynapsesT& synapses);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ROUND_WEIGHTS_H_
