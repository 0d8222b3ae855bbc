// cssrun --stream: runs the frames of a source and prints their answers.
#ifndef CSSRUN_TOOLS_STREAM_RUN_STREAM_H_
#define CSSRUN_TOOLS_STREAM_RUN_STREAM_H_

#include <memory>

#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/cssrun_arguments.h"

namespace cssrun::tools {

// Runs the stream until it ends, is interrupted, or its answers cannot be written any more; in each
// case the summary and the report follow. Returns whether all frames could be decoded. Errors:
// those of OpenSource() and of Stream; kIo where something could not be written.
Result<bool> RunStream(const Arguments& arguments, const std::shared_ptr<const Network>& network);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_STREAM_RUN_STREAM_H_
