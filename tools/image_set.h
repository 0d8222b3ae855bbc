// Reads a folder of images for the converter; cssconvert and the Python module use it.
#ifndef CSSRUN_TOOLS_IMAGE_SET_H_
#define CSSRUN_TOOLS_IMAGE_SET_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "converter/ann_run.h"
#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/image.h"

namespace cssrun::tools {

// Reads every image below `folder`, with its class where a folder's name is a label. Returns what
// the user should know: how many images could not be read and were left out, and the first of them;
// how many were read with warnings; and how many were not listed because of their kind. Errors: kIo
// where more than half of the images cannot be read; kInvalidArgument where there is no image.
// Calls `progress` with images done and images in all.
Result<std::vector<std::string>> ReadImageSet(
    const std::string& folder, const std::vector<std::string>& labels, const InputFormat& format,
    const ImageLimits& limits, const std::function<void(size_t done, size_t total)>& progress,
    converter::ImageSet& images);

// Returns class names for a model of this many classes when the user gave none: the names of the
// folder's own sub-folders if there are as many, in the sorted order that torchvision's ImageFolder
// trains with; else none.
Result<std::vector<std::string>> GuessLabels(const std::string& folder, size_t classes);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_IMAGE_SET_H_
