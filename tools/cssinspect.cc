// cssinspect: prints what a network file holds, for people or as JSON.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cssrun/network.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "format/geometry.h"
#include "format/network_file.h"
#include "runtime/network/input_format.h"
#include "runtime/network/layer_kind.h"
#include "tools/args.h"
#include "tools/choose_preprocessing.h"
#include "tools/exit_codes.h"
#include "tools/inspect_events.h"
#include "tools/limits.h"
#include "tools/plan_table.h"
#include "tools/run_main.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;
using format::NodeKind;
using format::SynapseKind;

constexpr char kProgram[] = "cssinspect";
constexpr char kExamples[] =
    "  cssinspect net.fb\n"
    "  cssinspect net.fb --plan\n"
    "  cssinspect net.fb --json | jq '.nodes[].name'";

const char* KindName(const format::Network& network, const format::Node& node) {
  return LayerKindName(
      internal::LayerKindOf(node.kind(), node.pool() != nullptr, network.code()->input()));
}

uint32_t LatencySteps(const format::Network& network) {
  uint32_t offset = 0;  // of the latest readout
  for (const format::Node* node : *network.nodes()) offset = std::max(offset, node->offset());
  return offset + network.code()->timesteps();
}

uint64_t SynapseWeights(const format::Network& network) {
  uint64_t weights = 0;
  for (const format::Node* node : *network.nodes()) {
    for (const format::Synapses* s : *node->synapses()) weights += s->weights()->size();
  }
  return weights;
}

std::string Size(const format::Extent& e) {
  return fmt::format("{}x{}x{}", e.channels(), e.height(), e.width());
}

Json WindowToJson(const format::Window* w) {
  if (w == nullptr) return {};
  return {{"kernel", {w->kernel_y(), w->kernel_x()}},
          {"stride", {w->stride_y(), w->stride_x()}},
          {"pads", {w->pad_top(), w->pad_left(), w->pad_bottom(), w->pad_right()}},
          {"dilation", {w->dilation_y(), w->dilation_x()}}};
}

Json ExtentToJson(const format::Extent& e) { return {e.channels(), e.height(), e.width()}; }

Json SynapsesToJson(const format::Synapses& s) {
  return {{"source", s.source()},
          {"delay", s.delay()},
          {"kind", s.kind() == SynapseKind::Identity ? "identity" : "convolution"},
          {"average", WindowToJson(s.average())},
          {"window", WindowToJson(s.window())},
          {"spread", {s.spread_y(), s.spread_x()}},
          {"groups", s.groups()},
          {"channel_offset", s.channel_offset()},
          {"weights", s.weights()->size()}};
}

Json ToJson(const format::NetworkFile& file) {
  if (file.network().events() != nullptr) return EventsToJson(file);
  const format::Network& network = file.network();
  const format::Code& code = *network.code();
  const InputFormat input =
      internal::UnpackInput(*network.preprocessing(), *network.nodes()->Get(0)->extent());
  const format::Origin& origin = *network.origin();
  Json json;
  json["format_version"] = network.format_version();
  json["bytes"] = file.size();
  json["timesteps"] = code.timesteps();
  json["beta"] = code.beta();
  json["silent_steps"] = code.silent_steps();
  json["negative_spikes"] = code.negative_spikes();
  json["early_exit_margin"] = code.early_exit_margin();
  json["latency_steps"] = LatencySteps(network);
  // The paper counts the readout as one more layer.
  json["latency_steps_paper"] = LatencySteps(network) + code.silent_steps();
  json["macs_per_image"] = network.macs_per_image();
  json["weights"] = SynapseWeights(network);
  json["input"] = {{"extent", ExtentToJson(*network.nodes()->Get(0)->extent())},
                   {"resize", input.resize},
                   {"pictures", DescribePreprocessing(input)},
                   {"exif", input.exif},
                   {"mean", Json(input.mean)},
                   {"stddev", Json(input.stddev)}};
  json["labels"] = Json::array();
  for (const flatbuffers::String* label : *network.labels()) json["labels"].push_back(label->str());
  json["origin"] = {{"model_file", origin.model_file()->str()},
                    {"model_sha256", origin.model_sha256()->str()},
                    {"converter_version", origin.converter_version()->str()},
                    {"calibration_images", origin.calibration_images()},
                    {"calibration_agreement", origin.calibration_agreement()},
                    {"ann_top1", origin.ann_top1() < 0 ? Json() : Json(origin.ann_top1())}};
  json["nodes"] = Json::array();
  for (const format::Node* node : *network.nodes()) {
    Json entry = {{"name", node->name()->str()},
                  {"kind", KindName(network, *node)},
                  {"extent", ExtentToJson(*node->extent())},
                  {"potential", ExtentToJson(*node->potential())},
                  {"offset", node->offset()},
                  {"rectify", node->rectify()},
                  {"pool", WindowToJson(node->pool())},
                  {"amplitude", node->amplitude()}};
    entry["thresholds"] = Json::array();
    for (const float threshold : *node->thresholds()) entry["thresholds"].push_back(threshold);
    entry["synapses"] = Json::array();
    for (const format::Synapses* s : *node->synapses()) {
      entry["synapses"].push_back(SynapsesToJson(*s));
    }
    json["nodes"].push_back(std::move(entry));
  }
  return json;
}

