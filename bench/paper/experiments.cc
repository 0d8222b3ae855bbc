#include "bench/paper/experiments.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "converter/activation_histogram.h"
#include "cssrun/cssrun.h"
#include "format/geometry.h"
#include "runtime/float/float_engine.h"
#include "runtime/network/network_access.h"
#include "tools/args.h"
#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/label_file.h"
#include "tools/terminal_text.h"

namespace cssrun::paper {

using converter::CodeSettings;
using converter::InputCoding;

namespace {

// The number of images for figures that look into every neuron.
constexpr size_t kImagesLookedInto = 64;

template <typename T>
T OrExit(Result<T> result) {
  if (!result.ok()) Exit(result.status());
  return std::move(result).value();
}

converter::ImageSet Load(const std::string& folder, const std::vector<std::string>& labels,
                         const InputFormat& format, size_t most) {
  converter::ImageSet images;
  const std::vector<tools::ImageFile> files = OrExit(tools::ListImages({folder}, labels, std::cin));
  // The images are spread over the folder, because those of one class follow each other.
  const size_t step = std::max<size_t>(1, files.size() / std::max<size_t>(1, most));
  for (size_t i = 0; i < files.size() && images.pixels.size() < most; i += step) {
    images.pixels.emplace_back();
    images.truth.push_back(files[i].truth);
    const Status status = tools::ReadPixels(files[i].path, format, images.pixels.back());
    if (!status.ok()) Exit(status);
  }
  if (images.pixels.empty()) Exit(Status::InvalidArgument(folder + ": no images in it"));
  return images;
}

converter::StageProgress Silent() {
  return [](const char*, size_t, size_t) {};
}

}  // namespace

void Exit(const Status& status) {
  std::cerr << "bench_paper: " << status.message() << "\n";
  std::exit(tools::ExitCodeOf(status));
}

CodeSettings Css(uint32_t timesteps, float beta, uint32_t silent, float threshold) {
  CodeSettings code;
  code.timesteps = timesteps;
  code.beta = beta;
  code.silent_steps = silent;
  code.threshold = threshold;
  code.input = InputCoding::kCss;
  return code;
}

Experiments::Experiments(const std::string& path, const Arguments& arguments)
    : model_(OrExit(converter::LoadModel(path))) {
  options_.mean = arguments.mean;
  options_.stddev = arguments.stddev;
  for (auto* values : {&options_.mean, &options_.stddev}) {
    if (values->empty()) values->push_back(values == &options_.mean ? 0.0F : 1.0F);
    if (values->size() == 1) values->resize(model_.input.channels, values->front());
    if (values->size() != model_.input.channels) {
      Exit(Status::InvalidArgument("--mean and --std take one number, or one per channel"));
    }
  }
  const std::vector<std::string> labels = arguments.labels.empty()
                                              ? OrExit(tools::FolderNames(arguments.test))
                                              : OrExit(tools::ReadLabels(arguments.labels));
  if (labels.size() == model_.classes) {
    options_.labels = labels;
  } else if (!arguments.labels.empty()) {
    Exit(Status::InvalidArgument(fmt::format("{}: {} labels, the model has {} classes",
                                             arguments.labels, labels.size(), model_.classes)));
  }
  const converter::ImageSet calibration =
      Load(arguments.calibration, options_.labels, model_.input, 520);
  test_ = Load(arguments.test, options_.labels, model_.input, arguments.images);
  prepared_ = OrExit(converter::PrepareModel(model_, calibration, options_, Silent()));
  ann_ = OrExit(
      converter::RunAnn(model_.graph, test_, prepared_.input, {}, nullptr, [](size_t, size_t) {}));
  size_t right = 0;
  for (size_t i = 0; i < ann_.size(); ++i) {
    right += static_cast<ptrdiff_t>(BestClass(ann_[i])) == test_.truth[i];
    graded_ += test_.truth[i] >= 0;
  }
  if (graded_ > 0) ann_top1_ = static_cast<double>(right) / static_cast<double>(graded_);
}

Outcome Experiments::Measure(const CodeSettings& code) const {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r{}: {:<4} T = {:<3} beta = {:<4g} L = {}   ",
               tools::TerminalText(model_.path),
               code.coding == converter::Coding::kRate ? "rate" : "CSS", code.timesteps, code.beta,
               code.silent_steps);
  }
  const flatbuffers::DetachedBuffer bytes = Build(code);
  Outcome outcome;
  const auto network = OrExit(Network::FromBytes({bytes.data(), bytes.size()}, "network"));
  outcome.latency = network->latency_steps();
  outcome.in_float = network->engine() == EngineKind::kFloat;
  outcome.comparison = OrExit(converter::CompareWithAnn(
      {bytes.data(), bytes.size()}, test_, ann_, 0, [](size_t, size_t) {}, EngineKind::kInteger,
      converter::Readings::kLeaveOut));
  return outcome;
}

