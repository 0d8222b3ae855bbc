#include "converter/convert.h"

#include <sha2.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "converter/network_builder.h"
#include "converter/onnx_reader.h"
#include "converter/passes/passes.h"
#include "converter/spiking.h"
#include "converter/support.h"
#include "cssrun/version.h"
#include "format/file_bytes.h"
#include "format/geometry.h"
#include "format/network_file.h"

namespace cssrun::converter {
namespace {

using format::NodeKind;

std::string Sha256(std::span<const uint8_t> bytes) {
  char hex[SHA256_DIGEST_STRING_LENGTH];
  SHA256Data(bytes.data(), bytes.size(), hex);
  return hex;
}

// theta of every node: the percentile of its activations over sb; exact for the input, whose
// largest value is known; capped where a Clip caps the ANN.
std::vector<double> ChooseAmplitudes(const SpikingNetwork& network, const Calibration& calibration,
                                     const InputFormat& input, const CodeSettings& code) {
  std::vector<double> amplitudes;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const SpikingNode& node = network.nodes[i];
    double largest = code.SumOfWeights();  // of the readout: amplitude 1
    if (node.kind == NodeKind::Encoder) {
      largest = 0;
      for (size_t c = 0; c < input.mean.size(); ++c) {
        const auto mean = static_cast<double>(input.mean[c]);
        const auto stddev = static_cast<double>(input.stddev[c]);
        largest = std::max({largest, std::abs((1 - mean) / stddev), std::abs(mean / stddev)});
      }
    } else if (node.kind == NodeKind::Neurons) {
      largest = calibration.ranges[i].percentile;
      if (node.cap.has_value()) largest = std::min(largest, static_cast<double>(*node.cap));
    }
    amplitudes.push_back(largest / code.SumOfWeights());
  }
  return amplitudes;
}

std::vector<LayerReport> DescribeLayers(const SpikingNetwork& network,
                                        const Calibration& calibration,
                                        const std::vector<double>& amplitudes,
                                        const format::NetworkT& built) {
  std::vector<LayerReport> layers;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const SpikingNode& node = network.nodes[i];
    LayerReport layer;
    layer.name = node.name;
    layer.kind = node.kind == NodeKind::Encoder   ? "encoder"
                 : node.kind == NodeKind::Readout ? "readout"
                 : node.pool.has_value()          ? "pooled neurons"
                                                  : "neurons";
    layer.neurons = Neurons(node.extent);
    layer.theta = amplitudes[i];
    layer.range = calibration.ranges[i];
    layer.offset = built.nodes[i]->offset;
    for (const auto& synapses : built.nodes[i]->synapses) layer.delays.push_back(synapses->delay);
    layer.fan_in = FanIn(network, node);
    layers.push_back(std::move(layer));
  }
  return layers;
}

void SetOrigin(const Model& model, const ConvertOptions& options, const ConversionReport& report,
               format::NetworkT& network) {
  network.format_version = kFormatVersion;
  network.labels = options.labels;
  network.preprocessing = std::make_unique<format::PreprocessingT>();
  network.preprocessing->resize =
      options.resize != 0 ? options.resize : std::max(model.input.height, model.input.width);
  network.preprocessing->mean = options.mean;
  network.preprocessing->stddev = options.stddev;
  network.origin = std::make_unique<format::OriginT>();
  // The name alone: the same model gives the same bytes wherever it lies.
  network.origin->model_file = std::filesystem::path(model.path).filename().string();
  network.origin->model_sha256 = model.sha256;
  network.origin->converter_version = Version();
  network.origin->calibration_images = static_cast<uint32_t>(report.calibration.images);
  network.origin->calibration_agreement = static_cast<float>(report.calibration.agreement);
  if (report.calibration.images > 0) {
    network.code->early_exit_margin = static_cast<float>(report.calibration.early_exit_margin);
  }
  network.origin->ann_top1 = static_cast<float>(report.calibration.ann_top1);
}

}  // namespace

