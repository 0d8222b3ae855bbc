// The orientation that cameras write beside the pixels (EXIF), which a viewer turns an image by.
// PIL and torchvision leave it alone unless they are told, and so do we.
#ifndef CSSRUN_TOOLS_ORIENTATION_H_
#define CSSRUN_TOOLS_ORIENTATION_H_

#include <cstdint>
#include <span>

#include "tools/image.h"

namespace cssrun::tools {

// Returns the orientation of a JPEG, PNG or WebP file, 1 to 8 as EXIF counts them. 1, upright, also
// where there is none, or what there is makes no sense.
int OrientationOf(std::span<const uint8_t> file);

// Turns and mirrors an image of that orientation so that it stands upright, as PIL's
// ImageOps.exif_transpose does.
Image Upright(Image image, int orientation);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_ORIENTATION_H_