std::vector<double> Experiments::AccuracyBySteps(const CodeSettings& code) const {
  const flatbuffers::DetachedBuffer bytes = Build(code);
  const auto network = OrExit(Network::FromBytes({bytes.data(), bytes.size()}, "network"));
  SessionOptions options;
  options.keep_readings = true;
  std::vector<double> right(code.timesteps, 0);
  const Status ran = RunImages(
      network, options, images(), 0,
      [&](size_t i, std::vector<uint8_t>& pixels) {
        pixels = test_.pixels[i];
        return Status::Ok();
      },
      [&](size_t i, const ImageOutcome& outcome) {
        if (!outcome.status.ok()) Exit(outcome.status);
        for (size_t step = 0; step < outcome.answer.readings.size(); ++step) {
          const size_t best = BestClass(outcome.answer.readings[step].logits);
          right[step] += static_cast<ptrdiff_t>(best) == Expected(i);
        }
        return true;
      });
  if (!ran.ok()) Exit(ran);
  for (double& share : right) share *= 100.0 / static_cast<double>(images());
  return right;
}

Experiments::Inside Experiments::LookInto(const CodeSettings& code) const {
  const flatbuffers::DetachedBuffer bytes = Build(code);
  const auto network =
      OrExit(Network::FromBytes({bytes.data(), bytes.size()}, "network", EngineKind::kFloat));
  const internal::LoadedNetwork& loaded = internal::Loaded(*network);
  const size_t last_layer = loaded.layers.size() - 2;
  const size_t count = std::min(images(), kImagesLookedInto);
  Inside inside;
  for (auto* layer : {&inside.first, &inside.last}) {
    layer->name = loaded.layers[layer == &inside.first ? 1 : last_layer].name;
    layer->positive.resize(code.timesteps, 0);
    layer->negative.resize(code.timesteps, 0);
    layer->residuals.resize(21, 0);
  }
  internal::FloatEngine engine(loaded, {});
  engine.set_observe_spikes([&](size_t layer, uint32_t index, const internal::EventFrame& events) {
    if (layer != 1 && layer != last_layer) return;
    Inside::Layer& observed = layer == 1 ? inside.first : inside.last;
    const auto neurons = static_cast<double>(Neurons(loaded.layers[layer].extent) * count);
    for (size_t p = 0; p < Positions(loaded.layers[layer].extent); ++p) {
      const uint32_t* bounds = events.bounds.data() + 2 * p;
      observed.positive[index] += (bounds[1] - bounds[0]) / neurons;
      observed.negative[index] += (bounds[2] - bounds[1]) / neurons;
    }
  });
  converter::ActivationHistogram all;
  double sum = 0;
  double neurons = 0;
  std::vector<float> residuals;
  Answer answer;
  for (size_t i = 0; i < count; ++i) {
    if (Status status = engine.Run({.bytes = test_.pixels[i]}, answer); !status.ok()) {
      Exit(status);
    }
    for (size_t layer = 1; layer <= last_layer; ++layer) {
      engine.Residuals(layer, residuals);
      all.Add(residuals);
      for (const float residual : residuals) sum += static_cast<double>(residual);
      neurons += static_cast<double>(residuals.size());
      if (layer != 1 && layer != last_layer) continue;
      std::vector<double>& bins = (layer == 1 ? inside.first : inside.last).residuals;
      for (const float residual : residuals) {
        const auto bin = static_cast<size_t>(std::min(20.0F, residual * 10));
        bins[bin] += 1.0 / static_cast<double>(residuals.size() * count);
      }
    }
  }
  inside.mean_residual = sum / neurons;
  inside.residual_99_9 = all.Quantile(0.999);
  return inside;
}

flatbuffers::DetachedBuffer Experiments::Build(const CodeSettings& code) const {
  converter::ConvertOptions options = options_;
  options.code = code;
  return format::SerializeNetwork(
      converter::BuildFile(model_, prepared_, options,
                           converter::ChooseAmplitudes(prepared_.network, prepared_.calibration,
                                                       prepared_.input, code, options.amplitudes)));
}

ptrdiff_t Experiments::Expected(size_t image) const {
  if (test_.truth[image] >= 0) return test_.truth[image];
  return static_cast<ptrdiff_t>(BestClass(ann_[image]));
}

}  // namespace cssrun::paper
