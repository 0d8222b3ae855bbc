// Streams for Python: one frame after another, without the GIL while it runs.
#ifndef CSSRUN_RUNTIME_PYTHON_STREAM_H_
#define CSSRUN_RUNTIME_PYTHON_STREAM_H_

#include <pybind11/pybind11.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cssrun/network.h"
#include "cssrun/stream.h"

namespace cssrun::python {

// What a frame was answered.
struct FrameAnswer {
  pybind11::object logits;         // float32 [classes], a copy
  pybind11::object layer_neurons;  // int64 [layers], as the following
  pybind11::object layer_changed;
  pybind11::object layer_touched;
  pybind11::object layer_spikes;
  pybind11::object layer_synops;
  pybind11::object updates;  // as StreamAnswer's; without statistics these and the above are None
  pybind11::object synops;
  StreamAnswer answer;  // all else
};

// Several Python threads may use it; their frames come one after another.
class FrameStream {
 public:
  // Throws ValueError.
  FrameStream(std::shared_ptr<const Network> network, const StreamOptions& options);

  // Throws what ViewImages() and Check() throw. The caller holds the GIL.
  FrameAnswer Next(const pybind11::object& frame, const std::optional<std::string>& layout);
  // `changes`: integers [changes, 2] of address and value.
  FrameAnswer NextChanges(const pybind11::object& changes);
  void Reset();

 private:
  template <class Run>
  FrameAnswer RunNext(const Run& run);

  std::shared_ptr<const Network> network_;
  std::mutex mutex_;  // never held while waiting for the GIL
  bool statistics_;
  Stream stream_;
};

void DefineStream(pybind11::module_& module);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_STREAM_H_
