#include "runtime/python/convert.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/choose_code.h"
#include "converter/convert.h"
#include "converter/report.h"
#include "format/write_atomically.h"
#include "runtime/engine/input.h"
#include "runtime/python/errors.h"
#include "runtime/python/images.h"
#include "runtime/python/limits.h"
#include "tools/choose_preprocessing.h"
#include "tools/image.h"
#include "tools/image_set.h"
#include "tools/limits.h"

namespace cssrun::python {
namespace py = pybind11;

namespace {

using Clock = std::chrono::steady_clock;
using Path = std::filesystem::path;

constexpr char kNoDashes[] = "";

const std::map<std::string, converter::Coding> kCodings = {{"css", converter::Coding::kCss},
                                                           {"rate", converter::Coding::kRate}};
const std::map<std::string, converter::InputCoding> kInputs = {
    {"css", converter::InputCoding::kCss}, {"direct", converter::InputCoding::kDirect}};
const std::map<std::string, converter::Goal> kGoals = {
    {"speed", converter::Goal::kSpeed},
    {"energy", converter::Goal::kEnergy},
    {"latency-steps", converter::Goal::kLatencySteps}};
const std::map<std::string, converter::AmplitudeRule> kRules = {
    {"percentile", converter::AmplitudeRule::kPercentile},
    {"maximum", converter::AmplitudeRule::kMaximum},
    {"least-squares", converter::AmplitudeRule::kLeastSquares}};

template <class T>
T Named(const std::map<std::string, T>& names, const char* option, const std::string& name) {
  const auto found = names.find(name);
  if (found != names.end()) return found->second;
  std::string known;
  for (const auto& [other, value] : names) known += (known.empty() ? "" : ", ") + other;
  throw py::value_error(std::string(option) + " \"" + name + "\": one of " + known);
}

// The numbers of a number, a list, or None.
std::vector<float> Numbers(const py::object& given) {
  if (given.is_none()) return {};
  if (py::isinstance<py::float_>(given) || py::isinstance<py::int_>(given)) {
    return {given.cast<float>()};
  }
  return given.cast<std::vector<float>>();
}

// An option as the program takes it; "" of None.
std::string Text(const py::object& given) {
  return given.is_none() ? std::string() : py::str(given).cast<std::string>();
}

// A sequence's elements with `between`, or anything else as it is.
std::string Joined(const py::object& given, const char* between) {
  if (!py::isinstance<py::tuple>(given) && !py::isinstance<py::list>(given)) return Text(given);
  std::string text;
  for (const py::handle element : given) {
    text += (text.empty() ? "" : between) + py::str(element).cast<std::string>();
  }
  return text;
}

// An N, or (height, width); "" of None and of 0, which was the default once.
std::string SizeText(const py::object& given) {
  const std::string text = Joined(given, "x");
  return text == "0" ? std::string() : text;
}

// (height, width), or None.
std::optional<converter::ImageSize> InputSizeOf(const py::object& given) {
  if (given.is_none()) return std::nullopt;
  const std::string text = SizeText(given);
  const std::optional<tools::HeightAndWidth> size = tools::ParseHeightAndWidth(text);
  if (!size.has_value()) throw py::value_error("input_size " + text + " is not (height, width)");
  return converter::ImageSize{size->height, size->width};
}

// What a folder has that the user should know.
void Warn(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    if (PyErr_WarnEx(PyExc_UserWarning, note.c_str(), 1) != 0) throw py::error_already_set();
  }
}

// Reports progress to Python at most every 50 ms, and raises KeyboardInterrupt after Ctrl-C. Called
// without the GIL.
class Reporter {
 public:
  explicit Reporter(py::object progress) : progress_(std::move(progress)) {}

  void operator()(const char* stage, size_t done, size_t total) {
    constexpr auto kInterval = std::chrono::milliseconds(50);
    if (done != total && Clock::now() - last_ < kInterval) return;
    last_ = Clock::now();
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress_.is_none()) progress_(stage, done, total);
  }

 private:
  py::object progress_;
  Clock::time_point last_ = Clock::now();
};

bool IsPath(const py::object& given) {
  return py::isinstance<py::str>(given) || py::hasattr(given, "__fspath__");
}

