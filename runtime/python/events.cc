#include "runtime/python/events.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <chrono>
#include <future>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/python/errors.h"

namespace cssrun::python {
namespace py = pybind11;

namespace {

// A feed of no more than these is over before anybody waits for Ctrl-C; a thread takes 30 us.
constexpr size_t kFewEvents = 4096;
constexpr uint64_t kFewSteps = 256;

// A vector of integers, none of them negative.
py::array_t<int64_t> Integers(const py::object& given, const char* what) {
  const py::object array = py::module_::import("numpy").attr("asarray")(given);
  const auto kind = array.attr("dtype").attr("kind").cast<std::string>();
  const bool empty = array.attr("size").cast<int64_t>() == 0;
  if (kind != "i" && kind != "u" && !empty) {
    throw py::type_error(std::string(what) + " are integers, one for each event");
  }
  auto numbers = py::array_t<int64_t, py::array::c_style | py::array::forcecast>(array);
  if (numbers.ndim() != 1) {
    throw py::value_error(std::string(what) + " of shape " +
                          py::str(array.attr("shape")).cast<std::string>() +
                          "; they are a vector, one for each event");
  }
  const auto at = numbers.unchecked<1>();
  for (py::ssize_t i = 0; i < at.shape(0); ++i) {
    if (at(i) < 0) throw py::value_error(std::string(what) + ": a negative number");
  }
  return numbers;
}

std::vector<TimedEvent> EventsOf(const py::object& steps, const py::object& addresses,
                                 const py::object& values) {
  const py::array_t<int64_t> when = Integers(steps, "steps");
  const py::array_t<int64_t> where = Integers(addresses, "addresses");
  py::array_t<float, py::array::c_style | py::array::forcecast> how_much;
  if (!values.is_none()) how_much = values.cast<decltype(how_much)>();
  const bool fits = when.size() == where.size() &&
                    (values.is_none() || (how_much.ndim() == 1 && how_much.size() == when.size()));
  if (!fits) throw py::value_error("steps, addresses and values are of different lengths");
  std::vector<TimedEvent> events;
  events.reserve(static_cast<size_t>(when.size()));
  for (py::ssize_t i = 0; i < when.size(); ++i) {
    const int64_t address = where.at(i);
    if (address > std::numeric_limits<uint32_t>::max()) {
      throw py::value_error("event " + std::to_string(i) + ": address " + std::to_string(address) +
                            " is out of range");
    }
    events.push_back({static_cast<uint64_t>(when.at(i)), static_cast<uint32_t>(address),
                      values.is_none() ? 1.0F : how_much.at(i)});
  }
  return events;
}

// A number of steps, of Python's or NumPy's integers.
uint64_t StepsOf(const py::object& given) {
  const auto whole = py::reinterpret_steal<py::object>(PyNumber_Index(given.ptr()));
  if (!whole) throw py::error_already_set();
  const unsigned long long steps = PyLong_AsUnsignedLongLong(whole.ptr());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    throw py::value_error("until " + py::str(whole).cast<std::string>() +
                          ": a number of steps, from 0 to 2^64 - 1");
  }
  return steps;
}

EventSessionOptions WithCancel(EventSessionOptions options, const std::atomic<bool>& cancel) {
  options.cancel = &cancel;
  return options;
}

template <class To, class From>
py::array_t<To> ArrayOf(const std::vector<From>& numbers) {
  py::array_t<To> array(static_cast<py::ssize_t>(numbers.size()));
  To* to = array.mutable_data();
  for (const From number : numbers) *to++ = static_cast<To>(number);
  return array;
}

}  // namespace

TimedSession::TimedSession(std::shared_ptr<const Network> network,
                           const EventSessionOptions& options)
    : network_(std::move(network)),
      session_(ValueOf(EventSession::Create(network_, WithCancel(options, cancel_)))) {}

template <class Run>
void TimedSession::WithSession(const Run& run) {
  Status status;
  {
    const py::gil_scoped_release release;
    const std::scoped_lock lock(mutex_);
    status = run(session_);
  }
  Check(status);
}

void TimedSession::Feed(const py::object& steps, const py::object& addresses,
                        const py::object& until, const py::object& values) {
  const std::vector<TimedEvent> events = EventsOf(steps, addresses, values);
  const uint64_t end = StepsOf(until);
  const uint64_t done = now();
  if (events.size() <= kFewEvents && (end < done || end - done <= kFewSteps)) {
    WithSession([&](EventSession& session) { return session.Feed(events, end); });
  } else {
    FeedInterruptibly(events, end);
  }
}

void TimedSession::FeedInterruptibly(const std::vector<TimedEvent>& events, uint64_t until) {
  Call call;
  Status status;
  {
    const py::gil_scoped_release release;
    std::future<Status> fed = std::async(std::launch::async, [&] {
      const std::scoped_lock lock(mutex_);
      return RunCall(call, events, until);
    });
    while (fed.wait_for(kSignalInterval) != std::future_status::ready) {
      const py::gil_scoped_acquire gil;
      if (PyErr_CheckSignals() == 0) continue;
      const py::error_already_set raised;
      {
        const py::gil_scoped_release waiting;
        Abandon(call);
        fed.wait();
      }
      throw raised;
    }
    status = fed.get();
  }
  Check(status);
}

