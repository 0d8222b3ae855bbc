// The adjustment of appendix A.3 (A18): the amplitude of a layer grows if its neurons end with more
// than they could send.
#ifndef CSSRUN_CONVERTER_ADJUST_H_
#define CSSRUN_CONVERTER_ADJUST_H_

#include <cstdint>
#include <span>
#include <vector>

#include "converter/amplitudes.h"
#include "converter/ann_run.h"
#include "converter/code_settings.h"
#include "converter/spiking.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Does one round. Runs the network in `bytes`, which was built from `codes`, on the images; u is
// the 99.9th percentile of a layer's residuals |u[T]|. If u > theta, theta grows by the factor 1 +
// u / (theta sb), so that a train also carries the residual, but not beyond the limit of a Clip.
Status AdjustAmplitudes(const SpikingNetwork& network, std::span<const uint8_t> bytes,
                        const ImageSet& images, const CodeSettings& code, unsigned threads,
                        const Progress& progress, std::vector<NodeCode>& codes);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ADJUST_H_