// The images of a folder, or of an array. `what` names them in error messages.
converter::ImageSet ImagesOf(const py::object& given, const char* what,
                             const std::vector<std::string>& labels, const InputFormat& format,
                             const tools::ImageLimits& limits, Reporter& reporter) {
  converter::ImageSet images;
  if (IsPath(given)) {
    const auto folder = given.cast<Path>().string();
    Result<std::vector<std::string>> notes = [&] {
      const py::gil_scoped_release release;
      return tools::ReadImageSet(
          folder, labels, format, limits,
          [&](size_t done, size_t total) { reporter("reading images", done, total); }, images);
    }();
    Warn(ValueOf(std::move(notes)));
    return images;
  }
  const ImageBatch batch = ViewImages(given, format, std::nullopt);
  if (batch.floats) {
    throw py::type_error(std::string(what) + " images are uint8, as cameras and files have them");
  }
  const format::Extent extent(format.channels, format.height, format.width);
  for (size_t i = 0; i < batch.count; ++i) {
    const auto* image =
        reinterpret_cast<const uint8_t*>(batch.first + batch.stride * static_cast<py::ssize_t>(i));
    std::vector<uint8_t> pixels(batch.values);
    internal::ForEachPixel(batch.order, extent,
                           [&](size_t to, size_t from, size_t) { pixels[to] = image[from]; });
    images.pixels.push_back(std::move(pixels));
    images.truth.push_back(-1);
  }
  return images;
}

std::vector<std::string> LabelsFor(const std::optional<std::vector<std::string>>& given,
                                   const py::object& calibration, size_t classes) {
  if (!given.has_value()) {
    if (!IsPath(calibration)) return {};
    return ValueOf(tools::GuessLabels(calibration.cast<Path>().string(), classes));
  }
  if (given->size() == classes || given->empty()) return *given;
  throw py::value_error(std::to_string(given->size()) + " labels; the model has " +
                        std::to_string(classes) + " classes");
}

py::object Convert(const Path& path, const Path& output, const py::object& calibration,
                   const py::object& validation, const std::string& preset, const py::object& mean,
                   const py::object& std, const py::object& scale, const py::object& resize,
                   const py::object& fit, const py::object& crop, const py::object& fill,
                   const std::string& channels, const std::string& interpolation, bool exif,
                   const std::optional<std::vector<std::string>>& labels,
                   std::optional<uint32_t> timesteps, std::optional<float> beta,
                   std::optional<uint32_t> silent, std::optional<float> threshold,
                   std::optional<float> last_threshold, bool negative,
                   const std::optional<std::string>& input, const std::string& coding,
                   const std::string& amplitudes, double percentile, bool per_channel,
                   unsigned adjust, std::optional<double> automatic, bool paper,
                   const std::optional<std::string>& goal, std::optional<double> agree,
                   unsigned threads, const py::object& given_limits, const py::object& progress,
                   const py::object& given_size) {
  const tools::Limits limits = LimitsOf(given_limits);
  const std::optional<converter::ImageSize> input_size = InputSizeOf(given_size);
  converter::AskedCode asked{Named(kCodings, "coding", coding),
                             timesteps,
                             beta,
                             silent,
                             threshold,
                             last_threshold,
                             negative,
                             std::nullopt,
                             paper};
  if (input.has_value()) asked.input = Named(kInputs, "input", *input);
  Check(format::CheckWritable(output.string()));
  Result<converter::Model> loaded = [&] {
    const py::gil_scoped_release release;
    return converter::LoadModel(path.string(), limits.network, input_size);
  }();
  const converter::Model model = ValueOf(std::move(loaded));

  converter::ConvertOptions options;
  options.limits = limits.network;
  options.code = ValueOf(converter::ChooseCode(asked, model.quantized_code, kNoDashes));
  options.amplitudes.rule = Named(kRules, "amplitudes", amplitudes);
  if (!(percentile > 0 && percentile <= 100)) throw py::value_error("percentile: up to 100");
  options.amplitudes.percentile = percentile;
  options.amplitudes.per_channel = per_channel;
  options.amplitudes.adjust_rounds = adjust;
  options.threads = threads;
  converter::AskedSearch search;
  if (goal.has_value()) search.goal = Named(kGoals, "goal", *goal);
  search.agree = agree;
  search.automatic = automatic;
  const auto note = [](bool is_given, const char* name, std::vector<std::string>& given) {
    if (is_given) given.emplace_back(name);
  };
  note(timesteps.has_value(), "timesteps", search.code);
  note(beta.has_value(), "beta", search.code);
  note(silent.has_value(), "silent", search.code);
  note(threshold.has_value(), "threshold", search.code);
  note(last_threshold.has_value(), "last_threshold", search.code);
  note(!negative, "negative", search.code);
  note(input.has_value(), "input", search.code);
  note(coding != "css", "coding", search.code);
  note(paper, "paper", search.code);
  note(amplitudes != "percentile", "amplitudes", search.amplitudes);
  note(per_channel, "per_channel", search.amplitudes);
  note(adjust != 0, "adjust", search.amplitudes);
  options.search = ValueOf(converter::ChooseSearch(search, model.quantized_code, kNoDashes));
  tools::AskedPreprocessing preprocessing{preset,
                                          Numbers(mean),
                                          Numbers(std),
                                          Text(scale),
                                          SizeText(resize),
                                          std::nullopt,
                                          SizeText(crop),
                                          Joined(fill, ","),
                                          channels,
                                          interpolation,
                                          exif,
                                          input_size.has_value() && model.graph.has_own_size,
                                          model.graph.takes_bytes};
  const bool fits = !fit.is_none() && !py::isinstance<py::bool_>(fit);
  if (fits || fit.is(py::bool_(true))) preprocessing.fit = fits ? SizeText(fit) : "";
  const InputFormat format =
      ValueOf(tools::ChoosePreprocessing(preprocessing, model.input, kNoDashes));
  options.pictures = format;
  options.mean = format.mean;
  options.stddev = format.stddev;
  options.labels = LabelsFor(labels, calibration, model.classes);

  Reporter reporter(progress);
  const converter::ImageSet calibration_images =
      ImagesOf(calibration, "calibration", options.labels, format, limits.image, reporter);
  const converter::ImageSet validation_images =
      validation.is_none()
          ? converter::ImageSet{}
          : ImagesOf(validation, "validation", options.labels, format, limits.image, reporter);
  std::string report;
  Status status;
  {
    const py::gil_scoped_release release;
    Result<converter::Conversion> conversion = converter::Convert(
        model, calibration_images, validation_images, options,
        [&](const char* stage, size_t done, size_t total) { reporter(stage, done, total); });
    status = conversion.status();
    if (status.ok()) {
      const auto& [bytes, made] = conversion.value();
      report = converter::ReportToJson(made);
      status = format::WriteFileAtomically(output.string(), {bytes.data(), bytes.size()});
    }
  }
  Check(status);
  return py::module_::import("json").attr("loads")(report);
}

