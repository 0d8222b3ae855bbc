// Lays out first layers that multiply the bytes of pixels: see whole_pixels.h.
#ifndef CSSRUN_RUNTIME_INTEGER_PIXELS_LAY_OUT_PIXELS_H_
#define CSSRUN_RUNTIME_INTEGER_PIXELS_LAY_OUT_PIXELS_H_

#include "network_generated.h"
#include "runtime/integer/connection.h"
#include "runtime/integer/network.h"
#include "runtime/integer/quantize.h"

namespace cssrun::internal {

// What a layer's pixels are laid out from.
struct PixelSource {
  const format::NetworkFile& file;
  const IntegerNetwork& integers;  // `pixels` and `layouts` of it are there
  const CodeOf& code;
};

// Sets `pixel_conv`, `scales` and the neurons' scale of a settled layer that sees nothing but the
// image, through one convolution. Throws as NetworkFile::WeightsOf().
void BuildPixelConv(const PixelSource& source, const format::Node& node, const TargetLayer& target,
                    IntegerLayer& layer);

// The layout of the image as bytes, with the margin that the windows of its readers see; empty
// without readers.
void LayOutPixels(const format::Network& network, IntegerNetwork& integers);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_PIXELS_LAY_OUT_PIXELS_H_
