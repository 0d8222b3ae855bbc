// The exit codes of the programs.
#ifndef CSSRUN_TOOLS_EXIT_CODES_H_
#define CSSRUN_TOOLS_EXIT_CODES_H_

#include "cssrun/status.h"

namespace cssrun::tools {

enum ExitCode : int {
  kAllDone = 0,
  kSomeInputsFailed = 1,  // the rest are done; cancelled, or out of time
  kUsage = 2,
  kBadModel = 3,
  kIoFailed = 4,
};

inline ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return kAllDone;
    case StatusCode::kInvalidArgument:
      return kUsage;
    case StatusCode::kBadModel:
      return kBadModel;
    case StatusCode::kCancelled:
    case StatusCode::kTimedOut:
      return kSomeInputsFailed;
    case StatusCode::kIo:
    case StatusCode::kOutOfMemory:
      break;
  }
  return kIoFailed;
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_EXIT_CODES_H_
