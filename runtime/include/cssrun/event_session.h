// Runs a spiking network on events, such as those of an event camera, for as long as they come.
//
// Time is cut into steps of Network::events()->step_seconds, numbered from 0 with 64 bits: it has
// no end. An EventSession keeps the potentials of all neurons from one Feed to the next. How the
// events are divided over calls of Feed makes no difference to any bit, nor do saving and
// continuing.
//
// Threads: an EventSession belongs to one thread at a time; any number of them share a Network.
// Cost: work follows events. A step without events costs nothing, unless the network has neurons
// that must be stepped (Network::events()->stepped). Everything is allocated on construction,
// except room for the events of the fullest step so far; memory does not grow with time. Errors:
// Create, Feed, Restore, ReadPotentials and ReadCounts return a Status; Save and ReadLogits throw
// std::bad_alloc.
#ifndef CSSRUN_EVENT_SESSION_H_
#define CSSRUN_EVENT_SESSION_H_

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

// One event of the input.
struct TimedEvent {
  uint64_t step = 0;     // floor(time / step_seconds)
  uint32_t address = 0;  // of the input neuron, (channel * height + row) * width + column
  // What arrives there, from -2^20 to 2^20: 1 for a spike. Events of one address at one step add
  // up. Sums of whole numbers are exact; others are rounded in the order of the events.
  float value = 1;
};

struct EventSessionOptions {
  bool profile = false;  // measure EventLayer::seconds
  // Feed fails with kCancelled once this is true; checked before each step. Any thread may set it.
  // It belongs to the caller and must outlive the session; null: it cannot be cancelled.
  const std::atomic<bool>* cancel = nullptr;
};

// The work of one layer since Create, Reset or Restore.
struct EventLayer {
  // That left the layer, each of several at one step counted. For the input: events.
  uint64_t spikes = 0;
  // Weights added to this layer, once for each spike; padding does not count.
  uint64_t synops = 0;
  uint64_t updates = 0;  // neurons brought up to date because something reached them
  double seconds = 0;    // time, measured only with EventSessionOptions::profile
};

namespace internal {
class EventEngine;
}  // namespace internal

class CSSRUN_API EventSession {
 public:
  // `network` is not null. Errors: kInvalidArgument if it takes images (Network::events() is null);
  // kOutOfMemory.
  static Result<EventSession> Create(std::shared_ptr<const Network> network,
                                     const EventSessionOptions& options = {});
  ~EventSession();
  EventSession(EventSession&&) noexcept;
  EventSession& operator=(EventSession&&) noexcept;

  // Takes `events`, in the order of their steps, all within now() <= step < until, and does all
  // steps before `until`; then now() is `until`. Errors: kInvalidArgument, before anything was
  // done, if an event is out of order or out of range, or `until` is below now(); kCancelled, after
  // some steps: now() says how many. Reset the session before you read answers again.
  Status Feed(std::span<const TimedEvent> events, uint64_t until);

  // Steps done since Create or Reset.
  uint64_t now() const;
  // Back to step 0, with all neurons as at the beginning.
  void Reset();

  // The answer after the steps done, Network::logits() numbers: spikes sent so far, or potentials,
  // as Network::events()->readout says. May be called at any time; changes nothing. Throws
  // std::bad_alloc; a vector that has this size is reused.
  void ReadLogits(std::vector<float>& logits) const;
  // The potentials of a layer of Network::layers(), by neuron, (channel * height + row) * width +
  // column, after the steps done. Error: kInvalidArgument if there is no such layer, or it is the
  // input.
  Status ReadPotentials(size_t layer, std::vector<double>& potentials) const;
  // The spikes that each neuron has sent, likewise. For the input: the events of each address.
  Status ReadCounts(size_t layer, std::vector<uint64_t>& counts) const;
  // In the order of Network::layers().
  const std::vector<EventLayer>& layers() const;

  // Save stores all that later answers depend on; it throws std::bad_alloc. Restore continues from
  // it in any session on the same network, with the same bits. Error of Restore: kInvalidArgument
  // if the bytes are damaged or from another network; the session then keeps its state.
  void Save(std::vector<uint8_t>& state) const;
  Status Restore(std::span<const uint8_t> state);

 private:
  explicit EventSession(std::unique_ptr<internal::EventEngine> engine);

  std::shared_ptr<const Network> network_;
  std::unique_ptr<internal::EventEngine> engine_;
};

}  // namespace cssrun

#endif  // CSSRUN_EVENT_SESSION_H_
