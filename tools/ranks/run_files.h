// Decodes and runs image files in this process.
#ifndef CSSRUN_TOOLS_RANKS_RUN_FILES_H_
#define CSSRUN_TOOLS_RANKS_RUN_FILES_H_

#include <functional>
#include <memory>
#include <string>

#include "cssrun/batch.h"
#include "cssrun/network.h"
#include "cssrun/session.h"
#include "tools/image.h"

namespace cssrun::tools {

// What came of an image file.
struct FileOutcome : ImageOutcome {
  std::string warning;  // Image::warning
};

// As DeliverOutcome.
using DeliverFile = std::function<bool(size_t index, const FileOutcome& outcome)>;

// The network's format, with images turned upright also if the file does not say so.
InputFormat FormatOf(const Network& network, bool upright);

// Runs images of this format, the network's or one that differs from it in how pictures become
// images. `path` returns the path of image 0 to count - 1. Otherwise as RunImages.
Status RunFiles(const std::shared_ptr<const Network>& network, const InputFormat& format,
                const SessionOptions& options, const ImageLimits& limits, unsigned threads,
                size_t count, const std::function<const std::string&(size_t index)>& path,
                const DeliverFile& deliver);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RANKS_RUN_FILES_H_
