// The state of running one image after another on a Network.
//
// Threads: a Session belongs to one thread at a time; make one per thread, they share the Network.
// Cost: all membranes and event lists are allocated on construction and during the first image.
#ifndef CSSRUN_SESSION_H_
#define CSSRUN_SESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

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

struct Answer {
  std::vector<float> logits;
  uint32_t steps = 0;  // after which the logits were read
  std::vector<LayerStatistics> layers;
  std::vector<Reading> readings;  // by readout step; only with SessionOptions::keep_readings
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
};

namespace internal {
class FloatEngine;
class IntegerEngine;
}  // namespace internal

class Session {
 public:
  explicit Session(std::shared_ptr<const Network> network, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Classifies one image: `pixels` is height * width * channels bytes, interleaved, as
  // Network::input() describes. Overwrites `answer`. Error: kInvalidArgument on a wrong size.
  Status Run(std::span<const uint8_t> pixels, Answer& answer);

 private:
  std::shared_ptr<const Network> network_;
  std::unique_ptr<internal::FloatEngine> float_engine_;  // one of the two
  std::unique_ptr<internal::IntegerEngine> integer_engine_;
};

}  // namespace cssrun

#endif  // CSSRUN_SESSION_H_
