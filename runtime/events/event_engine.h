// Runs a network on events: EventSession without its checks of the caller's arguments.
#ifndef CSSRUN_RUNTIME_EVENTS_EVENT_ENGINE_H_
#define CSSRUN_RUNTIME_EVENTS_EVENT_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cssrun/event_session.h"
#include "cssrun/status.h"
#include "runtime/events/event_network.h"
#include "runtime/events/event_state.h"

namespace cssrun::internal {

class EventEngine {
 public:
  // `network` must outlive this. Throws std::bad_alloc.
  EventEngine(const EventNetwork& network, const EventSessionOptions& options);

  // Events are in order of their steps, from now() to until - 1, and their addresses exist.
  Status Feed(std::span<const TimedEvent> events, uint64_t until);
  void Reset();

  uint64_t now() const { return now_; }
  const EventNetwork& network() const { return network_; }
  const std::vector<EventLayer>& layers() const { return layers_; }
  // The state of neuron (channel * height + row) * width + column of a node, after the steps done.
  double PotentialOf(size_t node, uint64_t neuron) const;
  uint64_t CountOf(size_t node, uint64_t neuron) const;

  void Save(std::vector<uint8_t>& bytes) const;
  // Error: kInvalidArgument; the state is then unchanged.
  Status Restore(std::span<const uint8_t> bytes);

 private:
  // Whether the next step has something to do without events.
  bool IsBusy() const;
  void TakeEvents(std::span<const TimedEvent> events);
  void Step();
  void StepNode(size_t node);
  void ScatterTo(size_t node);
  const SpikeList& SpikesOf(const EventConnection& connection) const;

  const EventNetwork& network_;
  EventSessionOptions options_;
  bool stepped_ = false;  // some node is
  uint64_t now_ = 0;
  std::vector<EventState> states_;  // by node
  std::vector<EventLayer> layers_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EVENTS_EVENT_ENGINE_H_
