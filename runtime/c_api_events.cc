// The C interface of sessions on events, on top of the C++ one.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/c.h"
#include "cssrun/event_session.h"
#include "runtime/c_api_handles.h"
#include "runtime/c_api_status.h"

struct cssrun_event_session {
  std::atomic<bool> cancelled = false;
  std::unique_ptr<cssrun::EventSession> session;
  std::vector<uint8_t> saved;
};

namespace {

using namespace cssrun::c_api;
using cssrun::Status;

// Calls read(numbers), which fills a vector, and copies it to the caller's memory.
template <class Number, class Read>
cssrun_code CopyNumbers(const cssrun_event_session* session, Number* to, size_t count,
                        cssrun_status* status, Read read) noexcept {
  return Guard(status, [&]() -> Status {
    if (session == nullptr) return Null("session");
    std::vector<Number> numbers;
    if (Status done = read(*session->session, numbers); !done.ok()) return done;
    if (count != numbers.size()) {
      return Status::InvalidArgument("room for " + std::to_string(count) + " numbers; there are " +
                                     std::to_string(numbers.size()));
    }
    if (to == nullptr) return Null("the memory to write to");
    std::copy(numbers.begin(), numbers.end(), to);
    return Status::Ok();
  });
}

}  // namespace

cssrun_code cssrun_network_get_events(const cssrun_network* network, cssrun_event_info* info,
                                      cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (network == nullptr) return Null("network");
    const cssrun::EventReading* reading = network->network->events();
    if (reading == nullptr) {
      return Status::InvalidArgument("this network takes images, not events");
    }
    cssrun_event_info ours = {};
    ours.step_seconds = reading->step_seconds;
    ours.assumptions = static_cast<uint32_t>(reading->assumptions.size());
    ours.stepped = static_cast<uint32_t>(reading->stepped.size());
    ours.readout =
        reading->readout == cssrun::EventReadout::kCounts ? CSSRUN_COUNTS : CSSRUN_POTENTIALS;
    return WriteStruct(ours, info, "info");
  });
}

const char* cssrun_network_event_assumption(const cssrun_network* network, uint32_t index) {
  if (network == nullptr || network->network->events() == nullptr) return nullptr;
  const std::vector<std::string>& assumptions = network->network->events()->assumptions;
  return index < assumptions.size() ? assumptions[index].c_str() : nullptr;
}

cssrun_code cssrun_event_session_create(const cssrun_network* network,
                                        const cssrun_event_options* given,
                                        cssrun_event_session** session, cssrun_status* status) {
  if (session != nullptr) *session = nullptr;
  return Guard(status, [&]() -> Status {
    if (session == nullptr) return Null("session");
    if (network == nullptr) return Null("network");
    cssrun_event_options options = CSSRUN_EVENT_OPTIONS_INIT;
    if (Status read = ReadOptions(given, options); !read.ok()) return read;
    auto made = std::make_unique<cssrun_event_session>();
    cssrun::EventSessionOptions translated;
    translated.profile = options.profile != 0;
    translated.cancel = &made->cancelled;
    cssrun::Result<cssrun::EventSession> created =
        cssrun::EventSession::Create(network->network, translated);
    if (!created.ok()) return created.status();
    made->session = std::make_unique<cssrun::EventSession>(std::move(created).value());
    *session = made.release();
    return Status::Ok();
  });
}

void cssrun_event_session_free(cssrun_event_session* session) { delete session; }

cssrun_code cssrun_event_session_feed(cssrun_event_session* session,
                                      const cssrun_timed_event* events, size_t count,
                                      uint64_t until, cssrun_status* status) {
  static_assert(sizeof(cssrun_timed_event) == sizeof(cssrun::TimedEvent) &&
                offsetof(cssrun_timed_event, step) == offsetof(cssrun::TimedEvent, step) &&
                offsetof(cssrun_timed_event, address) == offsetof(cssrun::TimedEvent, address) &&
                offsetof(cssrun_timed_event, value) == offsetof(cssrun::TimedEvent, value));
  return Guard(status, [&]() -> Status {
    if (session == nullptr) return Null("session");
    if (events == nullptr && count != 0) return Null("the input");
    return session->session->Feed(
        std::span(reinterpret_cast<const cssrun::TimedEvent*>(events), count), until);
  });
}

uint64_t cssrun_event_session_now(const cssrun_event_session* session) {
  return session == nullptr ? 0 : session->session->now();
}

void cssrun_event_session_reset(cssrun_event_session* session) {
  if (session != nullptr) session->session->Reset();
}

void cssrun_event_session_cancel(cssrun_event_session* session, int cancelled) {
  if (session != nullptr) session->cancelled = cancelled != 0;
}

cssrun_code cssrun_event_session_read_logits(const cssrun_event_session* session, float* logits,
                                             size_t count, cssrun_status* status) {
  return CopyNumbers(session, logits, count, status,
                     [](const cssrun::EventSession& from, std::vector<float>& numbers) {
                       from.ReadLogits(numbers);
                       return Status::Ok();
                     });
}

cssrun_code cssrun_event_session_read_potentials(const cssrun_event_session* session,
                                                 uint32_t layer, double* potentials, size_t count,
                                                 cssrun_status* status) {
  return CopyNumbers(session, potentials, count, status,
                     [&](const cssrun::EventSession& from, std::vector<double>& numbers) {
                       return from.ReadPotentials(layer, numbers);
                     });
}

cssrun_code cssrun_event_session_read_counts(const cssrun_event_session* session, uint32_t layer,
                                             uint64_t* counts, size_t count,
                                             cssrun_status* status) {
  return CopyNumbers(session, counts, count, status,
                     [&](const cssrun::EventSession& from, std::vector<uint64_t>& numbers) {
                       return from.ReadCounts(layer, numbers);
                     });
}

cssrun_code cssrun_event_session_get_statistics(const cssrun_event_session* session, uint32_t layer,
                                                cssrun_event_statistics* statistics,
                                                cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (session == nullptr) return Null("session");
    const std::vector<cssrun::EventLayer>& layers = session->session->layers();
    if (layer >= layers.size()) return OutOfRange("layer", layer, layers.size());
    const cssrun::EventLayer& from = layers[layer];
    return WriteStruct(
        cssrun_event_statistics{0, from.spikes, from.synops, from.updates, from.seconds},
        statistics, "statistics");
  });
}

cssrun_code cssrun_event_session_save(cssrun_event_session* session, const void** bytes,
                                      size_t* size, cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (session == nullptr) return Null("session");
    if (bytes == nullptr || size == nullptr) return Null("bytes or size");
    session->session->Save(session->saved);
    *bytes = session->saved.data();
    *size = session->saved.size();
    return Status::Ok();
  });
}

cssrun_code cssrun_event_session_restore(cssrun_event_session* session, const void* bytes,
                                         size_t size, cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (session == nullptr) return Null("session");
    if (bytes == nullptr) return Null("bytes");
    return session->session->Restore(std::span(static_cast<const uint8_t*>(bytes), size));
  });
}
