#include "converter/convert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <span>
#include <utility>

#include "converter/adjust.h"
#include "converter/default_code.h"
#include "converter/layer_errors.h"
#include "converter/network_builder.h"
#include "converter/onnx_reader.h"
#include "converter/out_of_memory.h"
#include "converter/passes/passes.h"
#include "converter/passes/split_single_logit.h"
#include "converter/search.h"
#include "converter/sha256.h"
#include "converter/spiking.h"
#include "converter/support.h"
#include "converter/verdict.h"
#include "cssrun/version.h"
#include "format/file_bytes.h"
#include "format/geometry.h"
#include "format/network_file.h"
#include "runtime/network/input_format.h"
#include "runtime/network/layer_kind.h"
#include "runtime/neuron/settled.h"

namespace cssrun::converter {
namespace {

using format::NodeKind;

// The silent period of a quantized model of more bits than a settled train has steps: nothing then
// computes its rounding exactly.
constexpr uint32_t kSilentSteps = 2;

std::vector<LayerReport> DescribeLayers(const SpikingNetwork& network,
                                        const Calibration& calibration,
                                        const std::vector<NodeCode>& codes,
                                        const format::NetworkT& built) {
  std::vector<LayerReport> layers;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const SpikingNode& node = network.nodes[i];
    LayerReport layer;
    layer.name = node.name;
    layer.kind = internal::LayerKindOf(node.kind, node.pool.has_value(), built.code->input);
    layer.neurons = Neurons(node.extent);
    layer.theta = codes[i].Largest();
    layer.range = calibration.ranges[i];
    layer.offset = built.nodes[i]->offset;
    for (const auto& synapses : built.nodes[i]->synapses) layer.delays.push_back(synapses->delay);
    layer.fan_in = FanIn(network, node);
    layers.push_back(std::move(layer));
  }
  return layers;
}

// Returns the code of a quantized model. Its scale becomes theta, so that T timesteps at beta = 2
// carry exactly its integers. With L = T - 1 silent steps a neuron has all of its input before its
// first spike and rounds as the model does.
std::optional<CodeSettings> QuantizedCode(const Graph& graph) {
  int64_t most = 0;
  for (const Node& node : graph.nodes) {
    if (node.op != OpKind::kQuantize) continue;
    most = std::max({most, std::abs(node.Int("low", 0)), node.Int("high", 0)});
  }
  if (most == 0) return std::nullopt;
  CodeSettings code;
  code.beta = 2;
  code.timesteps = static_cast<uint32_t>(std::bit_width(static_cast<uint64_t>(most)));
  const bool settles = code.timesteps <= internal::kLongestSettledTrain;
  code.silent_steps = settles ? code.timesteps - 1 : kSilentSteps;
  // A neuron that has all of its input fires where its digit rounds up, so that it never takes a
  // spike back.
  if (settles) code.threshold = 0.75F;
  return code;
}

// SetMeasured() overwrites the fields that ReserveMeasured() put into the file, in place:
// serializing again would need the memory of the weights again.
void ReserveMeasured(format::NetworkT& network) {
  // FlatBuffers does not store default values, so the placeholders differ from them.
  network.origin->calibration_images = 1;
  network.origin->calibration_agreement = 0;
  network.origin->ann_top1 = 0;
  network.code->early_exit_margin = 0;
}

void SetMeasured(const Comparison& calibration, flatbuffers::DetachedBuffer& bytes) {
  format::Network& network = *format::GetMutableNetwork(bytes.data());
  format::Origin& origin = *network.mutable_origin();
  origin.mutate_calibration_images(static_cast<uint32_t>(calibration.images));
  origin.mutate_calibration_agreement(static_cast<float>(calibration.agreement));
  origin.mutate_ann_top1(static_cast<float>(calibration.ann_top1));
  network.mutable_code()->mutate_early_exit_margin(
      static_cast<float>(calibration.early_exit_margin));
}

Status Named(const Model& model, const Status& status) {
  return Status(status.code(), model.path + ": " + status.message());
}

// Checks the model's size before activations are allocated, because a small file can ask for any
// number of them.
Status CheckNeurons(const Graph& graph, const NetworkLimits& limits) {
  uint64_t neurons = 0;
  for (const Value& value : graph.values) {
    if (value.constant == nullptr) neurons += static_cast<uint64_t>(ElementCount(value.shape));
    if (neurons > limits.neurons) {
      return Status::BadModel("value " + value.name + ": the model has more than " +
                              std::to_string(limits.neurons) +
                              " activations, the limit; if you trust the file, raise the limit "
                              "\"neurons\"");
    }
  }
  return Status::Ok();
}

Progress StageOf(const StageProgress& progress, const char* name) {
  return [&progress, name](size_t done, size_t total) { progress(name, done, total); };
}

}  // namespace

