// Formats the answer to one frame of a stream.
#ifndef CSSRUN_TOOLS_STREAM_STREAM_LINES_H_
#define CSSRUN_TOOLS_STREAM_STREAM_LINES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/stream.h"
#include "tools/output.h"

namespace cssrun::tools {

struct FrameResult {
  uint64_t number = 0;            // from 0, damaged frames counted
  std::optional<double> seconds;  // Frame::seconds
  std::string name;               // Frame::name
  std::vector<Guess> guesses;     // best first; empty after an error and where answers are numbers
  std::string error;              // empty when all went well
};

// Returns the first line of the output, which is empty if the format has none.
std::string StreamHeader(OutputFormat format, size_t topk);

// Returns a complete line, in all formats but kNpy, and CSV only of classes. `answer` is not looked
// at after an error, which text does not contain.
std::string StreamLine(OutputFormat format, const FrameResult& result, const StreamAnswer& answer,
                       const Network& network, size_t topk);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_STREAM_STREAM_LINES_H_
