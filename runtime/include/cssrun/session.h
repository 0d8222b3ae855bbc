// The state of running one image after another on a Network.
//
// Threads: a Session belongs to one thread at a time; make one per thread, they share the Network.
// Cost: all membranes and event lists are allocated on construction and during the first image.
// With the same Answer, later runs allocate nothing; the first run on floats, and one on more
// events than ever before, may.
#ifndef CSSRUN_SESSION_H_
#define CSSRUN_SESSION_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cssrun/export.h"
#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun {

// What one image cost in one layer, in the order of Network::layers().
struct LayerStatistics {
  uint64_t spikes = 0;   // that left the layer
  uint64_t synops = 0;   // weights added to this layer's membranes; borders count only what exists
  uint64_t macs = 0;     // multiply-accumulates of pixels, where they are not coded in spikes
  double seconds = 0.0;  // only with SessionOptions::profile
};

// The readout after one of its steps, as if no spike came any more.
struct Reading {
  uint32_t step = 0;  // global steps done
  std::vector<float> logits;
  // Best logit less second best, for each unit of weight of the steps still to come; infinite at
  // the last one.
  double margin = 0;
  uint64_t synops = 0;  // of all layers so far
};

// Spikes and membranes of one layer, on request. Neurons are numbered channel, row, column, the
// column fastest. What a run that ended early did not reach is 0.
struct Recording {
  std::vector<int8_t> spikes;  // [index of T][neuron]: -1, 0, +1
  // [index of T + L][neuron]: what would be compared with the threshold after the spike, if any,
  // was taken off; a spike takes off 1. Of pools the largest member. Empty for the encoder and the
  // readout.
  std::vector<float> membranes;
};

enum class Ending {
  kComplete,
  kSure,     // SessionOptions::early_exit_margin
  kStopped,  // SessionOptions::on_reading said so
  kLate,     // SessionOptions::time_limit; the logits are those of the last reading before it
};

// The index of the largest logit, the first of equals; 0 of none.
inline size_t BestClass(std::span<const float> logits) {
  return static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

struct Answer {
  size_t best() const { return BestClass(logits); }

  std::vector<float> logits;
  uint32_t steps = 0;  // after which the logits were read
  Ending ending = Ending::kComplete;
  std::vector<LayerStatistics> layers;
  // By readout step, T of them; only with SessionOptions::keep_readings. Where a run ended before,
  // there are no logits.
  std::vector<Reading> readings;
  std::vector<Recording> recordings;  // in the order of SessionOptions::record
};

struct RecordRequest {
  size_t layer = 0;  // of Network::layers()
  bool spikes = true;
  // Implies a chunk of 1. The integer engine keeps none step by step, and records none, where all
  // input comes before the first spike (beta = 2, L >= T - 1, T <= 6).
  bool membranes = false;
};

struct SessionOptions {
  // Threads that share one image (0: all cores): answers sooner, at the cost of images a second.
  // The answer is the same. The float engine always takes 1.
  unsigned threads = 1;
  bool profile = false;  // measure LayerStatistics::seconds
  // Steps that a layer does before the next layer begins; 0: all. 1 is the pipeline, in which all
  // layers advance together. The answer is the same. The float engine always takes 1.
  uint32_t chunk = 0;
  // Stop as soon as Reading::margin exceeds this; see Network::early_exit_margin(). Implies a chunk
  // of 1 unless another is asked for.
  std::optional<double> early_exit_margin;
  // Fill Answer::readings; implies a chunk of 1.
  bool keep_readings = false;
  // Called by the thread that runs, after each step of the readout, the last included; false ends
  // the run there. Implies a chunk of 1. What it throws passes through Run. RunImages calls it from
  // several threads at the same time.
  std::function<bool(const Reading& reading)> on_reading;
  // From the beginning of Run on; 0: none. Looked at before each layer of each chunk, so that a run
  // may last longer by that much. Implies a chunk of 1 unless another is asked for. What has been
  // read by then is the answer (Ending::kLate); before the first reading, Run fails with kTimedOut.
  std::chrono::nanoseconds time_limit{0};
  // Once another thread sets it, Run fails with kCancelled, at the same points; it stays the
  // caller's and must outlive the session.
  const std::atomic<bool>* cancel = nullptr;
  // Fills Answer::recordings.
  std::vector<RecordRequest> record;
};

// How the numbers of an image follow one another.
enum class PixelOrder {
  kInterleaved,  // row, column, channel: HWC
  kPlanar,       // channel, row, column: CHW
};

// A spike of the input that somebody else coded, such as an event camera.
struct InputEvent {
  uint32_t step = 0;     // below Network::timesteps()
  uint32_t address = 0;  // of the input neuron: (channel * height + row) * width + column
  int32_t sign = 0;      // +1 or -1
};

namespace internal {
class Engine;
struct CodedSpike;
struct Input;
}  // namespace internal

class CSSRUN_API Session {
 public:
  // Throws std::bad_alloc when memory runs out; what is wrong with the options, Run says.
  explicit Session(std::shared_ptr<const Network> network, const SessionOptions& options = {});
  // The same without exceptions.
  static Result<Session> Create(std::shared_ptr<const Network> network,
                                const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Classifies one image: `pixels` is height * width * channels bytes, as Network::input()
  // describes. Overwrites `answer`. Errors: kInvalidArgument on a wrong size or wrong options;
  // kCancelled and kTimedOut, see SessionOptions; kOutOfMemory. After an error `answer` means
  // nothing.
  Status Run(std::span<const uint8_t> pixels, Answer& answer,
             PixelOrder order = PixelOrder::kInterleaved);

  // The same on floats from 0 to 1, neither clipped nor rounded to 8 bits; kInvalidArgument where
  // one lies outside.
  Status Run(std::span<const float> pixels, Answer& answer,
             PixelOrder order = PixelOrder::kInterleaved);

  // Classifies spikes, in any order, which take the place of the encoder's. A neuron sends one at
  // most at a step; kInvalidArgument otherwise, and where a number is out of range.
  Status Run(std::span<const InputEvent> events, Answer& answer);

 private:
  Status RunInput(const internal::Input& input, Answer& answer);

  std::shared_ptr<const Network> network_;
  std::unique_ptr<internal::Engine> engine_;  // null where the options are wrong
  Status options_status_;
  std::vector<internal::CodedSpike> coded_;  // room for the events of one run
};

}  // namespace cssrun

#endif  // CSSRUN_SESSION_H_
