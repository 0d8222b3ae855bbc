// cssrun on recordings of event cameras.
#ifndef CSSRUN_TOOLS_RECORDINGS_RUN_RECORDINGS_H_
#define CSSRUN_TOOLS_RECORDINGS_RUN_RECORDINGS_H_

#include <memory>

#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/cssrun_arguments.h"

namespace cssrun::tools {

// Runs the recordings that the arguments name, as many at a time as there are threads, and prints
// their answers in order; the summary and the report follow, also after an interruption. Returns
// whether all could be read. Errors: kInvalidArgument where the options or the network do not go
// with recordings, or a file named is an image; kIo.
Result<bool> RunRecordings(const Arguments& arguments,
                           const std::shared_ptr<const Network>& network);

// For a network that takes images: says where a path is a recording, or options are for recordings.
Status CheckNoRecordings(const Arguments& arguments);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_RUN_RECORDINGS_H_