Result<Model> LoadModel(const std::string& path) {
  Model model;
  model.path = path;
  Result<Graph> graph = ReadOnnx(path);
  if (!graph.ok()) return graph.status();
  model.graph = std::move(graph).value();
  if (Status status = RunPasses(model.graph); !status.ok()) {
    return Status(status.code(), path + ": " + status.message());
  }
  if (const auto unsupported = FindUnsupported(model.graph); !unsupported.empty()) {
    return Status::BadModel(path + ": " + FormatUnsupported(unsupported));
  }
  const Shape& input = model.graph.value(model.graph.input).shape;
  model.input.channels = static_cast<uint32_t>(input[1]);
  model.input.height = static_cast<uint32_t>(input[2]);
  model.input.width = static_cast<uint32_t>(input[3]);
  model.input.resize = std::max(model.input.height, model.input.width);
  model.classes = static_cast<size_t>(ElementCount(model.graph.value(model.graph.output).shape));

  constexpr size_t kMaximumModel = size_t{1} << 31;
  Result<FileBytes> bytes = ReadFileBytes(path, kMaximumModel);
  if (!bytes.ok()) return bytes.status();
  model.sha256 = Sha256(bytes.value().bytes());
  return model;
}

Result<Conversion> Convert(const Model& model, const ImageSet& calibration_images,
                           const ImageSet& validation_images, const ConvertOptions& options,
                           const StageProgress& progress) {
  if (calibration_images.pixels.empty()) {
    return Status::InvalidArgument("no calibration images; amplitudes cannot be chosen");
  }
  const auto stage = [&](const char* name) -> Progress {
    return [&progress, name](size_t done, size_t total) { progress(name, done, total); };
  };
  const auto failed = [&](const Status& status) {
    return Status(status.code(), model.path + ": " + status.message());
  };
  InputFormat input = model.input;
  input.mean = options.mean;
  input.stddev = options.stddev;

  Result<SpikingNetwork> spiking = LowerToSpikes(model.graph);
  if (!spiking.ok()) return failed(spiking.status());
  const SpikingNetwork& network = spiking.value();
  Result<Calibration> calibration = Calibrate(model.graph, network, calibration_images, input,
                                              options.percentile, stage("running the ANN"));
  if (!calibration.ok()) return failed(calibration.status());
  const std::vector<double> amplitudes =
      ChooseAmplitudes(network, calibration.value(), input, options.code);
  format::NetworkT built = BuildNetwork(network, amplitudes, options.code);

  Conversion conversion;
  ConversionReport& report = conversion.report;
  report.model = model.path;
  report.code = options.code;
  report.percentile = options.percentile;
  report.macs_per_image = network.macs;
  report.latency_steps = built.nodes.back()->offset + options.code.timesteps;
  report.layers = DescribeLayers(network, calibration.value(), amplitudes, built);

  // What is measured on the network goes into its file, so it is serialized before and after.
  SetOrigin(model, options, report, built);
  flatbuffers::DetachedBuffer trial = SerializeNetwork(built);
  Result<Comparison> comparison =
      CompareWithAnn({trial.data(), trial.size()}, calibration_images, calibration.value().logits,
                     options.threads, stage("comparing with the ANN"));
  if (!comparison.ok()) return comparison.status();
  report.calibration = std::move(comparison).value();
  if (!validation_images.pixels.empty()) {
    Result<std::vector<Logits>> logits =
        RunAnn(model.graph, validation_images, input, {}, nullptr, stage("validating: ANN"));
    if (!logits.ok()) return failed(logits.status());
    Result<Comparison> validation =
        CompareWithAnn({trial.data(), trial.size()}, validation_images, logits.value(),
                       options.threads, stage("validating: SNN"));
    if (!validation.ok()) return validation.status();
    report.validation = std::move(validation).value();
  }
  trial = flatbuffers::DetachedBuffer();
  SetOrigin(model, options, report, built);
  conversion.bytes = SerializeNetwork(built);
  return conversion;
}

}  // namespace cssrun::converter
