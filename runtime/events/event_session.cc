#include "cssrun/event_session.h"

#include <cmath>
#include <string>
#include <utility>

#include "format/geometry.h"
#include "runtime/events/event_engine.h"
#include "runtime/network/network_access.h"
#include "runtime/within_memory.h"

namespace cssrun {
namespace {

constexpr float kLargestValue = 1 << 20;

Status CheckEvents(const internal::EventEngine& engine, std::span<const TimedEvent> events,
                   uint64_t until) {
  if (until < engine.now()) {
    return Status::InvalidArgument("until " + std::to_string(until) + ", but " +
                                   std::to_string(engine.now()) +
                                   " steps are done already; time only goes on");
  }
  const uint64_t addresses = format::Neurons(engine.network().nodes.front().extent);
  uint64_t earliest = engine.now();
  const auto error_at = [](size_t index, const std::string& what) {
    return Status::InvalidArgument("event " + std::to_string(index) + ": " + what);
  };
  for (size_t i = 0; i < events.size(); ++i) {
    const TimedEvent& event = events[i];
    if (event.step < earliest) {
      return error_at(i, "step " + std::to_string(event.step) + " after step " +
                             std::to_string(earliest) + "; sort events by their time");
    }
    if (event.step >= until) {
      return error_at(
          i, "step " + std::to_string(event.step) + " is not before " + std::to_string(until));
    }
    if (event.address >= addresses) {
      return error_at(i, "address " + std::to_string(event.address) + "; the network has " +
                             std::to_string(addresses) + " inputs");
    }
    if (!(std::abs(event.value) <= kLargestValue)) {
      return error_at(i, "its value is not within -2^20 to 2^20");
    }
    earliest = event.step;
  }
  return Status::Ok();
}

Status CheckLayer(const internal::EventEngine& engine, size_t layer, size_t first) {
  const size_t layers = engine.network().nodes.size();
  if (layer >= first && layer < layers) return Status::Ok();
  return Status::InvalidArgument("layer " + std::to_string(layer) +
                                 "; this can be read of layers " + std::to_string(first) + " to " +
                                 std::to_string(layers - 1));
}

}  // namespace

EventSession::EventSession(std::unique_ptr<internal::EventEngine> engine)
    : engine_(std::move(engine)) {}
EventSession::~EventSession() = default;
EventSession::EventSession(EventSession&&) noexcept = default;
EventSession& EventSession::operator=(EventSession&& other) noexcept {
  engine_ = std::move(other.engine_);  // before the network that it uses
  network_ = std::move(other.network_);
  return *this;
}

Result<EventSession> EventSession::Create(std::shared_ptr<const Network> network,
                                          const EventSessionOptions& options) {
  return internal::WithinMemory([&]() -> Result<EventSession> {
    const internal::LoadedNetwork& loaded = internal::Loaded(*network);
    if (loaded.events() == nullptr) {
      return Status::InvalidArgument(
          "this network takes images, not events: run it with a Session; cssconvert makes networks "
          "that take events of NIR models");
    }
    EventSession session(std::make_unique<internal::EventEngine>(*loaded.events(), options));
    session.network_ = std::move(network);
    return session;
  });
}

Status EventSession::Feed(std::span<const TimedEvent> events, uint64_t until) {
  return internal::WithinMemory([&] {
    const Status status = CheckEvents(*engine_, events, until);
    return status.ok() ? engine_->Feed(events, until) : status;
  });
}

uint64_t EventSession::now() const { return engine_->now(); }
void EventSession::Reset() { engine_->Reset(); }
const std::vector<EventLayer>& EventSession::layers() const { return engine_->layers(); }

void EventSession::ReadLogits(std::vector<float>& logits) const {
  const internal::EventNetwork& network = engine_->network();
  const size_t last = network.nodes.size() - 1;
  const bool counts = network.reading.readout == EventReadout::kCounts;
  logits.resize(format::Neurons(network.nodes[last].extent));
  for (size_t i = 0; i < logits.size(); ++i) {
    logits[i] = counts ? static_cast<float>(engine_->CountOf(last, i))
                       : static_cast<float>(engine_->PotentialOf(last, i));
  }
}

Status EventSession::ReadPotentials(size_t layer, std::vector<double>& potentials) const {
  if (Status status = CheckLayer(*engine_, layer, 1); !status.ok()) return status;
  return internal::WithinMemory([&] {
    potentials.resize(format::Neurons(engine_->network().nodes[layer].extent));
    for (size_t i = 0; i < potentials.size(); ++i) {
      potentials[i] = engine_->PotentialOf(layer, i);
    }
    return Status::Ok();
  });
}

Status EventSession::ReadCounts(size_t layer, std::vector<uint64_t>& counts) const {
  if (Status status = CheckLayer(*engine_, layer, 0); !status.ok()) return status;
  return internal::WithinMemory([&] {
    counts.resize(format::Neurons(engine_->network().nodes[layer].extent));
    for (size_t i = 0; i < counts.size(); ++i) counts[i] = engine_->CountOf(layer, i);
    return Status::Ok();
  });
}

void EventSession::Save(std::vector<uint8_t>& state) const { engine_->Save(state); }

Status EventSession::Restore(std::span<const uint8_t> state) {
  return internal::WithinMemory([&] { return engine_->Restore(state); });
}

}  // namespace cssrun
