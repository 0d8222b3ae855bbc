#include "runtime/python/stream.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "runtime/python/errors.h"
#include "runtime/python/images.h"

namespace cssrun::python {
namespace py = pybind11;

namespace {

py::array_t<int64_t> ByLayer(const StreamAnswer& answer, uint64_t StreamLayer::*count) {
  py::array_t<int64_t> counts(static_cast<py::ssize_t>(answer.layers.size()));
  int64_t* to = counts.mutable_data();
  for (const StreamLayer& layer : answer.layers) *to++ = static_cast<int64_t>(layer.*count);
  return counts;
}

std::vector<ChangedPixel> ChangesOf(const py::object& given) {
  const py::object array = py::module_::import("numpy").attr("asarray")(given);
  const auto kind = array.attr("dtype").attr("kind").cast<std::string>();
  // NumPy makes floats [0] of an empty list.
  if (array.attr("size").cast<int64_t>() == 0) return {};
  if (kind != "i" && kind != "u") {
    throw py::type_error("changes are integers: address and value in each row");
  }
  const auto changes = py::array_t<int64_t, py::array::c_style | py::array::forcecast>(array);
  if (changes.ndim() != 2 || changes.shape(1) != 2) {
    throw py::value_error("changes of shape " + py::str(array.attr("shape")).cast<std::string>() +
                          "; each is a row of address and value");
  }
  std::vector<ChangedPixel> translated;
  translated.reserve(static_cast<size_t>(changes.shape(0)));
  const auto row = changes.unchecked<2>();
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  for (py::ssize_t i = 0; i < changes.shape(0); ++i) {
    if (row(i, 0) < 0 || row(i, 0) > kMost || row(i, 1) < 0 || row(i, 1) > 255) {
      throw py::value_error("change " + std::to_string(i) + ": address " +
                            std::to_string(row(i, 0)) + ", value " + std::to_string(row(i, 1)) +
                            " is out of range");
    }
    translated.push_back({static_cast<uint32_t>(row(i, 0)), static_cast<uint8_t>(row(i, 1))});
  }
  return translated;
}

}  // namespace

FrameStream::FrameStream(std::shared_ptr<const Network> network, const StreamOptions& options)
    : network_(std::move(network)),
      statistics_(options.statistics),
      stream_(ValueOf(Stream::Create(network_, options))) {}

template <class Run>
FrameAnswer FrameStream::RunNext(const Run& run) {
  FrameAnswer made;
  Status status;
  {
    const py::gil_scoped_release release;
    const std::scoped_lock lock(mutex_);
    status = run(made.answer);
  }
  Check(status);
  const StreamAnswer& answer = made.answer;
  made.logits =
      py::array_t<float>(static_cast<py::ssize_t>(answer.logits.size()), answer.logits.data());
  made.layer_neurons = ByLayer(answer, &StreamLayer::neurons);
  made.layer_changed = ByLayer(answer, &StreamLayer::changed);
  made.layer_touched = ByLayer(answer, &StreamLayer::touched);
  made.layer_spikes = made.layer_synops = made.updates = made.synops = py::none();
  if (!statistics_) return made;
  made.layer_spikes = ByLayer(answer, &StreamLayer::spikes);
  made.layer_synops = ByLayer(answer, &StreamLayer::synops);
  made.updates = py::int_(answer.updates);
  made.synops = py::int_(answer.synops);
  return made;
}

FrameAnswer FrameStream::Next(const py::object& frame, const std::optional<std::string>& layout) {
  const ImageBatch batch = ViewImages(frame, network_->input(), layout);
  if (batch.count != 1) {
    throw py::value_error(std::to_string(batch.count) +
                          " images; a stream takes one frame at a time");
  }
  return RunNext([&](StreamAnswer& answer) { return batch.Next(stream_, answer); });
}

FrameAnswer FrameStream::NextChanges(const py::object& changes) {
  const std::vector<ChangedPixel> translated = ChangesOf(changes);
  return RunNext([&](StreamAnswer& answer) { return stream_.Next(std::span(translated), answer); });
}

void FrameStream::Reset() {
  const py::gil_scoped_release release;
  const std::scoped_lock lock(mutex_);
  stream_.Reset();
}

void DefineStream(py::module_& module) {
  const auto of = [](auto member) {
    return [member](const FrameAnswer& self) { return self.answer.*member; };
  };
  py::class_<FrameAnswer>(module, "FrameAnswer", "What a frame of a stream was answered.")
      .def_readonly("logits", &FrameAnswer::logits, "float32 [classes].")
      .def_property_readonly(
          "best", [](const FrameAnswer& self) { return self.answer.best(); },
          "The class with the largest logit.")
      .def_property_readonly("frame", of(&StreamAnswer::frame), "0 for a first frame.")
      .def_property_readonly("whole", of(&StreamAnswer::whole),
                             "Not compared with the frame before, so that all neurons count as "
                             "changed: a first frame, "
                             "or without statistics one that touched nearly everything.")
      .def_property_readonly(
          "changed_share", [](const FrameAnswer& self) { return self.answer.changed_share(); },
          "Neurons whose level is another one than in the frame before, from 0 to 1.")
      .def_property_readonly("changed_pixels", of(&StreamAnswer::changed_pixels),
                             "Numbers of the picture that did not keep their value.")
      .def_readonly(
          "updates", &FrameAnswer::updates,
          "Synapses of the changed neurons; with statistics=True, else None, as `synops`, "
          "`layer_spikes` and `layer_synops`.")
      .def_readonly("synops", &FrameAnswer::synops, "Weights that a full run of the frame adds.")
      .def_property_readonly("seconds", of(&StreamAnswer::seconds), "Time that the frame took.")
      .def_readonly("layer_neurons", &FrameAnswer::layer_neurons, "int64 [layers].")
      .def_readonly("layer_changed", &FrameAnswer::layer_changed,
                    "int64 [layers]: neurons whose level changed.")
      .def_readonly("layer_touched", &FrameAnswer::layer_touched,
                    "int64 [layers]: neurons that were computed anew.")
      .def_readonly("layer_spikes", &FrameAnswer::layer_spikes,
                    "int64 [layers], as a full run counts them.")
      .def_readonly("layer_synops", &FrameAnswer::layer_synops,
                    "int64 [layers], as a full run counts them.");
  py::class_<FrameStream>(module, "Stream",
                          "Runs the frames of a camera or a video, for the price of what changed.")
      .def("next", &FrameStream::Next,
           "Takes the next frame, as Session.run takes an image, and returns a FrameAnswer: the "
           "same bits as a full run. After an error the next frame is a first one.",
           py::arg("frame"), py::kw_only(), py::arg("layout") = py::none())
      .def("next_changes", &FrameStream::NextChanges,
           "Takes the next frame as its difference to the last one: integers [changes, 2] of "
           "address, (channel * height + row) * width + column, and value, 0 to 255.",
           py::arg("changes"))
      .def("reset", &FrameStream::Reset, "Forgets all frames: the next one is a first one.");
}

}  // namespace cssrun::python
