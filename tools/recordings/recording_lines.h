// Formats an answer to a recording as a line, in the columns and keys of images where they mean the
// same.
#ifndef CSSRUN_TOOLS_RECORDINGS_RECORDING_LINES_H_
#define CSSRUN_TOOLS_RECORDINGS_RECORDING_LINES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "tools/output.h"

namespace cssrun::tools {

struct RecordingResult {
  ImageResult answer;   // `steps` is not looked at: time has no end
  uint64_t steps = 0;   // that are done
  double seconds = 0;   // of the recording, since it began
  uint64_t events = 0;  // that reached the network
  bool live = false;    // an answer before the end
};

std::string RecordingHeader(OutputFormat format, size_t topk);
// Returns a complete line, in all formats but kNpy; empty for an error in text.
std::string RecordingLine(OutputFormat format, const RecordingResult& result, size_t topk);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_RECORDING_LINES_H_
