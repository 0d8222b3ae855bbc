// Sessions on events for Python: without the GIL while they run.
#ifndef CSSRUN_RUNTIME_PYTHON_EVENTS_H_
#define CSSRUN_RUNTIME_PYTHON_EVENTS_H_

#include <pybind11/pybind11.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "cssrun/event_session.h"
#include "cssrun/network.h"

namespace cssrun::python {

// Several Python threads may use it; what they ask for comes one after another.
class TimedSession {
 public:
  // Throws ValueError.
  TimedSession(std::shared_ptr<const Network> network, const EventSessionOptions& options);

  // `steps` and `addresses` are integers [events], `values` floats [events] or None. Throws
  // ValueError and TypeError, and what a signal's handler raises: the steps until then are done.
  // The caller holds the GIL.
  void Feed(const pybind11::object& steps, const pybind11::object& addresses,
            const pybind11::object& until, const pybind11::object& values);
  uint64_t now();
  void Reset();
  pybind11::object Logits();
  pybind11::object Potentials(size_t layer);
  pybind11::object Counts(size_t layer);
  pybind11::dict Layers();
  pybind11::bytes Save();
  void Restore(const pybind11::bytes& state);

 private:
  // A feed that takes long.
  struct Call {
    bool abandoned = false;
  };

  // Calls run(session) without the GIL and checks its Status.
  template <class Run>
  void WithSession(const Run& run);
  // Feeds in a thread of its own, while this one looks for Ctrl-C.
  void FeedInterruptibly(const std::vector<TimedEvent>& events, uint64_t until);
  Status RunCall(const Call& call, const std::vector<TimedEvent>& events, uint64_t until);
  void Abandon(Call& call);

  std::shared_ptr<const Network> network_;
  std::mutex mutex_;       // never held while waiting for the GIL
  std::mutex call_mutex_;  // guards the next two, and Call; taken after mutex_
  const Call* running_ = nullptr;
  std::atomic<bool> cancel_ = false;  // of the session
  EventSession session_;
};

void DefineEvents(pybind11::module_& module);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_EVENTS_H_
