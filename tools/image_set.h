// A folder of images as the converter takes them, for cssconvert and the Python module.
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

// Every image below `folder`, with its class where a folder is named like a label. Error: kIo where
// one cannot be read or is no image, since a network calibrated on something else than was asked
// for is worse than none; kInvalidArgument where there is none. `progress` is told of images done
// and images in all.
Status ReadImageSet(const std::string& folder, const std::vector<std::string>& labels,
                    const InputFormat& format, const ImageLimits& limits,
                    const std::function<void(size_t done, size_t total)>& progress,
                    converter::ImageSet& images);

// Class names for a model of so many classes where nobody gave any: the folder's own sub-folders
// where they are as many, in the sorted order that torchvision's ImageFolder trains with; else
// none.
Result<std::vector<std::string>> GuessLabels(const std::string& folder, size_t classes);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_IMAGE_SET_H_
