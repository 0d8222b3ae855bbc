// The paper's experiments on any model and folder of images, as JSON for bench/paper.py to draw.
//
//   bench_paper MODEL.onnx --calibration DIR --test DIR [--mean r,g,b] [--std r,g,b] [--labels
//   FILE]
//               [--images N] [--quantized MODEL.onnx]
//
// The ANN runs once; every setting is converted from its activations and run in process. Accuracy
// is what ships, the integer engine, unless it cannot run a setting; what goes on inside of neurons
// (figures 2 and 3) is the float engine's, which rounds nothing but the code itself.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "converter/activation_histogram.h"
#include "converter/compare.h"
#include "converter/convert.h"
#include "cssrun/cssrun.h"
#include "format/geometry.h"
#include "format/network_file.h"
#include "runtime/float/float_engine.h"
#include "runtime/network/network_access.h"
#include "tools/args.h"
#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/label_file.h"
#include "tools/terminal_text.h"

namespace cssrun {
namespace {

using Json = nlohmann::ordered_json;
using converter::CodeSettings;
using converter::InputCoding;

constexpr double kJoulesPerAccumulate = 0.9e-12;
constexpr double kJoulesPerMultiplyAccumulate = 4.6e-12;
// Of figures that look into every neuron.
constexpr size_t kImagesLookedInto = 64;

struct Arguments {
  std::string model, quantized, calibration, test, labels;
  std::vector<float> mean, stddev;
  size_t images = 500;
};

[[noreturn]] void Exit(const Status& status) {
  std::cerr << "bench_paper: " << status.message() << "\n";
  std::exit(tools::ExitCodeOf(status));
}

template <typename T>
T OrExit(Result<T> result) {
  if (!result.ok()) Exit(result.status());
  return std::move(result).value();
}

converter::ImageSet Load(const std::string& folder, const std::vector<std::string>& labels,
                         const InputFormat& format, size_t most) {
  converter::ImageSet images;
  const std::vector<tools::ImageFile> files = OrExit(tools::ListImages({folder}, labels, std::cin));
  // Spread over the folder, in which classes lie one after another.
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

CodeSettings Css(uint32_t timesteps, float beta, uint32_t silent, float threshold) {
  CodeSettings code;
  code.timesteps = timesteps;
  code.beta = beta;
  code.silent_steps = silent;
  code.threshold = threshold;
  code.input = InputCoding::kCss;
  return code;
}

// One setting, measured.
struct Outcome {
  converter::Comparison comparison;
  uint32_t latency = 0;  // steps until the readout is complete
  bool in_float = false;
};

class Experiments {
 public:
  Experiments(const std::string& path, const Arguments& arguments)
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
    ann_ = OrExit(converter::RunAnn(model_.graph, test_, prepared_.input, {}, nullptr,
                                    [](size_t, size_t) {}));
    size_t right = 0;
    for (size_t i = 0; i < ann_.size(); ++i) {
      right += static_cast<ptrdiff_t>(BestClass(ann_[i])) == test_.truth[i];
      graded_ += test_.truth[i] >= 0;
    }
    if (graded_ > 0) ann_top1_ = static_cast<double>(right) / static_cast<double>(graded_);
  }

  const converter::Model& model() const { return model_; }
  size_t images() const { return test_.pixels.size(); }
  double ann_top1() const { return ann_top1_; }
  bool graded() const { return graded_ > 0; }
  uint64_t macs() const { return prepared_.network.macs; }

  flatbuffers::DetachedBuffer Build(const CodeSettings& code) const {
    converter::ConvertOptions options = options_;
    options.code = code;
    return SerializeNetwork(converter::BuildFile(
        model_, prepared_, options,
        converter::ChooseAmplitudes(prepared_.network, prepared_.calibration, prepared_.input, code,
                                    options.amplitudes)));
  }

  Outcome Measure(const CodeSettings& code) const {
    if (isatty(STDERR_FILENO) != 0) {
      fmt::print(stderr, "\r{}: {:<4} T = {:<3} beta = {:<4g} L = {}   ",
                 tools::TerminalText(model_.path),
                 code.coding == converter::Coding::kRate ? "rate" : "CSS", code.timesteps,
                 code.beta, code.silent_steps);
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

  // Right answers if the readout is read after each of its last T steps.
  std::vector<double> AccuracyBySteps(const CodeSettings& code) const {
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

  // What neurons of the first and last layer send, and what stays behind in all of them.
  struct Inside {
    struct Layer {
      std::string name;
      std::vector<double> positive, negative;  // share of the neurons, by spike index
      std::vector<double> residuals;           // share of the neurons, in tenths of an amplitude
    };
    Layer first, last;
    double mean_residual = 0;  // of all neurons, in amplitudes
    double residual_99_9 = 0;
  };

  Inside LookInto(const CodeSettings& code) const {
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
    engine.set_observe_spikes(
        [&](size_t layer, uint32_t index, const internal::EventFrame& events) {
          if (layer != 1 && layer != last_layer) return;
          Inside::Layer& seen = layer == 1 ? inside.first : inside.last;
          const auto neurons = static_cast<double>(Neurons(loaded.layers[layer].extent) * count);
          for (size_t p = 0; p < Positions(loaded.layers[layer].extent); ++p) {
            const uint32_t* bounds = events.bounds.data() + 2 * p;
            seen.positive[index] += (bounds[1] - bounds[0]) / neurons;
            seen.negative[index] += (bounds[2] - bounds[1]) / neurons;
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

  // Percent right where the classes are known, else percent as the ANN.
  double Accuracy(const converter::Comparison& comparison) const {
    return 100 * (graded() ? comparison.snn_top1 : comparison.agreement);
  }

 private:
  static converter::StageProgress Silent() {
    return [](const char*, size_t, size_t) {};
  }
  ptrdiff_t Expected(size_t image) const {
    if (test_.truth[image] >= 0) return test_.truth[image];
    return static_cast<ptrdiff_t>(BestClass(ann_[image]));
  }

  converter::Model model_;
  converter::ConvertOptions options_;
  converter::PreparedModel prepared_;
  converter::ImageSet test_;
  std::vector<converter::Logits> ann_;
  size_t graded_ = 0;
  double ann_top1_ = -1;
};

// Per whole: so that a decimal comes out as its shortest form.
double Rounded(double value, double per_whole = 100) {
  return std::round(value * per_whole) / per_whole;
}

Json Table(const std::string& title, const std::string& note, std::vector<std::string> columns) {
  return {{"title", title}, {"note", note}, {"columns", columns}, {"rows", Json::array()}};
}

Json Figure(const std::string& title, const std::string& note, const std::string& x,
            const std::string& y) {
  return {{"title", title}, {"note", note}, {"x", x}, {"y", y}, {"series", Json::array()}};
}

void AddSeries(Json& figure, const std::string& name, const std::vector<Json>& points) {
  figure["series"].push_back({{"name", name}, {"points", points}});
}

double MicrojoulesOf(const converter::Comparison& c) {
  return (c.synops_per_image * kJoulesPerAccumulate +
          c.direct_macs_per_image * kJoulesPerMultiplyAccumulate) *
         1e6;
}

// Table 2: coding steps, latency, accuracy; CSS against rate.
Json Table2(const Experiments& e) {
  Json table =
      Table("Table 2: CSS against rate coding",
            "Latency counts steps until the readout is complete; the paper counts the readout as "
            "one more. "
            "Rate: soft-reset IF neurons that start half charged, pixels by multiplication.",
            {"code", "steps", "latency", "accuracy %", "as the ANN %", "logit error %", "M SyOPs",
             "engine"});
  table["rows"].push_back({"ANN", nullptr, nullptr,
                           e.graded() ? Json(Rounded(100 * e.ann_top1())) : Json(), 100.0, 0.0,
                           nullptr, "oneDNN"});
  const auto add = [&](const std::string& name, const CodeSettings& code) {
    const Outcome outcome = e.Measure(code);
    const converter::Comparison& c = outcome.comparison;
    table["rows"].push_back({name, code.timesteps, outcome.latency, Rounded(e.Accuracy(c)),
                             Rounded(100 * c.agreement), Rounded(100 * c.relative_logit_error),
                             Rounded(c.synops_per_image / 1e6),
                             outcome.in_float ? "float" : "integer"});
  };
  for (const uint32_t steps : {6U, 8U, 10U, 12U}) {
    add("CSS, beta 1.5, L = 1, threshold 1/2 (the paper's)", Css(steps, 1.5F, 1, 0.5F));
  }
  for (const uint32_t steps : {8U, 12U}) {
    add("CSS, beta 1.5, L = 2, threshold 0.7 (ours)", Css(steps, 1.5F, 2, 0.7F));
  }
  for (const uint32_t steps : {4U, 5U, 6U, 8U}) {
    add("CSS, beta 2, L = 2, threshold 0.667", Css(steps, 2, 2, 0.667F));
  }
  for (const uint32_t steps : {8U, 16U, 32U, 64U, 128U, 256U}) {
    add("rate, signed", CodeSettings::Rate(steps, true));
  }
  for (const uint32_t steps : {8U, 16U, 32U, 64U, 128U, 256U}) {
    add("rate, unsigned", CodeSettings::Rate(steps, false));
  }
  return table;
}

// Table 3: few steps, and a quantized network read after each step.
Json Table3(const Experiments& e, const Experiments* quantized) {
  Json table =
      Table("Table 3: few steps",
            "beta = 2, direct input, L = T - 1 up to T = 6 (all input comes before the first "
            "spike), else 2. Of the quantized network: accuracy if its readout is read after "
            "each step.",
            {"network", "T", "accuracy %", "as the ANN %", "M SyOPs"});
  for (uint32_t steps = 1; steps <= 8; ++steps) {
    CodeSettings code = Css(steps, 2, steps <= 6 ? steps - 1 : 2, steps <= 6 ? 0.75F : 0.667F);
    code.input = InputCoding::kDirect;
    const Outcome outcome = e.Measure(code);
    const converter::Comparison& c = outcome.comparison;
    table["rows"].push_back({"float", steps, Rounded(e.Accuracy(c)), Rounded(100 * c.agreement),
                             Rounded(c.synops_per_image / 1e6)});
  }
  if (quantized == nullptr) return table;
  if (!quantized->model().quantized_code.has_value()) {
    Exit(Status::InvalidArgument("--quantized: the model has no QuantizeLinear nodes"));
  }
  const CodeSettings code = *quantized->model().quantized_code;
  const std::vector<double> by_step = quantized->AccuracyBySteps(code);
  const Outcome whole = quantized->Measure(code);
  for (uint32_t step = 1; step <= by_step.size(); ++step) {
    const bool last = step == by_step.size();
    table["rows"].push_back(
        {fmt::format("quantized, {} bits, after step {}", code.timesteps, step), step,
         Rounded(by_step[step - 1]),
         last ? Json(Rounded(100 * whole.comparison.agreement)) : Json(),
         last ? Json(Rounded(whole.comparison.synops_per_image / 1e6)) : Json()});
  }
  if (quantized->graded()) {
    table["rows"].push_back(
        {"quantized ANN", nullptr, Rounded(100 * quantized->ann_top1()), 100.0, nullptr});
  }
  return table;
}

// Table 4: operations and energy.
Json Table4(const Experiments& e, const Experiments* quantized) {
  Json table =
      Table("Table 4: operations and energy",
            "An image; 0.9 pJ an accumulate, 4.6 pJ a multiply-accumulate (45 nm): arithmetic "
            "alone, no memory.",
            {"network", "M SyOPs", "M MACs", "uJ", "of the ANN's energy %", "accuracy %"});
  const double ann = static_cast<double>(e.macs()) * kJoulesPerMultiplyAccumulate * 1e6;
  table["rows"].push_back({"ANN", 0.0, Rounded(static_cast<double>(e.macs()) / 1e6), Rounded(ann),
                           100.0, e.graded() ? Json(Rounded(100 * e.ann_top1())) : Json()});
  const auto add = [&](const std::string& name, const Experiments& of, const CodeSettings& code) {
    const converter::Comparison c = of.Measure(code).comparison;
    table["rows"].push_back({name, Rounded(c.synops_per_image / 1e6),
                             Rounded(c.direct_macs_per_image / 1e6), Rounded(MicrojoulesOf(c)),
                             Rounded(100 * MicrojoulesOf(c) / ann), Rounded(of.Accuracy(c))});
  };
  add("CSS, T = 12, beta 1.5, L = 1, threshold 1/2 (the paper's)", e, Css(12, 1.5F, 1, 0.5F));
  add("CSS, T = 12, beta 1.5, L = 2, threshold 0.7 (ours)", e, Css(12, 1.5F, 2, 0.7F));
  CodeSettings few = Css(8, 1.5F, 3, 0.75F);
  few.input = InputCoding::kDirect;
  add("CSS, T = 8, beta 1.5, L = 3, threshold 0.75, direct input", e, few);
  CodeSettings settled = Css(5, 2, 4, 0.75F);
  settled.input = InputCoding::kDirect;
  add("CSS, T = 5, beta 2, L = 4, threshold 0.75, direct input", e, settled);
  add("rate, signed, T = 32", e, CodeSettings::Rate(32, true));
  add("rate, signed, T = 128", e, CodeSettings::Rate(128, true));
  if (quantized != nullptr) add("quantized", *quantized, *quantized->model().quantized_code);
  return table;
}

void Figure2(const Experiments& e, Json& figures) {
  const Experiments::Inside inside = e.LookInto(Css(12, 1.5F, 1, 0.5F));
  Json spikes = Figure("Figure 2a: spikes over the steps",
                       "T = 12, beta = 1.5, L = 1, threshold 1/2; share of a layer's neurons that "
                       "fire at each step.",
                       "step", "neurons %");
  Json residuals = Figure("Figure 2b: what stays in the membrane",
                          "The same run: residual potential |u[T]| after the last spike, in "
                          "amplitudes; half of one is what rounding leaves.",
                          "residual, amplitudes", "neurons %");
  for (const auto* layer : {&inside.first, &inside.last}) {
    std::vector<Json> positive, negative, residual;
    for (size_t i = 0; i < layer->positive.size(); ++i) {
      positive.push_back({i + 1, Rounded(100 * layer->positive[i], 1000)});
      negative.push_back({i + 1, Rounded(100 * layer->negative[i], 1000)});
    }
    for (size_t i = 0; i < layer->residuals.size(); ++i) {
      residual.push_back(
          {Rounded(0.1 * static_cast<double>(i) + 0.05), Rounded(100 * layer->residuals[i], 1000)});
    }
    const std::string name = layer == &inside.first ? "first layer" : "last layer";
    AddSeries(spikes, name + ", +1", positive);
    AddSeries(spikes, name + ", -1", negative);
    AddSeries(residuals, name, residual);
  }
  figures["figure2a"] = spikes;
  figures["figure2b"] = residuals;
}

void Figure3(const Experiments& e, Json& figures) {
  Json accuracy = Figure("Figure 3a: accuracy against beta", "T = 12, L = 1, threshold 1/2.",
                         "beta", "accuracy %");
  Json residual =
      Figure("Figure 3b: residual against beta",
             "The mean of |u[T]| over all neurons, in amplitudes.", "beta", "residual, amplitudes");
  std::vector<Json> right, left;
  for (int tenths = 11; tenths <= 20; ++tenths) {
    const CodeSettings code = Css(12, static_cast<float>(tenths) / 10, 1, 0.5F);
    right.push_back({tenths / 10.0, Rounded(e.Accuracy(e.Measure(code).comparison))});
    left.push_back({tenths / 10.0, Rounded(e.LookInto(code).mean_residual, 10000)});
  }
  AddSeries(accuracy, "CSS", right);
  AddSeries(residual, "CSS", left);
  figures["figure3a"] = accuracy;
  figures["figure3b"] = residual;
}

void Figure4(const Experiments& e, Json& figures) {
  Json figure =
      Figure("Figure 4: negative spikes and silent steps",
             "T = 12, beta = 1.5, threshold 1/2 (without negative spikes 1).", "L", "accuracy %");
  for (const bool negative : {true, false}) {
    std::vector<Json> points;
    for (uint32_t silent = 0; silent <= 8; ++silent) {
      CodeSettings code = Css(12, 1.5F, silent, 0.5F);
      code.negative_spikes = negative;
      points.push_back({silent, Rounded(e.Accuracy(e.Measure(code).comparison))});
    }
    AddSeries(figure, negative ? "with negative spikes" : "without", points);
  }
  figures["figure4"] = figure;
}

void Figure5(const Experiments& e, Json& figures) {
  const std::string note = "beta = 1.5, threshold 1/2.";
  Json steps = Figure("Figure 5a: accuracy against coding steps", note, "T", "accuracy %");
  Json latency =
      Figure("Figure 5b: accuracy against latency", note, "latency, steps", "accuracy %");
  for (const uint32_t silent : {0U, 1U}) {
    std::vector<Json> by_steps, by_latency;
    for (uint32_t timesteps = 4; timesteps <= 16; timesteps += 2) {
      const Outcome outcome = e.Measure(Css(timesteps, 1.5F, silent, 0.5F));
      const double accuracy = Rounded(e.Accuracy(outcome.comparison));
      by_steps.push_back({timesteps, accuracy});
      by_latency.push_back({outcome.latency, accuracy});
    }
    AddSeries(steps, fmt::format("L = {}", silent), by_steps);
    AddSeries(latency, fmt::format("L = {}", silent), by_latency);
  }
  figures["figure5a"] = steps;
  figures["figure5b"] = latency;
}

int Run(int argc, char** argv) {
  CLI::App app("The paper's experiments, as JSON.", "bench_paper");
  Arguments arguments;
  app.add_option("MODEL", arguments.model, "ONNX model")->required();
  app.add_option("--calibration", arguments.calibration, "folder of images")->required();
  app.add_option("--test", arguments.test, "folder of other images")->required();
  app.add_option("--mean", arguments.mean, "as cssconvert")->delimiter(',');
  app.add_option("--std", arguments.stddev, "as cssconvert")->delimiter(',');
  app.add_option("--labels", arguments.labels, "as cssconvert");
  app.add_option("--quantized", arguments.quantized, "the same network, quantized, for table 3");
  app.add_option("--images", arguments.images, "of the test images, at most (500)")
      ->check(CLI::Range(1, 1000000));
  tools::Prepare(app, "  bench_paper model.onnx --calibration images/ --test other/");
  if (const auto exit = tools::Parse(app, argc, argv); exit.has_value()) return *exit;

  const Experiments e(arguments.model, arguments);
  std::unique_ptr<Experiments> quantized;
  if (!arguments.quantized.empty()) {
    quantized = std::make_unique<Experiments>(arguments.quantized, arguments);
  }
  Json json;
  json["model"] = arguments.model;
  json["images"] = e.images();
  json["accuracy"] = e.graded() ? "share of right answers" : "share of answers as the ANN's";
  json["ann_top1"] = e.graded() ? Json(e.ann_top1()) : Json();
  json["macs_per_image"] = e.macs();
  json["version"] = Version();
  json["simd_target"] = SimdTarget();
  Json tables;
  tables["table2"] = Table2(e);
  tables["table3"] = Table3(e, quantized.get());
  tables["table4"] = Table4(e, quantized.get());
  Json figures;
  Figure2(e, figures);
  Figure3(e, figures);
  Figure4(e, figures);
  Figure5(e, figures);
  json["tables"] = tables;
  json["figures"] = figures;
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\n");
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  return 0;
}

}  // namespace
}  // namespace cssrun

int main(int argc, char** argv) {
  try {
    return cssrun::Run(argc, argv);
  } catch (const std::exception& error) {  // images and JSON may be more than memory holds
    std::cerr << "bench_paper: " << error.what() << "\n";
    return 1;
  }
}
