// Runs the frames of a camera or a video through a Network, for the price of what changed.
//
// A Stream keeps the levels of every layer from one frame to the next and computes anew only what a
// changed pixel reaches. Settled networks sum whole numbers, so the answer has the same bits as
// Session::Run on the same frame, always: nothing drifts, and no refresh is needed.
//
// Threads: a Stream belongs to one thread at a time; any number of streams share a Network.
// Cost: everything is allocated on construction and during the first frame. Later frames with the
// same StreamAnswer allocate nothing, except the first frame of floats.
// Errors: a Status from Create and Next.
#ifndef CSSRUN_STREAM_H_
#define CSSRUN_STREAM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cssrun/export.h"
#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"

namespace cssrun {

struct StreamOptions {
  // Threads that share one frame (0: all cores). The answer is the same.
  unsigned threads = 1;
  // A pixel keeps its value while the new one differs by at most `hold` in every channel, in steps
  // of 8-bit pixels: 0 to 255. Above 0, the answer is that of Session::Run on the picture so kept.
  // In a list of changes, all entries of a pixel are taken, or none.
  unsigned hold = 0;
  // A neuron keeps its level while its potential z is within |z - level| <= 1/2 + dead_zone, in
  // levels: 0 to 255; more than the network's 2^T - 1 levels changes nothing. Above 0, the answer
  // is no longer that of a full run of the frame, but it follows from the frames since the first
  // one or Reset() by this rule alone.
  double dead_zone = 0;
  // Counts spikes, synops and updates, which are 0 otherwise; costs 6 to 8 % of the time. Without
  // statistics and dead zone, a frame that will touch nearly everything is run whole, without
  // looking for what it changes (StreamAnswer::whole): all neurons then count as changed.
  bool statistics = false;
  bool profile = false;  // measure StreamLayer::seconds; implies `statistics`
  // Next fails with kCancelled once this is true; checked before each layer. Any thread may set it.
  // It belongs to the caller and must outlive the stream; null: a frame cannot be cancelled.
  const std::atomic<bool>* cancel = nullptr;
};

// What a frame took in one layer, and with StreamOptions::statistics what a full run of it would
// have counted.
struct StreamLayer {
  uint64_t neurons = 0;  // that send levels; for pixels, numbers of the picture; for a readout, 0
  uint64_t changed = 0;  // of these, those whose level (value) differs from the frame before
  uint64_t touched = 0;  // that were computed again, because something they see changed
  uint64_t spikes = 0;   // of the frame, as LayerStatistics::spikes
  uint64_t synops = 0;   // of the frame, as LayerStatistics::synops
  uint64_t updates = 0;  // synapses from changed neurons into this layer: SyOPs of the difference
  double seconds = 0;    // time, measured only with StreamOptions::profile
};

struct StreamAnswer {
  size_t best() const { return BestClass(logits); }

  std::vector<float> logits;  // as Answer::logits
  uint64_t frame = 0;         // 0 for the first frame and the first after Reset() or an error
  bool whole = false;         // see StreamOptions::statistics; always true for frame 0
  uint64_t neurons = 0;       // the sums of `layers` without the pixels
  uint64_t changed = 0;
  uint64_t updates = 0;
  uint64_t synops = 0;
  uint64_t changed_pixels = 0;      // numbers of the picture that changed
  double seconds = 0;               // time that the frame took
  std::vector<StreamLayer> layers;  // in the order of Network::layers()

  // The share of neurons whose level changed, from 0 to 1.
  double changed_share() const {
    return neurons == 0 ? 0 : static_cast<double>(changed) / static_cast<double>(neurons);
  }
};

// One number of a picture that changed, from a source that knows what changed, such as an event
// camera.
struct ChangedPixel {
  uint32_t address = 0;  // (channel * height + row) * width + column, as of InputEvent
  uint8_t value = 0;
};

namespace internal {
class StreamEngine;
}  // namespace internal

class CSSRUN_API Stream {
 public:
  // `network` is not null. Errors: kInvalidArgument on wrong options, and on networks whose layers
  // fire before all of their input has arrived: the message says how to convert the model instead.
  // kOutOfMemory.
  static Result<Stream> Create(std::shared_ptr<const Network> network,
                               const StreamOptions& options = {});
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  // Takes the next frame, as Session::Run takes an image, and overwrites `answer`. Errors: those of
  // Session::Run. After an error the content of `answer` is unspecified, and the next frame is a
  // first one.
  Status Next(std::span<const uint8_t> pixels, StreamAnswer& answer,
              PixelOrder order = PixelOrder::kInterleaved);
  Status Next(std::span<const float> pixels, StreamAnswer& answer,
              PixelOrder order = PixelOrder::kInterleaved);

  // Takes the next frame as its difference to the last one. The changes are applied in their order,
  // and no time goes into finding them. Errors, besides those above: kInvalidArgument if there is
  // no frame before, or an address is out of range.
  Status Next(std::span<const ChangedPixel> changes, StreamAnswer& answer);

  // Forgets all frames: the next one is a first one.
  void Reset();

 private:
  explicit Stream(std::unique_ptr<internal::StreamEngine> engine);
  template <class Run>
  Status RunNext(const Status& checked, const Run& run);

  std::shared_ptr<const Network> network_;
  std::unique_ptr<internal::StreamEngine> engine_;
};

}  // namespace cssrun

#endif  // CSSRUN_STREAM_H_
