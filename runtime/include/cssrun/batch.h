// Many images on many cores: one session per thread, answers delivered in order.
#ifndef CSSRUN_BATCH_H_
#define CSSRUN_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cssrun/export.h"
#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"

namespace cssrun {

// What became of one image. `answer` means something only when status.ok().
struct ImageOutcome {
  Status status;
  Answer answer;
  double load_seconds = 0.0;  // spent in `load`
  double run_seconds = 0.0;   // spent in Session::Run
};

// Fills `pixels` with image `index`; a failure is delivered to `deliver` and the rest goes on.
// Called from several threads at once.
using LoadImage = std::function<Status(size_t index, std::vector<uint8_t>& pixels)>;
// Called once per image, in the order of the index, never twice at the same time. Returning false
// stops the run early.
using DeliverOutcome = std::function<bool(size_t index, const ImageOutcome& outcome)>;

// Runs images 0..count-1 with at most `threads` threads (0: all cores).
CSSRUN_API void RunImages(const std::shared_ptr<const Network>& network,
                          const SessionOptions& options, size_t count, unsigned threads,
                          const LoadImage& load, const DeliverOutcome& deliver);

// The number of threads that RunImages uses when it is asked for `threads`.
CSSRUN_API unsigned ThreadCount(unsigned threads);

}  // namespace cssrun

#endif  // CSSRUN_BATCH_H_