namespace {

// Classes compete in one vector.
AnswerKind AnswerOf(const Graph& graph) {
  const Shape& shape = graph.ShapeOf(graph.outputs.front());
  const bool vector = shape.size() >= 2 && ElementCount(shape) == shape[1];
  return graph.outputs.size() == 1 && vector ? AnswerKind::kClasses : AnswerKind::kNumbers;
}

// A binary classifier's one logit, of which Convert() makes two.
bool HasSingleLogit(const Model& model) {
  return model.answer == AnswerKind::kClasses &&
         ElementCount(model.graph.ShapeOf(model.graph.outputs.front())) == 1;
}

Result<Model> LoadAndSimplify(const std::string& path, const NetworkLimits& limits,
                              const std::optional<ImageSize>& input_size) {
  Model model;
  model.path = path;
  Result<Graph> graph = ReadOnnx(path, limits, input_size);
  if (!graph.ok()) return graph.status();
  if (input_size.has_value() && graph.value().has_own_size) {
    graph = WithInputSize(graph.value(), *input_size, limits);
    if (!graph.ok()) return Named(model, graph.status());
    model.graph = std::move(graph).value();
  } else {
    model.graph = std::move(graph).value();
    if (Status status = RunPasses(model.graph); !status.ok()) return Named(model, status);
  }
  if (const auto unsupported = FindUnsupported(model.graph); !unsupported.empty()) {
    return Status::BadModel(path + ": " + FormatUnsupported(unsupported));
  }
  if (Status status = CheckNeurons(model.graph, limits); !status.ok()) {
    return Named(model, status);
  }
  const Shape& input = model.graph.value(model.graph.input).shape;
  model.input.channels = static_cast<uint32_t>(input[1]);
  model.input.height = static_cast<uint32_t>(input[2]);
  model.input.width = static_cast<uint32_t>(input[3]);
  model.input.resize = std::max(model.input.height, model.input.width);
  model.answer = AnswerOf(model.graph);
  for (const GraphOutput& output : model.graph.outputs) {
    model.classes += static_cast<size_t>(ElementCount(model.graph.ShapeOf(output)));
  }
  if (HasSingleLogit(model)) model.classes = 2;
  model.quantized_code = QuantizedCode(model.graph);

  constexpr size_t kMaximumModel = size_t{1} << 31;
  Result<format::FileBytes> bytes = format::ReadFileBytes(path, kMaximumModel);
  if (!bytes.ok()) return bytes.status();
  model.sha256 = Sha256(bytes.value().bytes());
  return model;
}

}  // namespace

Result<Model> LoadModel(const std::string& path, const NetworkLimits& limits,
                        const std::optional<ImageSize>& input_size) {
  return GuardMemory([&] { return LoadAndSimplify(path, limits, input_size); });
}

void FoldIntoNormalization(const Graph& graph, InputFormat& input) {
  if (graph.image_scale.size() != input.mean.size()) return;
  for (size_t c = 0; c < input.mean.size(); ++c) {
    const double stddev = input.stddev[c] / graph.image_scale[c];
    input.mean[c] = static_cast<float>(input.mean[c] - graph.image_shift[c] * stddev);
    input.stddev[c] = static_cast<float>(stddev);
  }
}

