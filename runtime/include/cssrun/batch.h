// Runs many images on many cores, with one session per image in progress, and delivers the answers
// in order.
//
// Threads: RunImages may be called by several threads at once. Errors: a Status; see RunImages.
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

// The result of one image. `answer` is valid only if status.ok().
struct ImageOutcome {
  Status status;
  Answer answer;
  double load_seconds = 0.0;  // spent in `load`
  double run_seconds = 0.0;   // spent in Session::Run
};

// Fills `pixels` with image `index` as Session::Run takes it: height * width * channels bytes, or
// floats from 0 to 1. If it returns an error, that image is delivered with this status and the
// other images go on. Called by several threads at the same time. On entry the vector holds an
// earlier image or nothing; resize it.
using LoadImage = std::function<Status(size_t index, std::vector<uint8_t>& pixels)>;
using LoadFloatImage = std::function<Status(size_t index, std::vector<float>& pixels)>;
// Called once per image in the order of the index, by any of the threads, but by one at a time.
// Return false to stop the run early.
using DeliverOutcome = std::function<bool(size_t index, const ImageOutcome& outcome)>;

// Runs images 0 to count - 1 and returns when all threads are done. It uses at most `threads`
// threads (0: all cores); these include the calling thread, and they also run the callbacks.
// SessionOptions::threads of them share each image, and threads / SessionOptions::threads images
// run at the same time: with 8 threads and 3 per image, two images on six threads.
//
// Returns Ok if every image has been delivered or `deliver` stopped the run. An image that fails
// does not end the run: its status is delivered. Errors:
//   kInvalidArgument  wrong options; no image has been loaded
//   kOutOfMemory      before any image has been loaded: no room for the sessions;
//                     later: memory ran out, or a callback threw std::bad_alloc or
//                     std::length_error. The run then stops, and the outcomes delivered before are
//                     valid.
// Any other exception of a callback stops the run and is thrown by RunImages.
CSSRUN_API Status RunImages(const std::shared_ptr<const Network>& network,
                            const SessionOptions& options, size_t count, unsigned threads,
                            const LoadImage& load, const DeliverOutcome& deliver,
                            PixelOrder order = PixelOrder::kInterleaved);
CSSRUN_API Status RunImages(const std::shared_ptr<const Network>& network,
                            const SessionOptions& options, size_t count, unsigned threads,
                            const LoadFloatImage& load, const DeliverOutcome& deliver,
                            PixelOrder order = PixelOrder::kInterleaved);

// Returns `threads`, or the number of cores if it is 0. At least 1.
CSSRUN_API unsigned ThreadCount(unsigned threads);

}  // namespace cssrun

#endif  // CSSRUN_BATCH_H_
