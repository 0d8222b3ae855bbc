#include "runtime/python/session.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <new>
#include <thread>
#include <utility>

#include "cssrun/batch.h"
#include "runtime/python/errors.h"
#include "runtime/python/images.h"
#include "runtime/seconds_since.h"

namespace cssrun::python {
namespace py = pybind11;

namespace {

using Clock = std::chrono::steady_clock;

std::optional<double> EarlyExitMargin(const py::object& asked, const Network& network) {
  if (asked.is_none()) return std::nullopt;
  if (py::isinstance<py::str>(asked)) {
    if (asked.cast<std::string>() != "auto") {
      throw py::value_error("early_exit is a margin or \"auto\"");
    }
    if (network.early_exit_margin().has_value()) return network.early_exit_margin();
    throw py::value_error(
        "early_exit=\"auto\": the network has no margin of its own; name one, or convert it again");
  }
  const double margin = PyFloat_AsDouble(asked.ptr());
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  if (std::isfinite(margin) && margin >= 0) return margin;
  throw py::value_error("early_exit is a margin of at least 0");
}

std::chrono::nanoseconds TimeLimit(const std::optional<double>& seconds) {
  if (!seconds.has_value()) return std::chrono::nanoseconds(0);
  constexpr double kLongest = 1e9;  // 30 years
  if (!(*seconds > 0)) throw py::value_error("time_limit is in seconds, more than 0");
  const double limit = std::min(*seconds, kLongest);
  return std::chrono::nanoseconds(std::max<int64_t>(1, static_cast<int64_t>(limit * 1e9)));
}

size_t LayerOf(const Network& network, const py::handle& asked) {
  const std::vector<LayerInfo>& layers = network.layers();
  if (py::isinstance<py::str>(asked)) {
    const auto name = asked.cast<std::string>();
    const auto found = std::ranges::find(layers, name, &LayerInfo::name);
    if (found != layers.end()) return static_cast<size_t>(found - layers.begin());
    std::string names;
    for (const LayerInfo& layer : layers) names += (names.empty() ? "" : ", ") + layer.name;
    throw py::value_error("no layer " + name + "; there are " + names);
  }
  const py::ssize_t index = PyNumber_AsSsize_t(asked.ptr(), PyExc_IndexError);
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  const auto count = static_cast<py::ssize_t>(layers.size());
  if (index >= -count && index < count) return static_cast<size_t>((index + count) % count);
  throw py::index_error("layer " + std::to_string(index) + "; the network has " +
                        std::to_string(count));
}

// Adds the layers of record_spikes or record_membranes to `recorded` and `requests`, which stay
// parallel. `what` is the member of a request that the list sets.
void AddRequests(const Network& network, const py::object& layers, bool RecordRequest::*what,
                 std::vector<Recorded>& recorded, std::vector<RecordRequest>& requests) {
  if (layers.is_none()) return;
  if (py::isinstance<py::str>(layers)) {
    throw py::type_error("record_spikes and record_membranes are lists of layers");
  }
  for (const py::handle& asked : layers) {
    const size_t layer = LayerOf(network, asked);
    const auto known = std::ranges::find_if(
        recorded, [&](const Recorded& other) { return other.key.equal(asked); });
    const auto index = static_cast<size_t>(known - recorded.begin());
    if (known == recorded.end()) {
      recorded.push_back({py::reinterpret_borrow<py::object>(asked), layer});
      requests.push_back({layer, false, false});
    }
    requests[index].*what = true;
  }
}

std::vector<InputEvent> EventsOf(const py::object& given) {
  const py::object array = py::module_::import("numpy").attr("asarray")(given);
  const auto kind = array.attr("dtype").attr("kind").cast<std::string>();
  if (kind != "i" && kind != "u") {
    throw py::type_error("events are integers: step, address and sign in each row");
  }
  const auto events = py::array_t<int64_t, py::array::c_style | py::array::forcecast>(array);
  if (events.ndim() != 2 || events.shape(1) != 3) {
    throw py::value_error("events of shape " + py::str(array.attr("shape")).cast<std::string>() +
                          "; each is a row of step, address and sign");
  }
  std::vector<InputEvent> translated;
  translated.reserve(static_cast<size_t>(events.shape(0)));
  const auto row = events.unchecked<2>();
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  for (py::ssize_t i = 0; i < events.shape(0); ++i) {
    // A number that does not fit 32 bits is out of range for every network. The library checks the
    // others.
    if (row(i, 0) < 0 || row(i, 0) > kMost || row(i, 1) < 0 || row(i, 1) > kMost) {
      throw py::value_error("event " + std::to_string(i) + ": step " + std::to_string(row(i, 0)) +
                            ", address " + std::to_string(row(i, 1)) + " is out of range");
    }
    translated.push_back({static_cast<uint32_t>(row(i, 0)), static_cast<uint32_t>(row(i, 1)),
                          static_cast<int32_t>(std::clamp<int64_t>(row(i, 2), -2, 2))});
  }
  return translated;
}

}  // namespace

// One call of RunAll, shared by the threads that work on it.
struct BatchSession::Job {
  Job(size_t count, AnswerWriter& answers, const RunOne& one)
      : images(count), writer(answers), run_one(one) {}

