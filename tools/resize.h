// Bringing an image to the size that a network takes.
#ifndef CSSRUN_TOOLS_RESIZE_H_
#define CSSRUN_TOOLS_RESIZE_H_

#include <cstdint>

#include "tools/image.h"

namespace cssrun::tools {

// Bilinear with antialiasing, as PIL's and so torchvision's Resize does it: a triangle filter whose
// support grows with the reduction, 8-bit between the two passes. Networks are trained behind that
// filter, and no packaged library offers it without a desktop's worth of dependencies.
Image Resize(const Image& image, uint32_t width, uint32_t height);

// Resizes so that the shorter side is `side`, as torchvision's Resize(side) does.
Image ResizeShorterSide(const Image& image, uint32_t side);

// The middle `width` x `height`, as torchvision's CenterCrop; the image must not be smaller.
Image CropCentre(const Image& image, uint32_t width, uint32_t height);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RESIZE_H_
