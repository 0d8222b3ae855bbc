// Runs images, one after another, on a Network, and holds the state that this takes.
//
// Threads: a Session belongs to one thread at a time. Make one per thread; they share the Network.
// Cost: membranes and event lists are allocated on construction and during the first image. Later
// runs with the same Answer allocate nothing, except the first run on floats and a run on more
// events than any run before. Errors: a Status from Run and Create.
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

// The work that one image took in one layer.
struct LayerStatistics {
  uint64_t spikes = 0;   // spikes that left the layer
  uint64_t synops = 0;   // weights added to this layer's membranes; padding does not count
  uint64_t macs = 0;     // multiply-accumulates with pixels, with direct input only
  double seconds = 0.0;  // time, measured only with SessionOptions::profile
};

// The readout after one of its steps: the final logits if no further spike arrived.
struct Reading {
  uint32_t step = 0;          // global steps done
  std::vector<float> logits;  // one per class
  // (largest logit - second largest) / (beta^(n-1) + ... + 1), with n steps of the readout left:
  // the lead in units of the weight that spikes can still have. Infinite after the last step.
  double margin = 0;
  uint64_t synops = 0;  // SyOPs of all layers so far
};

// Spikes and membranes of one layer, if SessionOptions::record asks for them. The index of a neuron
// is (channel * height + row) * width + column. Steps that a run which ended early did not reach
// are 0.
struct Recording {
  std::vector<int8_t> spikes;  // [T][neuron]: -1, 0 or +1 at each spike index
  // [T + L][neuron]: at each step, what is left to send after the spike of that step, in spikes:
  // the number that is compared with the threshold, minus the spike. For a pool, that of its
  // largest member. Empty for the encoder and the readout.
  std::vector<float> membranes;
};

// Why a run ended.
enum class Ending {
  kComplete,  // all steps were done
  kSure,      // the margin exceeded SessionOptions::early_exit_margin
  kStopped,   // SessionOptions::on_reading returned false
  kLate,      // SessionOptions::time_limit passed; the logits are those of the last step before
};

// The index of the largest logit; of equal ones the first; 0 if there are no logits.
inline size_t BestClass(std::span<const float> logits) {
  return static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

struct Answer {
  size_t best() const { return BestClass(logits); }

  // One per class, or the numbers of all outputs, one after another (Network::outputs()).
  std::vector<float> logits;
  uint32_t steps = 0;  // global steps done when the logits were read
  Ending ending = Ending::kComplete;
  // In the order of Network::layers(). Empty unless SessionOptions::statistics, profile,
  // keep_readings or on_reading asks for them.
  std::vector<LayerStatistics> layers;
  // T readings, one per step of the readout; only with SessionOptions::keep_readings. Readings of
  // steps that the run did not reach have no logits.
  std::vector<Reading> readings;
  std::vector<Recording> recordings;  // in the order of SessionOptions::record
};

struct RecordRequest {
  size_t layer = 0;  // index into Network::layers()
  bool spikes = true;
  // Implies a chunk of 1. The integer engine records no membranes with beta = 2, L >= T - 1 and T
  // <= 8: neurons then have all of their input before their first spike, and it computes all steps
  // at once.
  bool membranes = false;
};

struct SessionOptions {
  // Threads that share one image (0: all cores). More threads answer one image sooner, but run
  // fewer images per second than one image per thread. The answer is the same. The float engine
  // uses 1.
  unsigned threads = 1;
  // Fills Answer::layers. Counting spikes and SyOPs takes about 4 % of a settled network's time,
  // and the answer does not need it.
  bool statistics = false;
  bool profile = false;  // measure LayerStatistics::seconds; implies `statistics`
  // Global steps that a layer does before the next layer begins; 0: all. With 1 all layers advance
  // together, a pipeline. The answer is the same. The float engine uses 1.
  uint32_t chunk = 0;
  // Ends the run as soon as Reading::margin exceeds this (Ending::kSure); see
  // Network::early_exit_margin(). Implies a chunk of 1 unless `chunk` is set.
  std::optional<double> early_exit_margin = std::nullopt;
  // Fills Answer::readings. Implies a chunk of 1 and `statistics`.
  bool keep_readings = false;
  // Called by the thread that runs, after each step of the readout including the last. Return false
  // to end the run (Ending::kStopped). Implies a chunk of 1 and `statistics`. Run passes its
  // exceptions on. RunImages calls it from several threads at the same time.
  std::function<bool(const Reading& reading)> on_reading = nullptr;
  // Time that a run may take, from the call of Run; 0: no limit. Checked before each layer of each
  // chunk, so a run may exceed it by the time of one layer and chunk. Implies a chunk of 1 unless
  // `chunk` is set. When it passes, the reading after the last finished chunk is the answer
  // (Ending::kLate); if the readout has done no step yet, Run fails with kTimedOut.
  std::chrono::nanoseconds time_limit{0};
  // Run fails with kCancelled once this is true; checked at the same points. Any thread may set it.
  // It belongs to the caller and must outlive the session; null: a run cannot be cancelled.
  const std::atomic<bool>* cancel = nullptr;
  // Fills Answer::recordings, one for each request.
  std::vector<RecordRequest> record = {};
};

// The order of the numbers of an image in memory.
enum class PixelOrder {
  kInterleaved,  // [row][column][channel], HWC: (row * width + column) * channels + channel
  kPlanar,       // [channel][row][column], CHW: (channel * height + row) * width + column
};

// One spike of an input that the caller has coded itself, for example with an event camera.
struct InputEvent {
  uint32_t step = 0;     // less than Network::timesteps()
  uint32_t address = 0;  // of the input neuron, (channel * height + row) * width + column
  int32_t sign = 0;      // +1 or -1
};

namespace internal {
class Engine;
struct CodedSpike;
struct Input;
}  // namespace internal

class CSSRUN_API Session {
 public:
  // `network` is not null. Throws std::bad_alloc if memory runs out. If the options are wrong, Run
  // returns the error.
  explicit Session(std::shared_ptr<const Network> network, const SessionOptions& options = {});
  // The same without exceptions. Errors: kInvalidArgument on wrong options, kOutOfMemory.
  static Result<Session> Create(std::shared_ptr<const Network> network,
                                const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Classifies one image of height * width * channels bytes in the given order, as Network::input()
  // describes, and overwrites `answer`. Errors: kInvalidArgument on a wrong size or wrong options;
  // kCancelled and kTimedOut, see SessionOptions; kOutOfMemory. After an error the content of
  // `answer` is unspecified.
  Status Run(std::span<const uint8_t> pixels, Answer& answer,
             PixelOrder order = PixelOrder::kInterleaved);

  // The same for floats from 0 to 1, which are not rounded to 8 bits. kInvalidArgument if a number
  // lies outside this range or is NaN.
  Status Run(std::span<const float> pixels, Answer& answer,
             PixelOrder order = PixelOrder::kInterleaved);

  // Classifies spikes in place of those of the encoder. They may come in any order. Errors, besides
  // those above: kInvalidArgument if a number is out of range, if a neuron sends two spikes at one
  // step, or if the network takes pixels directly (LayerKind::kPixels).
  Status Run(std::span<const InputEvent> events, Answer& answer);

 private:
  Status RunInput(const internal::Input& input, Answer& answer);

  std::shared_ptr<const Network> network_;
  std::unique_ptr<internal::Engine> engine_;  // null if the options are wrong
  Status options_status_;
  std::vector<internal::CodedSpike> coded_;  // scratch: the sorted events of one run
};

}  // namespace cssrun

#endif  // CSSRUN_SESSION_H_
