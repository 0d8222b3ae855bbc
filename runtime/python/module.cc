// Defines the Python module cssrun._cssrun, which cssrun/__init__.py re-exports as cssrun.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cssrun/cssrun.h"
#include "runtime/python/answers.h"
#ifdef CSSRUN_HAVE_CONVERTER
#include "runtime/python/convert.h"
#endif
#include "runtime/python/errors.h"
#include "runtime/python/events.h"
#include "runtime/python/images.h"
#include "runtime/python/limits.h"
#include "runtime/python/session.h"
#include "runtime/python/stream.h"
#include "tools/choose_preprocessing.h"
#include "tools/image.h"
#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/limits.h"

namespace cssrun::python {
namespace {

namespace py = pybind11;
using Path = std::filesystem::path;

// The Python class Network. A wrapper, because pybind11 cannot hold a shared_ptr to const.
struct LoadedNetwork {
  std::shared_ptr<const Network> network;
  tools::ImageLimits image_limits;  // for read_images
};

// The picture as `rgb`, from an array of uint8 that is [height, width] or [height, width, 1, 3 or
// 4]. Transparency is dropped, as PIL's convert("RGB") does.
std::vector<uint8_t> RgbOf(const py::array& picture) {
  const py::ssize_t channels = picture.ndim() == 3 ? picture.shape(2) : 1;
  const bool sound = picture.ndim() >= 2 && picture.ndim() <= 3 &&
                     (channels == 1 || channels == 3 || channels == 4);
  if (!sound || !py::isinstance<py::array_t<uint8_t>>(picture)) {
    throw py::value_error("a picture is uint8 [height, width] or [height, width, 1, 3 or 4], not " +
                          py::str(picture.dtype()).cast<std::string>() + " " +
                          py::str(picture.attr("shape")).cast<std::string>());
  }
  using Packed = py::array_t<uint8_t, py::array::c_style | py::array::forcecast>;
  const auto packed = Packed::ensure(picture);
  const uint8_t* from = packed.data();
  std::vector<uint8_t> rgb(static_cast<size_t>(picture.shape(0) * picture.shape(1)) * 3);
  for (size_t i = 0; i < rgb.size(); i += 3, from += channels) {
    for (size_t c = 0; c < 3; ++c) rgb[i + c] = from[channels == 1 ? 0 : c];
  }
  return rgb;
}

// Images read from files, resized and cut out for the network.
struct ReadImages {
  py::object pixels;  // uint8 [images, height, width, channels]
  std::vector<std::string> paths;
  py::object truth;  // int64 [images], -1 where unknown
};

LoadOptions OptionsFor(const std::optional<std::string>& engine, const py::object& log,
                       const NetworkLimits& limits) {
  LoadOptions options;
  if (engine.has_value()) {
    if (*engine != "integer" && *engine != "float") {
      throw py::value_error("engine is \"integer\" or \"float\", not \"" + *engine + "\"");
    }
    options = *engine == "float" ? EngineKind::kFloat : EngineKind::kInteger;
  }
  options.limits = limits;
  if (log.is_none()) return options;
  options.log = [log = py::handle(log)](LogLevel level, std::string_view message) {
    // The levels of Python's logging module.
    constexpr int kInformation = 20;
    constexpr int kWarning = 30;
    const py::gil_scoped_acquire gil;
    log(level == LogLevel::kWarning ? kWarning : kInformation, py::str(std::string(message)));
  };
  return options;
}

// Calls `load`, which returns a Result, without the GIL.
template <class Load>
LoadedNetwork LoadWith(const tools::Limits& limits, Load load) {
  auto loaded = [&] {
    const py::gil_scoped_release release;
    return load();
  }();
  return {ValueOf(std::move(loaded)), limits.image};
}

LoadedNetwork LoadFrom(const py::object& from, const std::optional<std::string>& engine,
                       const py::object& log, const py::object& given_limits) {
  const tools::Limits limits = LimitsOf(given_limits);
  const LoadOptions options = OptionsFor(engine, log, limits.network);
  if (py::isinstance<py::int_>(from)) {
    const auto descriptor = from.cast<int>();
    const std::string name = "descriptor " + std::to_string(descriptor);
    return LoadWith(limits, [&] { return Network::FromDescriptor(descriptor, name, options); });
  }
  const std::string path = py::module_::import("os").attr("fsencode")(from).cast<std::string>();
  return LoadWith(limits, [&] { return Network::Load(path, options); });
}

LoadedNetwork LoadBytes(const py::buffer& bytes, const std::string& name,
                        const std::optional<std::string>& engine, const py::object& log,
                        const py::object& given_limits) {
  const tools::Limits limits = LimitsOf(given_limits);
  const LoadOptions options = OptionsFor(engine, log, limits.network);
  const py::buffer_info info = bytes.request();
  if (info.ndim > 1 || (info.ndim == 1 && info.strides[0] != info.itemsize)) {
    throw py::value_error("a network file's bytes lie in one piece");
  }
  const std::span file(static_cast<const uint8_t*>(info.ptr),
                       static_cast<size_t>(info.size * info.itemsize));
  return LoadWith(limits, [&] { return Network::FromBytes(file, name, options); });
}

py::array PreprocessArray(const LoadedNetwork& self, const py::object& given) {
  const py::array picture = py::module_::import("numpy").attr("asarray")(given);
  const std::vector<uint8_t> rgb = RgbOf(picture);
  const InputFormat& format = self.network->input();
  std::vector<uint8_t> pixels;
  Status status;
  {
    const py::gil_scoped_release release;
    status = Preprocess(format, rgb, static_cast<uint32_t>(picture.shape(1)),
                        static_cast<uint32_t>(picture.shape(0)), pixels);
  }
  Check(status);
  py::array_t<uint8_t> made({format.height, format.width, format.channels});
  std::ranges::copy(pixels, made.mutable_data());
  return made;
}

void Warn(const std::string& note) {
  if (!note.empty() && PyErr_WarnEx(PyExc_UserWarning, note.c_str(), 1) != 0) {
    throw py::error_already_set();
  }
}

ReadImages ReadFiles(const LoadedNetwork& self, const py::object& paths) {
  std::vector<Path> named;
  if (py::isinstance<py::str>(paths) || py::hasattr(paths, "__fspath__")) {
    named.push_back(paths.cast<Path>());
  } else {
    named = paths.cast<std::vector<Path>>();
  }
  const std::vector<std::string> names(named.begin(), named.end());
  const InputFormat& format = self.network->input();
  tools::LeftOut left_out;
  Result<std::vector<tools::ImageFile>> listed =
      tools::ListImages(names, self.network->labels(), std::cin, &left_out);
  const std::vector<tools::ImageFile> files = ValueOf(std::move(listed));
  Warn(tools::DescribeLeftOut(left_out));
  const auto size = [](size_t count) { return static_cast<py::ssize_t>(count); };
  py::array_t<uint8_t> pixels(
      {size(files.size()), size(format.height), size(format.width), size(format.channels)});
  py::array_t<int64_t> truth(size(files.size()));
  ReadImages images;
  uint8_t* to = pixels.mutable_data();
  for (size_t i = 0; i < files.size(); ++i) {
    std::vector<uint8_t> image;
    std::string warning;
    Status status;
    {
      const py::gil_scoped_release release;
      status = tools::ReadPixels(files[i].path, format, image, self.image_limits, &warning);
    }
    Check(status);
    if (!warning.empty()) Warn(files[i].path + ": " + warning);
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    to = std::ranges::copy(image, to).out;
    truth.mutable_at(size(i)) = files[i].truth;
    images.paths.push_back(files[i].path);
  }
  images.pixels = std::move(pixels);
  images.truth = std::move(truth);
  return images;
}

std::unique_ptr<BatchSession> MakeSession(const LoadedNetwork& self, unsigned threads, bool latency,
                                          bool statistics, bool profile, bool readings,
                                          py::object early_exit, std::optional<double> time_limit,
                                          py::object on_reading, py::object record_spikes,
                                          py::object record_membranes) {
  const RunOptions options{threads,
                           latency,
                           statistics,
                           profile,
                           readings,
                           std::move(early_exit),
                           time_limit,
                           std::move(on_reading),
                           std::move(record_spikes),
                           std::move(record_membranes)};
  return std::make_unique<BatchSession>(self.network, options);
}

std::unique_ptr<FrameStream> MakeStream(const LoadedNetwork& self, unsigned hold, double dead_zone,
                                        unsigned threads, bool statistics) {
  StreamOptions options;
  options.statistics = statistics;
  options.hold = hold;
  options.dead_zone = dead_zone;
  options.threads = threads;
  return std::make_unique<FrameStream>(self.network, options);
}

std::unique_ptr<TimedSession> MakeEventSession(const LoadedNetwork& self) {
  return std::make_unique<TimedSession>(self.network, EventSessionOptions());
}

std::string Describe(const LoadedNetwork& self) {
  const Network& network = *self.network;
  const InputFormat& input = network.input();
  return "<cssrun.Network " + std::to_string(input.height) + "x" + std::to_string(input.width) +
         "x" + std::to_string(input.channels) + " -> " + std::to_string(network.logits()) + ", " +
         std::to_string(network.layers().size()) +
         " layers, T = " + std::to_string(network.timesteps()) + ", " +
         (network.engine() == EngineKind::kInteger ? "integer" : "float") + ">";
}

void DefineDescriptions(py::module_& module) {
  py::class_<InputFormat>(module, "InputFormat",
                          "What an image must look like, and how pictures become such images. "
                          "Normalization, (value - mean) / std, is done by the network.")
      .def_readonly("channels", &InputFormat::channels, "1, or 3: red, green, blue.")
      .def_readonly("height", &InputFormat::height, "Rows.")
      .def_readonly("width", &InputFormat::width, "Columns.")
      .def_readonly("resize", &InputFormat::resize,
                    "The shorter side's length before the centre is cut out, or 0.")
      .def_property_readonly(
          "preprocessing", [](const InputFormat& f) { return tools::DescribePreprocessing(f); },
          "What preprocess() and read_images() do, for people.")
      .def_readonly("exif", &InputFormat::exif,
                    "Whether pictures are turned upright by their EXIF orientation first.")
      .def_readonly("mean", &InputFormat::mean, "Of pixel / 255, one per channel.")
      .def_readonly("std", &InputFormat::stddev, "Of pixel / 255, one per channel.");
  py::class_<LayerInfo>(module, "Layer", "A layer of a network.")
      .def_readonly("name", &LayerInfo::name, "As in the ONNX model.")
      .def_property_readonly(
          "kind", [](const LayerInfo& layer) { return LayerKindName(layer.kind); },
          "\"encoder\", \"pixels\", \"neurons\", \"pooled neurons\" or \"readout\".")
      .def_readonly("neurons", &LayerInfo::neurons, "Spike trains that leave.")
      .def_readonly("offset", &LayerInfo::offset, "Global step of its first spike.")
      .def_property_readonly(
          "shape",
          [](const LayerInfo& layer) {
            return py::make_tuple(layer.channels, layer.height, layer.width);
          },
          "(channels, height, width)")
      .def("__repr__", [](const LayerInfo& layer) {
        return "<cssrun.Layer " + layer.name + ": " + LayerKindName(layer.kind) + ", " +
               std::to_string(layer.channels) + "x" + std::to_string(layer.height) + "x" +
               std::to_string(layer.width) + ">";
      });
  py::class_<ReadImages>(module, "Images", "Images read from files.")
      .def_readonly("pixels", &ReadImages::pixels, "uint8 [images, height, width, channels].")
      .def_readonly("paths", &ReadImages::paths, "The files, sorted within each folder.")
      .def_readonly("truth", &ReadImages::truth,
                    "int64 [images]: the class that the nearest folder's name tells, or -1.");
}

void DefineAnswers(py::module_& module) {
  py::class_<RecordingArrays>(module, "Recording", "What was recorded of a layer.")
      .def_readonly("spikes", &RecordingArrays::spikes,
                    "int8 [images, T, channels, height, width] of -1, 0 and 1, or None.")
      .def_readonly("membranes", &RecordingArrays::membranes,
                    "float32 [images, T + L, channels, height, width]: what was left after each "
                    "step, where a spike takes off 1; or None, also where the integer engine keeps "
                    "none (beta = 2, L >= T - 1, T <= 8).");
  py::class_<Answers>(module, "Answers",
                      "What a run answered. After a run on one image without a dimension of "
                      "images, the arrays have none either.")
      .def_readonly("logits", &Answers::logits, "float32 [images, classes].")
      .def_readonly("outputs", &Answers::outputs,
                    "By name, each output of the model in its shape: float32 [images, ...], views "
                    "of `logits`.")
      .def_readonly("best", &Answers::best, "int64 [images]: the class with the largest logit.")
      .def_readonly("steps", &Answers::steps, "int64 [images]: after which the logits were read.")
      .def_readonly("ending", &Answers::ending, "uint8 [images], see Ending.")
      .def_readonly("seconds", &Answers::seconds, "float64 [images].")
      .def_readonly(
          "spikes", &Answers::spikes,
          "int64 [images, layers]: that left each layer; with statistics=True, else None, "
          "as `synops` and `macs`.")
      .def_readonly("synops", &Answers::synops,
                    "int64 [images, layers]: weights added to each layer's membranes.")
      .def_readonly("macs", &Answers::macs,
                    "int64 [images, layers]: multiply-accumulates of pixels that are not coded.")
      .def_readonly("layer_seconds", &Answers::layer_seconds,
                    "float64 [images, layers] with profile=True, else None.")
      .def_readonly("readings", &Answers::readings,
                    "float32 [images, T, classes] with readings=True, else None: the logits after "
                    "each step of the readout, NaN where a run ended before.")
      .def_readonly("recordings", &Answers::recordings,
                    "A Recording for each layer asked for, by the name or index it was asked by.");
  py::class_<ReadingView>(module, "Reading",
                          "The readout after one of its steps, as if no spike came any more.")
      .def_readonly("image", &ReadingView::image, "Its number in the batch.")
      .def_readonly("step", &ReadingView::step, "Global steps done.")
      .def_readonly("logits", &ReadingView::logits, "float32 [classes].")
      .def_readonly("margin", &ReadingView::margin,
                    "The best class's lead, per unit of weight of the steps still to come.")
      .def_readonly("synops", &ReadingView::synops, "Of the image so far.");
}

constexpr char kRunDoc[] =
    R"(Classifies one image or a batch, and returns Answers.

`images`: uint8, or float32 from 0 to 1, [height, width, channels] or [channels, height, width], with
a dimension of images before or without; never normalized. Read in place where each image lies in
one piece in either order (views with other strides between images included), else copied once.
`layout`: "HWC" or "CHW", only needed where the shape may be both. Runs without the GIL; do not
write to the array meanwhile. If an image fails, the first that did is the exception.)";

constexpr char kSessionDoc[] =
    R"(Makes a Session: options and buffers that are kept from run to run.

threads: images at the same time (0: all cores); latency: one image at a time, its layers spread over
the threads; statistics: count spikes and SyOPs, which profile, readings and on_reading imply;
profile: measure each layer; readings: keep the logits of every step; early_exit: a
margin, or "auto"; time_limit: seconds for each image, after which the last reading is the answer;
on_reading: called with a Reading after each step of the readout, and ends the run by returning
False; record_spikes, record_membranes: layers, by name or index.)";