// Describes a set of synapses: "3x3/2 from 4, delay 2".
// "10 logits, 10 labels", or "outputs: mask [21, 64, 64], boxes [100, 4]".
std::string DescribeOutputs(const format::Network& network) {
  std::string outputs;
  for (const format::Node* node : *network.nodes()) {
    if (node->kind() != format::NodeKind::Readout) continue;
    const format::Extent& extent = *node->extent();
    if (network.answer() == format::AnswerKind::Classes) {
      const size_t logits =
          node->output_order() != nullptr ? node->output_order()->size() : Neurons(extent);
      return fmt::format("{} logits, {} labels", logits, network.labels()->size());
    }
    std::vector<uint32_t> shape = {extent.channels(), extent.height(), extent.width()};
    if (node->output_shape() != nullptr) {
      shape.assign(node->output_shape()->begin(), node->output_shape()->end());
    }
    outputs += fmt::format("{} {} [{}]", outputs.empty() ? "outputs:" : ",",
                           TerminalText(node->name()->str()), fmt::join(shape, ", "));
  }
  return outputs;
}

std::string Describe(const format::Synapses& s) {
  const format::Window& w = *s.window();
  std::string text;
  if (s.average() != nullptr) {
    text += fmt::format("mean {}x{}, ", s.average()->kernel_y(), s.average()->kernel_x());
  }
  text += s.kind() == SynapseKind::Identity ? "identity"
                                            : fmt::format("{}x{}", w.kernel_y(), w.kernel_x());
  if (w.stride_y() != 1 || w.stride_x() != 1) {
    text += w.stride_y() == w.stride_x() ? fmt::format("/{}", w.stride_y())
                                         : fmt::format("/{}x{}", w.stride_y(), w.stride_x());
  }
  if (s.spread_y() != 1 || s.spread_x() != 1) {
    text += fmt::format(" spread {}x{}", s.spread_y(), s.spread_x());
  }
  if (s.groups() > 1) text += fmt::format(" in {} groups", s.groups());
  text += fmt::format(" from {}", s.source());
  if (s.delay() > 0) text += fmt::format(", delay {}", s.delay());
  return text;
}