constexpr char kConvertDoc[] =
    R"(Converts a trained network (ONNX) to a spiking one, written to `output`.

`calibration` is a folder of images, or an array of them (uint8, [images, height, width, channels]
or [images, channels, height, width]): a few hundred like those that will be classified. The other
options are those of cssconvert; what is left out is as there. A size is N or (height, width); `fit`
may also be True, for the model's size. Where no code is named, `goal` says what it is chosen for,
"speed", "energy" or "latency-steps", and `agree` the percentage of images on which it has to agree
with the ANN; `auto` is goal="energy" with the percentage that may differ. `paper` is the paper's
code. `limits` are load()'s.
`progress` is called with a stage, images done and images in all.

Returns the report that cssconvert writes with --report, as a dictionary. Raises ModelError naming
every node that cannot be converted, and ValueError where options do not fit.)";

}  // namespace

void DefineConvert(py::module_& module) {
  module.def(
      "convert", &Convert, kConvertDoc, py::arg("model"), py::arg("output"), py::kw_only(),
      py::arg("calibration"), py::arg("validation") = py::none(), py::arg("preset") = "",
      py::arg("mean") = py::none(), py::arg("std") = py::none(), py::arg("scale") = py::none(),
      py::arg("resize") = py::none(), py::arg("fit") = py::none(), py::arg("crop") = py::none(),
      py::arg("fill") = py::none(), py::arg("channels") = "", py::arg("interpolation") = "",
      py::arg("exif") = false, py::arg("labels") = py::none(), py::arg("timesteps") = py::none(),
      py::arg("beta") = py::none(), py::arg("silent") = py::none(),
      py::arg("threshold") = py::none(), py::arg("last_threshold") = py::none(),
      py::arg("negative") = true, py::arg("input") = py::none(), py::arg("coding") = "css",
      py::arg("amplitudes") = "percentile", py::arg("percentile") = 99.99,
      py::arg("per_channel") = false, py::arg("adjust") = 0, py::arg("auto") = py::none(),
      py::arg("paper") = false, py::arg("goal") = py::none(), py::arg("agree") = py::none(),
      py::arg("threads") = 0, py::arg("limits") = py::none(), py::arg("progress") = py::none(),
      py::arg("input_size") = py::none());
}

}  // namespace cssrun::python
