// Runs batches of images for Python: without the GIL, over threads, with every input in place.
#ifndef CSSRUN_RUNTIME_PYTHON_SESSION_H_
#define CSSRUN_RUNTIME_PYTHON_SESSION_H_

#include <pybind11/pybind11.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/session.h"
#include "runtime/python/answers.h"

namespace cssrun::python {

// What a Python caller chooses, in the words of the programs' options.
struct RunOptions {
  unsigned threads = 0;  // 0: all cores
  bool latency = false;  // one image at a time, its layers over the threads
  bool profile = false;
  bool readings = false;
  pybind11::object early_exit;       // None, a margin, or "auto"
  std::optional<double> time_limit;  // seconds
  pybind11::object on_reading;       // None, or called with a ReadingView; False ends the run
  pybind11::object record_spikes;    // names or indices of layers
  pybind11::object record_membranes;
};

// What on_reading is given.
struct ReadingView {
  size_t image = 0;
  uint32_t step = 0;
  pybind11::object logits;
  double margin = 0;
  uint64_t synops = 0;
};

// May be used by several Python threads at once: each run has sessions of the library of its own,
// which are kept for later runs.
class BatchSession {
 public:
  // Throws ValueError or KeyError on options that cannot be.
  BatchSession(std::shared_ptr<const Network> network, const RunOptions& options);
  BatchSession(const BatchSession&) = delete;
  BatchSession& operator=(const BatchSession&) = delete;

  Answers Run(const pybind11::object& images, const std::optional<std::string>& layout);
  // `events`: integers [events, 3] of step, address and sign.
  Answers RunEvents(const pybind11::object& events);

  // Ends the runs that are under way with CancelledError.
  void Cancel();

 private:
  struct Worker {
    std::atomic<bool> cancel = false;
    size_t image = 0;  // that it runs, for on_reading
    std::optional<Session> session;
    Answer answer;
  };
  struct Job;
  using RunOne = std::function<Status(Session& session, size_t image, Answer& answer)>;

  Answers RunAll(size_t images, bool batched, const RunOne& run_one);
  void Work(Job& job, Worker& worker, bool watch_signals);
  SessionOptions OptionsFor(Worker& worker) const;
  // Takes a worker that is idle or new into the job.
  Worker& Hire(Job& job);

  std::shared_ptr<const Network> network_;
  SessionOptions options_;
  unsigned workers_;  // images at the same time
  pybind11::object on_reading_;
  std::vector<Recorded> recorded_;

  std::mutex mutex_;  // of what follows; never taken while waiting for the GIL
  std::vector<std::unique_ptr<Worker>> idle_;
  std::list<Job*> jobs_;
};

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_SESSION_H_