constexpr char kEventsDoc[] =
    R"(Classifies spikes that somebody else coded, such as an event camera.

`events`: integers [events, 3] of step, address ((channel * height + row) * width + column) and sign
(1 or -1), in any order, one at most for each step and address.)";

void DefineNetwork(py::module_& module) {
  py::class_<BatchSession>(module, "Session",
                           "Runs a network with one set of options. May be shared by threads.")
      .def("run", &BatchSession::Run, kRunDoc, py::arg("images"), py::kw_only(),
           py::arg("layout") = py::none())
      .def("run_events", &BatchSession::RunEvents, kEventsDoc, py::arg("events"))
      .def("cancel", &BatchSession::Cancel,
           "Ends the runs that are under way in other threads with CancelledError.");

  const auto property = [](auto get) {
    return [get](const LoadedNetwork& self) { return get(*self.network); };
  };
  py::class_<LoadedNetwork>(module, "Network",
                            "A loaded spiking network: immutable, shared by threads.")
      .def("session", &MakeSession, kSessionDoc, py::kw_only(), py::arg("threads") = 0,
           py::arg("latency") = false, py::arg("statistics") = false, py::arg("profile") = false,
           py::arg("readings") = false, py::arg("early_exit") = py::none(),
           py::arg("time_limit") = py::none(), py::arg("on_reading") = py::none(),
           py::arg("record_spikes") = py::none(), py::arg("record_membranes") = py::none())
      .def("stream", &MakeStream,
           "Makes a Stream for frames that come one after another. hold: a pixel keeps its value "
           "while the new one is within it, 0 to 255; dead_zone: a level stays while it is within "
           "1/2 + dead_zone of its potential, in levels; statistics: count layer_spikes, "
           "layer_synops and updates.",
           py::kw_only(), py::arg("hold") = 0, py::arg("dead_zone") = 0.0, py::arg("threads") = 1,
           py::arg("statistics") = false)
      .def("event_session", &MakeEventSession,
           "Makes an EventSession, for networks that take events.")
      .def(
          "run",
          [](const py::object& self, const py::object& images, const py::object& layout,
             const py::kwargs& options) {
            return self.attr("session")(**options).attr("run")(images, py::arg("layout") = layout);
          },
          "The same as session(**options).run(images, layout=layout).", py::arg("images"),
          py::kw_only(), py::arg("layout") = py::none())
      .def(
          "run_events",
          [](const py::object& self, const py::object& events, const py::kwargs& options) {
            return self.attr("session")(**options).attr("run_events")(events);
          },
          "The same as session(**options).run_events(events).", py::arg("events"))
      .def(
          "read_images", &ReadFiles, py::arg("paths"),
          "Reads image files, and all below folders, as the programs do: resized, and their centre "
          "cut out. What they may ask for is limited by load()'s `limits`.")
      .def("preprocess", &PreprocessArray, py::arg("picture"),
           "Makes the image that run() takes, uint8 [height, width, channels], of one picture of "
           "any size: uint8 [height, width] or [height, width, 1, 3 or 4], as PIL has them. It is "
           "resized, cut out and brought to the network's colours as the network's file says.")
      .def("__repr__", &Describe)
      .def_property_readonly("input", property([](const Network& n) { return n.input(); }),
                             "What images look like.")
      .def_property_readonly(
          "events",
          [](const LoadedNetwork& self) -> std::optional<EventReading> {
            const EventReading* reading = self.network->events();
            return reading == nullptr ? std::nullopt : std::optional(*reading);
          },
          "How events are read, an EventReading; None if the network takes images.")
      .def_property_readonly("labels", property([](const Network& n) { return n.labels(); }),
                             "One per class, or none.")
      .def_property_readonly("layers", property([](const Network& n) { return n.layers(); }),
                             "The encoder first, the readout last.")
      .def_property_readonly("classes", property([](const Network& n) { return n.logits(); }),
                             "Logits of an answer.")
      .def_property_readonly("answer", property([](const Network& n) {
                               return n.answer() == AnswerKind::kClasses ? "classes" : "numbers";
                             }),
                             "What the logits are: \"classes\" or \"numbers\".")
      .def_property_readonly("outputs", property([](const Network& n) {
                               py::dict outputs;
                               for (const OutputInfo& output : n.outputs()) {
                                 outputs[py::str(output.name)] = py::tuple(py::cast(output.shape));
                               }
                               return outputs;
                             }),
                             "The shape of each output, by name.")
      .def_property_readonly("timesteps", property([](const Network& n) { return n.timesteps(); }),
                             "T.")
      .def_property_readonly("latency_steps",
                             property([](const Network& n) { return n.latency_steps(); }),
                             "Steps until the logits are complete.")
      .def_property_readonly("early_exit_margin",
                             property([](const Network& n) { return n.early_exit_margin(); }),
                             "That the converter measured, or None.")
      .def_property_readonly("macs_per_image",
                             property([](const Network& n) { return n.macs_per_image(); }),
                             "Multiply-accumulates of the dense ANN.")
      .def_property_readonly("engine", property([](const Network& n) {
                               return n.engine() == EngineKind::kInteger ? "integer" : "float";
                             }),
                             "\"integer\" or \"float\".")
      .def_property_readonly("why_float", property([](const Network& n) { return n.why_float(); }),
                             "Why integers do not suffice, where they were asked for; else \"\".");

  module.def("load", &LoadFrom, py::arg("file"), py::kw_only(), py::arg("engine") = py::none(),
             py::arg("log") = py::none(), py::arg("limits") = py::none(),
             R"(Loads a network file that cssconvert or convert() wrote.

`file`: a path, or the descriptor of an open file. `engine`: "integer", which gives way to "float"
where 16 bits do not suffice, or "float"; None: "integer", unless the file asks for "float". `log`
is called with a level of the logging module and a sentence, like logging.getLogger("cssrun").log.
`limits`: what files may ask for, against hostile ones, by the names of the programs' --limit, such
as {"neurons": 10**8}: neurons, synapses, layers and timesteps of the network; side, pixels, bytes
and jpeg-scans of the images that read_images() reads. Raises ModelError or OSError.)");
  module.def("loads", &LoadBytes, py::arg("data"), py::kw_only(), py::arg("name") = "data",
             py::arg("engine") = py::none(), py::arg("log") = py::none(),
             py::arg("limits") = py::none(),
             "Loads a network file from bytes, which are not needed afterwards. `name` begins the "
             "messages of errors; the rest is as for load().");
  module.def(
      "_reads_in_place",
      [](const LoadedNetwork& network, const py::object& images) {
        return !ViewImages(images, network.network->input(), std::nullopt).copied;
      },
      "Whether run() takes these images without a copy; for tests.");
}

}  // namespace
}  // namespace cssrun::python

PYBIND11_MODULE(_cssrun, module) {
  using namespace cssrun::python;  // NOLINT(google-build-using-namespace): the macro's own scope
  module.doc() = "Spiking networks on CPUs; see the package cssrun.";
  DefineErrors(module);
  DefineDescriptions(module);
  DefineAnswers(module);
  DefineStream(module);
  DefineEvents(module);
  DefineNetwork(module);
  module.attr("version") = cssrun::Version();
  module.attr("format_version") = cssrun::FormatVersion();
  module.attr("simd_target") = cssrun::SimdTarget();
#ifdef CSSRUN_HAVE_CONVERTER
  DefineConvert(module);
#endif
}
