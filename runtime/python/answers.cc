#include "runtime/python/answers.h"

#include <algorithm>
#include <limits>

#include "runtime/assert.h"
#include "runtime/engine/reading.h"
#include "runtime/engine/recording.h"
#include "runtime/network/network_access.h"

namespace cssrun::python {
namespace py = pybind11;

namespace {

// `shape`, with a dimension of images before it if `batched`.
std::vector<py::ssize_t> ShapeFor(size_t images, bool batched, const std::vector<size_t>& shape) {
  std::vector<py::ssize_t> whole;
  if (batched) whole.push_back(static_cast<py::ssize_t>(images));
  for (const size_t size : shape) whole.push_back(static_cast<py::ssize_t>(size));
  return whole;
}

// The part of `logits`, [images, numbers], that is one output, in its shape.
py::array OutputView(const py::object& logits, const OutputInfo& output, size_t images,
                     bool batched, size_t numbers) {
  const std::vector<size_t> sizes(output.shape.begin(), output.shape.end());
  const std::vector<py::ssize_t> shape = ShapeFor(images, batched, sizes);
  std::vector<py::ssize_t> strides(shape.size(), sizeof(float));
  for (size_t i = shape.size() - 1; i-- > (batched ? 1 : 0);) {
    strides[i] = strides[i + 1] * shape[i + 1];
  }
  if (batched) strides[0] = static_cast<py::ssize_t>(numbers * sizeof(float));
  const auto* first = static_cast<const float*>(py::cast<py::array>(logits).data()) + output.first;
  return py::array_t<float>(shape, strides, first, logits);
}

template <class T>
T* Data(const py::object& array) {
  return static_cast<T*>(py::cast<py::array>(array).mutable_data());
}

}  // namespace

AnswerWriter::AnswerWriter(const Network& network, const SessionOptions& options,
                           const std::vector<Recorded>& recorded, size_t images, bool batched)
    : classes_(network.logits()),
      layers_(network.layers().size()),
      timesteps_(network.timesteps()) {
  const auto room = [&]<class T>(py::object& array, const std::vector<size_t>& shape, T) {
    array = py::array_t<T>(ShapeFor(images, batched, shape));
    return Data<T>(array);
  };
  logits_ = room(answers_.logits, {classes_}, float{});
  for (const OutputInfo& output : network.outputs()) {
    answers_.outputs[py::str(output.name)] =
        OutputView(answers_.logits, output, images, batched, classes_);
  }
  best_ = room(answers_.best, {}, int64_t{});
  steps_ = room(answers_.steps, {}, int64_t{});
  ending_ = room(answers_.ending, {}, uint8_t{});
  seconds_ = room(answers_.seconds, {}, double{});
  answers_.spikes = answers_.synops = answers_.macs = py::none();
  if (internal::CountsWork(options)) {
    spikes_ = room(answers_.spikes, {layers_}, int64_t{});
    synops_ = room(answers_.synops, {layers_}, int64_t{});
    macs_ = room(answers_.macs, {layers_}, int64_t{});
  }
  answers_.layer_seconds = answers_.readings = py::none();
  if (options.profile) layer_seconds_ = room(answers_.layer_seconds, {layers_}, double{});
  if (options.keep_readings) {
    readings_ = room(answers_.readings, {timesteps_, classes_}, float{});
    // Steps that a run does not reach, because it ends early, stay NaN.
    std::fill_n(readings_, images * timesteps_ * classes_, std::numeric_limits<float>::quiet_NaN());
  }

  // The shapes of recordings come from the function that sizes them for a run.
  Answer sizes;
  internal::ClearRecordings(internal::Loaded(network), options, sizes);
  for (size_t i = 0; i < recorded.size(); ++i) {
    const LayerInfo& layer = network.layers()[recorded[i].layer];
    const auto shape = [&](size_t values) -> std::vector<size_t> {
      return {values / layer.neurons, layer.channels, layer.height, layer.width};
    };
    RecordingArrays arrays{py::none(), py::none()};
    RecordingRoom rooms;
    const Recording& size = sizes.recordings[i];
    if (!size.spikes.empty()) {
      rooms.spikes = room(arrays.spikes, shape(size.spikes.size()), int8_t{});
    }
    if (!size.membranes.empty()) {
      rooms.membranes = room(arrays.membranes, shape(size.membranes.size()), float{});
    }
    recordings_.push_back(rooms);
    answers_.recordings[recorded[i].key] = arrays;
  }
}

void AnswerWriter::Write(size_t image, const Answer& answer, double seconds) {
  CSSRUN_ASSERT(answer.logits.size() == classes_);
  CSSRUN_ASSERT(answer.layers.size() == (spikes_ == nullptr ? 0 : layers_));
  CSSRUN_ASSERT(answer.recordings.size() == recordings_.size());
  std::ranges::copy(answer.logits, logits_ + image * classes_);
  best_[image] = static_cast<int64_t>(answer.best());
  steps_[image] = answer.steps;
  ending_[image] = static_cast<uint8_t>(answer.ending);
  seconds_[image] = seconds;
  for (size_t i = 0; i < answer.layers.size(); ++i) {
    const LayerStatistics& layer = answer.layers[i];
    spikes_[image * layers_ + i] = static_cast<int64_t>(layer.spikes);
    synops_[image * layers_ + i] = static_cast<int64_t>(layer.synops);
    macs_[image * layers_ + i] = static_cast<int64_t>(layer.macs);
    if (layer_seconds_ != nullptr) layer_seconds_[image * layers_ + i] = layer.seconds;
  }
  if (readings_ != nullptr) {
    float* to = readings_ + image * timesteps_ * classes_;
    // Readings of steps that were not reached have no logits. They are the last ones, so the copies
    // of the others are contiguous.
    for (const Reading& reading : answer.readings) to = std::ranges::copy(reading.logits, to).out;
  }
  for (size_t i = 0; i < recordings_.size(); ++i) {
    const Recording& from = answer.recordings[i];
    if (recordings_[i].spikes != nullptr) {
      std::ranges::copy(from.spikes, recordings_[i].spikes + image * from.spikes.size());
    }
    if (recordings_[i].membranes != nullptr) {
      std::ranges::copy(from.membranes, recordings_[i].membranes + image * from.membranes.size());
    }
  }
}

}  // namespace cssrun::python
