// Runs batches of images for Python: over several threads, without the GIL, and without copying
// images that the runtime can read in place.
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

// The options of a Python caller, named like the options of the programs.
struct RunOptions {
  unsigned threads = 0;  // 0: all cores
  bool latency = false;  // one image at a time, whose layers the threads share
  bool statistics = false;
  bool profile = false;
  bool readings = false;
  pybind11::object early_exit;        // None, a margin, or "auto"
  std::optional<double> time_limit;   // seconds
  pybind11::object on_reading;        // None, or called with a ReadingView; False ends the run
  pybind11::object record_spikes;     // None, or a list of names or indices of layers
  pybind11::object record_membranes;  // likewise
};

// The argument of on_reading: a Reading, and the image that it belongs to.
struct ReadingView {
  size_t image = 0;         // index into the batch
  uint32_t step = 0;        // global steps done
  pybind11::object logits;  // float32 [classes], a copy
  double margin = 0;
  uint64_t synops = 0;
};

// Threads: several Python threads may use it at the same time. Each run takes library sessions of
// its own, which are kept for later runs.
class BatchSession {
 public:
  // Throws ValueError, TypeError or IndexError on wrong options.
  BatchSession(std::shared_ptr<const Network> network, const RunOptions& options);
  BatchSession(const BatchSession&) = delete;
  BatchSession& operator=(const BatchSession&) = delete;

  // Classifies the images that ViewImages() accepts. Throws what ViewImages() and Check() throw,
  // and what on_reading raised. The caller holds the GIL, which is released while images run.
  Answers Run(const pybind11::object& images, const std::optional<std::string>& layout);
  // The same for one input of spikes: integers [events, 3] of step, address and sign.
  Answers RunEvents(const pybind11::object& events);

  // Ends the runs in progress in other threads, which then raise CancelledError.
  void Cancel();

 private:
  // One thread's session; reused by later runs.
  struct Worker {
    std::atomic<bool> cancel = false;
    size_t image = 0;  // the image that it runs, for on_reading
    std::optional<Session> session;
    Answer answer;
  };
  struct Job;
  using RunOne = std::function<Status(Session& session, size_t image, Answer& answer)>;

  // Runs images 0 to images - 1 with `run_one` over workers_ threads, the caller's included.
  Answers RunAll(size_t images, bool batched, const RunOne& run_one);
  // Runs images of the job until none is left or it stops. `watch_signals`: look for Ctrl-C, which
  // only the caller's thread may.
  void Work(Job& job, Worker& worker, bool watch_signals);
  SessionOptions OptionsFor(Worker& worker) const;
  // Moves an idle worker, or a new one, into the job.
  Worker& Hire(Job& job);

  std::shared_ptr<const Network> network_;
  SessionOptions options_;
  unsigned workers_;  // images that run at the same time
  pybind11::object on_reading_;
  std::vector<Recorded> recorded_;

  std::mutex mutex_;  // guards idle_, jobs_ and Job::workers; never held while waiting for the GIL
  std::vector<std::unique_ptr<Worker>> idle_;
  std::list<Job*> jobs_;
};

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_SESSION_H_