// The caller has mutex_.
Status TimedSession::RunCall(const Call& call, const std::vector<TimedEvent>& events,
                             uint64_t until) {
  {
    const std::scoped_lock lock(call_mutex_);
    if (call.abandoned) return Status::Cancelled("cancelled");
    running_ = &call;
  }
  const Status status = session_.Feed(events, until);
  const std::scoped_lock lock(call_mutex_);
  running_ = nullptr;
  cancel_ = false;
  return status;
}

// Ends this call alone, not that of another thread which it waits for.
void TimedSession::Abandon(Call& call) {
  const std::scoped_lock lock(call_mutex_);
  call.abandoned = true;
  if (running_ == &call) cancel_ = true;
}

uint64_t TimedSession::now() {
  uint64_t now = 0;
  WithSession([&](const EventSession& session) {
    now = session.now();
    return Status::Ok();
  });
  return now;
}

void TimedSession::Reset() {
  WithSession([](EventSession& session) {
    session.Reset();
    return Status::Ok();
  });
}

py::object TimedSession::Logits() {
  std::vector<float> logits;
  WithSession([&](const EventSession& session) {
    session.ReadLogits(logits);
    return Status::Ok();
  });
  return ArrayOf<float>(logits);
}

py::object TimedSession::Potentials(size_t layer) {
  std::vector<double> potentials;
  WithSession(
      [&](const EventSession& session) { return session.ReadPotentials(layer, potentials); });
  return ArrayOf<double>(potentials);
}

py::object TimedSession::Counts(size_t layer) {
  std::vector<uint64_t> counts;
  WithSession([&](const EventSession& session) { return session.ReadCounts(layer, counts); });
  return ArrayOf<int64_t>(counts);
}

py::dict TimedSession::Layers() {
  std::vector<EventLayer> layers;
  WithSession([&](const EventSession& session) {
    layers = session.layers();
    return Status::Ok();
  });
  std::vector<uint64_t> spikes;
  std::vector<uint64_t> synops;
  std::vector<uint64_t> updates;
  for (const EventLayer& layer : layers) {
    spikes.push_back(layer.spikes);
    synops.push_back(layer.synops);
    updates.push_back(layer.updates);
  }
  py::dict counts;
  counts["spikes"] = ArrayOf<int64_t>(spikes);
  counts["synops"] = ArrayOf<int64_t>(synops);
  counts["updates"] = ArrayOf<int64_t>(updates);
  return counts;
}

py::bytes TimedSession::Save() {
  std::vector<uint8_t> state;
  WithSession([&](const EventSession& session) {
    session.Save(state);
    return Status::Ok();
  });
  return {reinterpret_cast<const char*>(state.data()), state.size()};
}

void TimedSession::Restore(const py::bytes& state) {
  const auto view = state.cast<std::string_view>();
  WithSession([&](EventSession& session) {
    return session.Restore({reinterpret_cast<const uint8_t*>(view.data()), view.size()});
  });
}

void DefineEvents(py::module_& module) {
  py::class_<EventReading>(module, "EventReading",
                           "How a network that takes events was read from its model.")
      .def_readonly("step_seconds", &EventReading::step_seconds, "The length of a step.")
      .def_property_readonly(
          "readout",
          [](const EventReading& self) {
            return self.readout == EventReadout::kCounts ? "counts" : "potentials";
          },
          "What the logits are: \"counts\" of spikes or \"potentials\".")
      .def_readonly("assumptions", &EventReading::assumptions,
                    "What the model did not say, a sentence each.")
      .def_readonly("stepped", &EventReading::stepped,
                    "Layers that are brought up to date at every step; none: silence is free.");
  py::class_<TimedSession>(module, "EventSession",
                           "Runs a network on events, for as long as they come.")
      .def("feed", &TimedSession::Feed,
           "Takes events in the order of their steps, all from now on and before `until`, and does "
           "all steps before `until`. Ctrl-C ends it between two steps: `now` says how many are "
           "done. address: (channel * height + row) * width + column; values: "
           "None, or what arrives, 1 for a spike.",
           py::arg("steps"), py::arg("addresses"), py::arg("until"), py::kw_only(),
           py::arg("values") = py::none())
      .def("reset", &TimedSession::Reset, "Back to step 0.")
      .def("potentials", &TimedSession::Potentials, py::arg("layer"),
           "float64 [neurons] of a layer of Network.layers, after the steps done.")
      .def("counts", &TimedSession::Counts, py::arg("layer"),
           "int64 [neurons]: spikes sent so far; of layer 0, events.")
      .def("save", &TimedSession::Save, "All that later answers depend on.")
      .def("restore", &TimedSession::Restore, py::arg("state"),
           "Continues a saved state, in this or another session on the same network, with the same "
           "bits.")
      .def_property_readonly("now", &TimedSession::now, "Steps done.")
      .def_property_readonly("logits", &TimedSession::Logits,
                             "float32 [classes] after the steps done.")
      .def_property_readonly("work", &TimedSession::Layers,
                             "int64 [layers] by name: spikes, synops, updates so far.");
}

}  // namespace cssrun::python