Result<PreparedModel> PrepareModel(const Model& model, const ImageSet& calibration,
                                   const ConvertOptions& options, const StageProgress& progress) {
  if (calibration.pixels.empty()) {
    return Status::InvalidArgument("no calibration images; amplitudes cannot be chosen");
  }
  PreparedModel prepared;
  prepared.input = model.input;
  prepared.input.mean = options.mean;
  prepared.input.stddev = options.stddev;
  FoldIntoNormalization(model.graph, prepared.input);
  Result<SpikingNetwork> network = LowerToSpikes(model.graph);
  if (!network.ok()) return Named(model, network.status());
  prepared.network = std::move(network).value();
  if (prepared.network.macs > options.limits.synapses) {
    return Status::BadModel(model.path + ": " + std::to_string(prepared.network.macs) +
                            " MACs are more than the limit of " +
                            std::to_string(options.limits.synapses) +
                            "; if you trust the file, raise the limit \"synapses\"");
  }
  Result<Calibration> calibrated = Calibrate(
      model.graph, prepared.network, calibration, prepared.input, options.amplitudes.percentile,
      options.amplitudes.per_channel, StageOf(progress, "running the ANN"));
  if (!calibrated.ok()) return Named(model, calibrated.status());
  prepared.calibration = std::move(calibrated).value();
  return prepared;
}

namespace {

// Names and shapes of the outputs, where they are more than logits.
void SetOutputs(const Model& model, const ConvertOptions& options, format::NetworkT& network) {
  const std::vector<GraphOutput>& outputs = model.graph.outputs;
  const bool numbers = options.answer.value_or(model.answer) == AnswerKind::kNumbers;
  if (numbers) network.answer = format::AnswerKind::Numbers;
  for (size_t i = 0; i < outputs.size(); ++i) {
    format::NodeT& readout = *network.nodes[network.nodes.size() - outputs.size() + i];
    readout.output_order.assign(outputs[i].order.begin(), outputs[i].order.end());
    if (!numbers && outputs[i].order.empty()) continue;
    if (numbers) readout.name = outputs[i].name;
    const Shape& shape = model.graph.ShapeOf(outputs[i]);
    // A shape begins with the batch, unless a Squeeze or Reshape has dropped it.
    const bool has_batch = shape.size() > 1 && shape[0] == 1;
    readout.output_shape.assign(shape.begin() + (has_batch ? 1 : 0), shape.end());
  }
}

}  // namespace

format::NetworkT BuildFile(const Model& model, const PreparedModel& prepared,
                           const ConvertOptions& options, const std::vector<NodeCode>& codes) {
  // A model of few bits was trained with its own rounding, and one neuron that rounds otherwise is
  // a third of them some layers later. Where its pixels are on a grid, its weights are whole
  // numbers.
  const bool on_grid = prepared.network.nodes.front().grid.has_value();
  const bool exact = !model.quantized_code.has_value() || on_grid;
  const bool whole_pixels = exact && options.code.DirectInput() && options.code.Settled();
  std::vector<double> pixel_steps;
  for (const float stddev : prepared.input.stddev) {
    if (whole_pixels && !on_grid) pixel_steps.push_back(1 / (255.0 * static_cast<double>(stddev)));
  }
  format::NetworkT network = BuildNetwork(prepared.network, codes, options.code,
                                          {prepared.calibration.means, pixel_steps});
  network.format_version = format::kImagesVersion;
  network.code->whole_pixels = whole_pixels;
  SetOutputs(model, options, network);
  network.labels = options.labels;
  InputFormat input = options.pictures.value_or(model.input);
  input.mean = prepared.input.mean;
  input.stddev = prepared.input.stddev;
  network.preprocessing = internal::PackInput(input);
  if (const auto& grid = prepared.network.nodes.front().grid; grid.has_value()) {
    network.preprocessing->grid_step = static_cast<float>(grid->step);
    network.preprocessing->grid_lowest = static_cast<int32_t>(grid->lowest);
    network.preprocessing->grid_highest = static_cast<int32_t>(grid->highest);
  }
  network.origin = std::make_unique<format::OriginT>();
  // The folder is left out, so that the same model gives the same bytes in every folder.
  network.origin->model_file = std::filesystem::path(model.path).filename().string();
  network.origin->model_sha256 = model.sha256;
  network.origin->converter_version = Version();
  return network;
}

