// Resizes and crops an image to the size that a network takes.
#ifndef CSSRUN_TOOLS_RESIZE_H_
#define CSSRUN_TOOLS_RESIZE_H_

#include <cstdint>

#include "tools/image.h"

namespace cssrun::tools {

// Resizes bilinearly with antialiasing, as PIL and therefore torchvision's Resize do: a triangle
// filter whose support grows with the reduction, and 8 bits between the two passes. Networks are
// trained on images resized by that filter, and no packaged library offers it without the
// dependencies of a desktop.
Image Resize(const Image& image, uint32_t width, uint32_t height);

// Resizes so that the shorter side is `side`, as torchvision's Resize(side) does.
Image ResizeShorterSide(const Image& image, uint32_t side);

// Returns the middle `width` x `height`, as torchvision's CenterCrop; the image must not be
// smaller.
Image CropCentre(const Image& image, uint32_t width, uint32_t height);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RESIZE_H_
