// The answers of a run, as NumPy arrays that own their memory: they outlive session and network.
#ifndef CSSRUN_RUNTIME_PYTHON_ANSWERS_H_
#define CSSRUN_RUNTIME_PYTHON_ANSWERS_H_

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/session.h"

namespace cssrun::python {

// An array is None if the caller did not ask for it or the layer has none.
struct RecordingArrays {
  pybind11::object spikes;     // int8 [images, T, channels, height, width]
  pybind11::object membranes;  // float32 [images, T + L, channels, height, width]
};

// Without a dimension of images where the caller passed one image without one.
struct Answers {
  pybind11::object logits;         // float32 [images, classes]
  pybind11::dict outputs;          // name -> float32 [images, shape], views of the logits
  pybind11::object best;           // int64 [images]
  pybind11::object steps;          // int64 [images]
  pybind11::object ending;         // uint8 [images], of enum Ending
  pybind11::object seconds;        // float64 [images], time of each run
  pybind11::object spikes;         // int64 [images, layers]
  pybind11::object synops;         // int64 [images, layers]
  pybind11::object macs;           // int64 [images, layers]
  pybind11::object layer_seconds;  // float64 [images, layers], or None
  pybind11::object readings;       // float32 [images, T, classes], or None
  pybind11::dict recordings;       // Recorded::key -> RecordingArrays
};

// One layer to record. `key` is the name or index by which the caller asked for it.
struct Recorded {
  pybind11::object key;
  size_t layer = 0;  // index into Network::layers()
};

// Allocates the arrays of a run, and fills them in from several threads.
class AnswerWriter {
 public:
  // `batched`: whether the arrays begin with a dimension of images; if not, `images` is 1. The
  // caller holds the GIL, here and for answers().
  AnswerWriter(const Network& network, const SessionOptions& options,
               const std::vector<Recorded>& recorded, size_t images, bool batched);

  // Copies the answer to image `image` into the arrays. Needs no GIL. Several threads may write
  // different images at the same time.
  void Write(size_t image, const Answer& answer, double seconds);

  const Answers& answers() const { return answers_; }

 private:
  struct RecordingRoom {
    int8_t* spikes = nullptr;
    float* membranes = nullptr;
  };

  Answers answers_;
  size_t classes_;
  size_t layers_;
  size_t timesteps_;
  // Pointers into the arrays of answers_.
  float* logits_;
  int64_t* best_;
  int64_t* steps_;
  uint8_t* ending_;
  double* seconds_;
  int64_t* spikes_ = nullptr;
  int64_t* synops_ = nullptr;
  int64_t* macs_ = nullptr;
  double* layer_seconds_ = nullptr;
  float* readings_ = nullptr;
  std::vector<RecordingRoom> recordings_;
};

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_ANSWERS_H_
