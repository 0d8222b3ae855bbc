// Rounds the weights of some convolutions so that kernels may take fewer products for them.
//
// Winograd's products (runtime/integer/kernels/level_conv/winograd.h) need sums of a kernel row's
// weights that are bytes, so units 1.5 to 2.9 times as large as other products. The file gets whole
// numbers of such units, and every reader finds them: all engines and instruction sets give the
// same answers, with these products or without.
//
// A sum of so many rounded weights is off most by what the mean of its sources adds, since levels
// are positive. The bias takes this back (bias correction; M. Nagel et al., Data-Free Quantization
// through Weight Equalization and Bias Correction, 2019).
#ifndef CSSRUN_CONVERTER_WINOGRAD_WEIGHTS_H_
#define CSSRUN_CONVERTER_WINOGRAD_WEIGHTS_H_

#include <span>
#include <vector>

#include "converter/code_settings.h"
#include "converter/spiking.h"
#include "network_generated.h"

namespace cssrun::converter {

// Whether the weights are rounded: in long settled codes whose levels are small enough, where
// kernels use it. Layers of a quantized model keep their own rounding.
bool TakesWinograd(const SpikingNetwork& network, const SpikingNode& node,
                   const SpikingSynapses& synapses, const CodeSettings& code);

// Rounds the weights of `synapses`, [target][source of the group][ky][kx]. `means`: of what each
// source channel sends, in its amplitudes; 0 where unknown. Returns by target channel what the
// weights lost on the mean of its sources, in the target's amplitudes. Targets whose weights are
// whole numbers of some unit already keep them, as those of a model that was trained so.
std::vector<double> RoundForWinograd(std::span<const double> means, format::SynapsesT& synapses);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_WINOGRAD_WEIGHTS_H_