std::string ToText(const std::string& path, const format::NetworkFile& file) {
  if (file.network().events() != nullptr) return EventsToText(path, file);
  const format::Network& network = file.network();
  const format::Code& code = *network.code();
  const format::Origin& origin = *network.origin();
  std::string text = fmt::format("{}: {:.1f} kB, format {}, from {} by cssconvert {}\n",
                                 TerminalText(path), static_cast<double>(file.size()) / 1e3,
                                 network.format_version(), TerminalText(origin.model_file()->str()),
                                 TerminalText(origin.converter_version()->str()));
  text += fmt::format("code: T = {}, beta = {:g}, L = {}{}\n", code.timesteps(), code.beta(),
                      code.silent_steps(), code.negative_spikes() ? "" : ", no negative spikes");
  text += fmt::format("latency: {} steps ({} as the paper counts)\n", LatencySteps(network),
                      LatencySteps(network) + code.silent_steps());
  const format::Extent& image = *network.nodes()->Get(0)->extent();
  text +=
      fmt::format("pictures: {}\n",
                  DescribePreprocessing(internal::UnpackInput(*network.preprocessing(), image)));
  text += fmt::format("input: {}; {}\n", Size(image), DescribeOutputs(network));
  text += fmt::format("{} weights; the ANN takes {:.2f} M MACs an image\n", SynapseWeights(network),
                      static_cast<double>(network.macs_per_image()) / 1e6);
  if (origin.calibration_agreement() >= 0) {
    text += fmt::format("agreement with the ANN on {} calibration images: {:.2f} %\n",
                        origin.calibration_images(),
                        static_cast<double>(origin.calibration_agreement()) * 100);
  }
  size_t width = 4;
  for (const format::Node* node : *network.nodes()) {
    width = std::max(width, TerminalText(node->name()->str()).size());
  }
  text += fmt::format("\n{:>3}  {:<{}}  {:<14}  {:<13}  {:>6}  {:>9}  {}\n", "#", "name", width,
                      "kind", "spikes", "offset", "theta", "synapses");
  uint32_t index = 0;
  for (const format::Node* node : *network.nodes()) {
    std::string synapses;
    for (const format::Synapses* s : *node->synapses()) {
      synapses += (synapses.empty() ? "" : " + ") + Describe(*s);
    }
    if (node->pool() != nullptr) {
      synapses += fmt::format("; max {}x{}", node->pool()->kernel_y(), node->pool()->kernel_x());
    }
    text += fmt::format("{:>3}  {:<{}}  {:<14}  {:<13}  {:>6}  {:>9.4g}  {}\n", index++,
                        TerminalText(node->name()->str()), width, KindName(network, *node),
                        Size(*node->extent()), node->offset(), node->amplitude(), synapses);
  }
  return text;
}

int Write(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) PrintError(kProgram, "cannot write the description");
  return written ? kAllDone : kIoFailed;
}

// Prints the plan of the network, which is loaded for this machine as cssrun loads it.
int WritePlan(const std::string& path, const Limits& limits) {
  LoadOptions options;
  options.limits = limits.network;
  const Result<std::shared_ptr<const Network>> network = Network::Load(path, options);
  if (!network.ok()) {
    PrintError(kProgram, network.status().message());
    return ExitCodeOf(network.status());
  }
  const bool takes_events = network.value()->events() != nullptr;
  return Write(takes_events ? FormatEventPlan(*network.value()) : FormatPlan(*network.value()));
}

int Run(int argc, char** argv) {
  CLI::App app("Prints what a network file holds.", kProgram);
  std::string path;
  bool json = false;
  bool plan = false;
  Limits limits;
  app.add_option("NET", path, "network file made by cssconvert")->required();
  auto* json_flag = app.add_flag("--json", json, "everything but the weights, as JSON");
  app.add_flag("--plan", plan, "kernel, layout and expected work of each layer on this machine")
      ->excludes(json_flag);
  AddLimitOption(app, limits);
  Prepare(app, kExamples);
  if (const auto exit = Parse(app, argc, argv); exit.has_value()) return *exit;
  if (plan) return WritePlan(path, limits);
  Result<format::NetworkFile> file = format::NetworkFile::Open(path, limits.network);
  if (!file.ok()) {
    PrintError(kProgram, file.status().message());
    return ExitCodeOf(file.status());
  }
  const std::string text =
      json
          ? TerminalJson(ToJson(file.value()).dump(2, ' ', false, Json::error_handler_t::replace)) +
                "\n"
          : ToText(path, file.value());
  return Write(text);
}

}  // namespace
}  // namespace cssrun::tools

int main(int argc, char** argv) {
  return cssrun::tools::RunMain(cssrun::tools::kProgram, argc, argv, cssrun::tools::Run);
}