namespace {

bool SearchesForEnergy(const ConvertOptions& options) {
  return options.search.has_value() && options.search->goal == Goal::kEnergy;
}

Status CheckAnswer(const Model& model, const ConvertOptions& options) {
  const AnswerKind answer = options.answer.value_or(model.answer);
  if (answer == AnswerKind::kClasses) {
    if (model.graph.outputs.size() == 1) return Status::Ok();
    return Status::InvalidArgument(
        "the model has " + std::to_string(model.graph.outputs.size()) +
        " outputs, and classes are one vector; leave the outputs as numbers");
  }
  if (const GraphOutput& output = model.graph.outputs.front(); !output.dropped.empty()) {
    return Status::InvalidArgument("output " + output.name + " ends in " + output.dropped +
                                   ", which spikes cannot compute and only classes do without; "
                                   "export the model without it");
  }
  if (SearchesForEnergy(options)) {
    return Status::InvalidArgument(
        "the search for the fewest SyOPs compares classes, and the outputs of this model are "
        "numbers; choose another goal, or the timesteps yourself");
  }
  if (options.labels.empty()) return Status::Ok();
  return Status::InvalidArgument("labels name classes, and the outputs of this model are numbers");
}

Result<Conversion> PrepareAndConvert(const Model& model, const ImageSet& calibration_images,
                                     const ImageSet& validation_images, const ConvertOptions& asked,
                                     const StageProgress& progress) {
  if (Status status = CheckAnswer(model, asked); !status.ok()) return status;
  ConvertOptions options = asked;
  if (SearchesForEnergy(options)) options.amplitudes.per_channel = true;
  Result<PreparedModel> prepared_model = PrepareModel(model, calibration_images, options, progress);
  if (!prepared_model.ok()) return prepared_model.status();
  const PreparedModel& prepared = prepared_model.value();
  options.amplitudes = asked.amplitudes;
  Conversion conversion;
  ConversionReport& report = conversion.report;
  std::vector<NodeCode> codes;
  report.search = options.search;
  if (SearchesForEnergy(options)) {
    Result<SearchResult> found = SearchCode(model, prepared, calibration_images, options,
                                            1 - options.search->agreement, progress);
    if (!found.ok()) return Named(model, found.status());
    options.code = found.value().code;
    options.amplitudes = found.value().amplitudes;
    codes = std::move(found.value().codes);
    report.frontier = std::move(found.value().frontier);
  } else {
    if (options.search.has_value()) {
      Result<CodeSettings> chosen = ChooseDefaultCode(model, prepared, calibration_images, options,
                                                      *options.search, progress, report.tried);
      if (!chosen.ok()) return Named(model, chosen.status());
      options.code = chosen.value();
    }
    codes = ChooseAmplitudes(prepared.network, prepared.calibration, prepared.input, options.code,
                             options.amplitudes);
  }
  for (unsigned round = 0; round < options.amplitudes.adjust_rounds; ++round) {
    const flatbuffers::DetachedBuffer trial =
        format::SerializeNetwork(BuildFile(model, prepared, options, codes));
    Status status = AdjustAmplitudes(prepared.network, {trial.data(), trial.size()},
                                     calibration_images, options.code, options.threads,
                                     StageOf(progress, "adjusting amplitudes"), codes);
    if (!status.ok()) return Named(model, status);
  }
  report.model = model.path;
  report.answer = options.answer.value_or(model.answer);
  report.code = options.code;
  report.amplitudes = options.amplitudes;
  report.macs_per_image = prepared.network.macs;
  const auto serialize = [&] {
    format::NetworkT built = BuildFile(model, prepared, options, codes);
    built.why_float = report.why_float;
    ReserveMeasured(built);
    for (const auto& node : built.nodes) {
      report.latency_steps = std::max(report.latency_steps, node->offset + options.code.timesteps);
    }
    report.layers = DescribeLayers(prepared.network, prepared.calibration, codes, built);
    conversion.bytes = format::SerializeNetwork(built);
    return std::span<const uint8_t>(conversion.bytes.data(), conversion.bytes.size());
  };
  std::span<const uint8_t> bytes = serialize();
  EngineKind engine = EngineKind::kInteger;
  const auto compare = [&]() -> Status {
    Result<Comparison> comparison =
        CompareWithAnn(bytes, calibration_images, prepared.calibration.logits, options.threads,
                       StageOf(progress, "comparing with the ANN"), engine);
    if (!comparison.ok()) return Named(model, comparison.status());
    report.calibration = std::move(comparison).value();
    return Status::Ok();
  };
  if (Status status = compare(); !status.ok()) return status;
  Result<std::string> why_float = WhyFloat(bytes, calibration_images, prepared.calibration.logits,
                                           report.calibration, options.threads);
  if (!why_float.ok()) return Named(model, why_float.status());
  if (!why_float.value().empty()) {
    report.why_float = why_float.value();
    engine = EngineKind::kFloat;
    bytes = serialize();
    if (Status status = compare(); !status.ok()) return status;
  }
  Result<std::vector<double>> errors =
      LayerErrors(model.graph, prepared.network, codes, options.code, bytes, calibration_images,
                  prepared.input, engine);
  if (!errors.ok()) return Named(model, errors.status());
  for (size_t i = 0; i < report.layers.size(); ++i) report.layers[i].error = errors.value()[i];
  const double agreement = report.calibration.agreement < 0 ? Likeness(report.calibration)
                                                            : report.calibration.agreement;
  if (agreement < kGoodAgreement) {
    Result<std::string> remedy =
        FindRemedy(model, prepared, calibration_images, options, report.calibration, progress);
    if (!remedy.ok()) return Named(model, remedy.status());
    report.warnings.push_back(
        DescribeDisagreement(report.calibration, prepared.network, errors.value(), remedy.value()));
  }
  if (!validation_images.pixels.empty()) {
    Result<std::vector<Logits>> logits = RunAnn(model.graph, validation_images, prepared.input, {},
                                                nullptr, StageOf(progress, "validating: ANN"));
    if (!logits.ok()) return Named(model, logits.status());
    if (Status status = CheckAnswers(model.graph, logits.value()); !status.ok()) {
      return Named(model, status);
    }
    Result<Comparison> validation =
        CompareWithAnn(bytes, validation_images, logits.value(), options.threads,
                       StageOf(progress, "validating: SNN"), engine);
    if (!validation.ok()) return Named(model, validation.status());
    report.validation = std::move(validation).value();
  }
  SetMeasured(report.calibration, conversion.bytes);
  return conversion;
}

}  // namespace

Result<Conversion> Convert(const Model& model, const ImageSet& calibration_images,
                           const ImageSet& validation_images, const ConvertOptions& asked,
                           const StageProgress& progress) {
  return GuardMemory([&]() -> Result<Conversion> {
    if (!HasSingleLogit(model) || asked.answer.value_or(model.answer) != AnswerKind::kClasses) {
      return PrepareAndConvert(model, calibration_images, validation_images, asked, progress);
    }
    Model two_classes = model;
    if (Status status = SplitSingleLogit(two_classes.graph); !status.ok()) {
      return Named(model, status);
    }
    return PrepareAndConvert(two_classes, calibration_images, validation_images, asked, progress);
  });
}

}  // namespace cssrun::converter
