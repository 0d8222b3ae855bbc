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

// Fills `pixels` with image `index`, as Session::Run takes it: bytes, or floats from 0 to 1. A
// failure is delivered to `deliver` and the rest goes on. Called from several threads at once; the
// vector holds an earlier image.
using LoadImage = std::function<Status(size_t index, std::vector<uint8_t>& pixels)>;
using LoadFloatImage = std::function<Status(size_t index, std::vector<float>& pixels)>;
// Called once per image, in the order of the index, never twice at the same time, by any of the
// threads. Returning false stops the run early.
using DeliverOutcome = std::function<bool(size_t index, const ImageOutcome& outcome)>;

// Runs images 0..count-1 with at most `threads` threads in all (0: all cores), the caller's
// included, callbacks included. SessionOptions::threads of them share an image, at most all; so
// many images run at the same time that this comes to `threads` or less: with 8 threads of which 3
// share an image, two images on six threads.
//
// Returns Ok when every image has been delivered or `deliver` stopped the run. An image that fails
// is no failure of the run: its status is delivered. Errors: kInvalidArgument on wrong options,
// kOutOfMemory when there is no room for the sessions; no image has been loaded then. kOutOfMemory
// also when memory runs out between images, or a callback throws std::bad_alloc or
// std::length_error: the run stops, and what has been delivered by then is sound. Any other
// exception of a callback stops the run and passes through RunImages, once all threads are done.
CSSRUN_API Status RunImages(const std::shared_ptr<const Network>& network,
                            const SessionOptions& options, size_t count, unsigned threads,
                            const LoadImage& load, const DeliverOutcome& deliver,
                            PixelOrder order = PixelOrder::kInterleaved);
CSSRUN_API Status RunImages(const std::shared_ptr<const Network>& network,
                            const SessionOptions& options, size_t count, unsigned threads,
                            const LoadFloatImage& load, const DeliverOutcome& deliver,
                            PixelOrder order = PixelOrder::kInterleaved);

// `threads`, or as many as there are cores where it is 0.
CSSRUN_API unsigned ThreadCount(unsigned threads);

}  // namespace cssrun

#endif  // CSSRUN_BATCH_H_