  const size_t images;
  AnswerWriter& writer;
  const RunOne& run_one;
  std::atomic<size_t> next = 0;  // the next image that no thread has taken
  std::atomic<bool> stop = false;

  std::mutex mutex;  // guards `failed`, `status` and `exception`
  // The failed image with the smallest index, and its error. Threads take images in order and
  // finish those that they have taken, so no image before it can still fail afterwards.
  size_t failed = std::numeric_limits<size_t>::max();
  Status status;
  std::exception_ptr exception;  // thrown instead of `status`, if set

  std::vector<std::unique_ptr<Worker>> workers;  // guarded by BatchSession::mutex_

  void Fail(size_t image, Status why, std::exception_ptr thrown) {
    const std::scoped_lock lock(mutex);
    stop = true;
    if (image >= failed) return;
    failed = image;
    status = std::move(why);
    // The previous exception is destroyed with `thrown`, after the lock: to destroy a Python
    // exception takes the GIL.
    std::swap(exception, thrown);
  }
};

BatchSession::BatchSession(std::shared_ptr<const Network> network, const RunOptions& options)
    : network_(std::move(network)), on_reading_(options.on_reading) {
  // Before shapes of images that would fit no better.
  if (network_->events() != nullptr) {
    throw py::value_error(
        "this network takes events, not images: run it with Network.event_session()");
  }
  const unsigned threads = ThreadCount(options.threads);
  workers_ = options.latency ? 1 : threads;
  options_.threads = options.latency ? threads : 1;
  options_.statistics = options.statistics || !on_reading_.is_none();
  options_.profile = options.profile;
  options_.keep_readings = options.readings;
  options_.early_exit_margin = EarlyExitMargin(options.early_exit, *network_);
  options_.time_limit = TimeLimit(options.time_limit);
  AddRequests(*network_, options.record_spikes, &RecordRequest::spikes, recorded_, options_.record);
  AddRequests(*network_, options.record_membranes, &RecordRequest::membranes, recorded_,
              options_.record);
  if (!on_reading_.is_none() && PyCallable_Check(on_reading_.ptr()) == 0) {
    throw py::type_error("on_reading is a function of a Reading");
  }
}

SessionOptions BatchSession::OptionsFor(Worker& worker) const {
  SessionOptions options = options_;
  options.cancel = &worker.cancel;
  if (!on_reading_.is_none()) {
    options.on_reading = [this, &worker](const Reading& reading) {
      const py::gil_scoped_acquire gil;
      const ReadingView view{worker.image, reading.step,
                             py::array_t<float>(static_cast<py::ssize_t>(reading.logits.size()),
                                                reading.logits.data()),
                             reading.margin, reading.synops};
      // Only False ends the run: a callback that returns None lets it go on.
      return !on_reading_(view).is(py::handle(Py_False));
    };
  }
  return options;
}

BatchSession::Worker& BatchSession::Hire(Job& job) {
  const std::scoped_lock lock(mutex_);
  std::unique_ptr<Worker> worker;
  if (idle_.empty()) {
    worker = std::make_unique<Worker>();
  } else {
    worker = std::move(idle_.back());
    idle_.pop_back();
  }
  worker->cancel = job.stop.load();
  job.workers.push_back(std::move(worker));
  return *job.workers.back();
}

void BatchSession::Cancel() {
  const std::scoped_lock lock(mutex_);
  for (Job* job : jobs_) {
    job->stop = true;
    for (const auto& worker : job->workers) worker->cancel = true;
    // Between two images no session would report the cancellation.
    job->Fail(job->images, Status::Cancelled("cancelled"), nullptr);
  }
}

void BatchSession::Work(Job& job, Worker& worker, bool watch_signals) {
  Clock::time_point last_check = Clock::now();
  for (;;) {
    if (job.stop) return;
    const size_t image = job.next++;
    if (image >= job.images) return;
    try {
      const auto start = Clock::now();
      if (!worker.session.has_value()) worker.session.emplace(network_, OptionsFor(worker));
      worker.image = image;
      Status status = job.run_one(*worker.session, image, worker.answer);
      if (status.ok()) {
        job.writer.Write(image, worker.answer, internal::SecondsSince(start));
      } else {
        job.Fail(image, std::move(status), nullptr);
      }
      if (watch_signals && Clock::now() - last_check > kSignalInterval) {
        last_check = Clock::now();
        const py::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      }
    } catch (const std::bad_alloc&) {
      job.Fail(image, Status::OutOfMemory(), nullptr);
    } catch (...) {
      job.Fail(image, {}, std::current_exception());
    }
  }
}

Answers BatchSession::RunAll(size_t images, bool batched, const RunOne& run_one) {
  AnswerWriter writer(*network_, options_, recorded_, images, batched);
  Job job(images, writer, run_one);
  {
    const py::gil_scoped_release release;
    std::list<Job*>::iterator entry;
    {
      const std::scoped_lock lock(mutex_);
      entry = jobs_.insert(jobs_.end(), &job);
    }
    std::vector<std::thread> helpers;
    try {
      for (size_t i = 1; i < std::min<size_t>(workers_, images); ++i) {
        helpers.emplace_back([this, &job, &worker = Hire(job)] { Work(job, worker, false); });
      }
      Work(job, Hire(job), true);
    } catch (...) {  // no memory, or no more threads
      job.Fail(0, {}, std::current_exception());
    }
    for (std::thread& helper : helpers) helper.join();
    const std::scoped_lock lock(mutex_);
    jobs_.erase(entry);
    for (auto& worker : job.workers) idle_.push_back(std::move(worker));
  }
  if (job.exception != nullptr) std::rethrow_exception(std::exchange(job.exception, nullptr));
  const bool whole_run = !batched || job.failed >= images;
  Check(job.status, whole_run ? "" : "image " + std::to_string(job.failed) + ": ");
  return writer.answers();
}

Answers BatchSession::Run(const py::object& images, const std::optional<std::string>& layout) {
  const ImageBatch batch = ViewImages(images, network_->input(), layout);
  return RunAll(batch.count, batch.batched,
                [&batch](Session& session, size_t image, Answer& answer) {
                  return batch.Run(session, image, answer);
                });
}

Answers BatchSession::RunEvents(const py::object& events) {
  const std::vector<InputEvent> translated = EventsOf(events);
  return RunAll(1, false, [&translated](Session& session, size_t /*image*/, Answer& answer) {
    return session.Run(std::span(translated), answer);
  });
}

}  // namespace cssrun::python
