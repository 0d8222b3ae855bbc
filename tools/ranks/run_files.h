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

// `path` returns the path of image 0 to count - 1. Otherwise as RunImages.
Status RunFiles(const std::shared_ptr<const Network>& network, const SessionOptions& options,
                const ImageLimits& limits, unsigned threads, size_t count,
                const std::function<const std::string&(size_t index)>& path,
                const DeliverOutcome& deliver);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RANKS_RUN_FILES_H_
