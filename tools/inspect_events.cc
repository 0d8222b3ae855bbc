#include "tools/inspect_events.h"

#include <algorithm>

#include "fmt/format.h"
#include "format/geometry.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;
using format::EventSending;

std::string Size(const format::Extent& e) {
  return fmt::format("{}x{}x{}", e.channels(), e.height(), e.width());
}

const char* KindOf(const format::EventNetwork& events, uint32_t index) {
  if (index == 0) return "input";
  switch (events.nodes()->Get(index)->sending()) {
    case EventSending::Spikes:
      return "spiking";
    case EventSending::Values:
      return "values";
    case EventSending::Nothing:
      break;
  }
  return "potentials";
}

std::string DescribeSynapses(const format::EventNetwork& events, const format::EventNode& node) {
  std::string text;
  for (const format::EventSynapses* s : *node.synapses()) {
    const format::Window& w = *s->window();
    text += fmt::format("{}from {}", text.empty() ? "" : " + ",
                        TerminalText(events.nodes()->Get(s->source())->name()->str()));
    if (s->delay() != 0) text += " a step ago";
    if (s->pool() != nullptr) {
      text += fmt::format(", sums of {}x{}", s->pool()->kernel_y(), s->pool()->kernel_x());
    }
    text += fmt::format(", {}x{}/{}", w.kernel_y(), w.kernel_x(), w.stride_y());
    if (s->groups() != 1) text += fmt::format(", {} groups", s->groups());
  }
  return text;
}

}  // namespace

std::string EventsToText(const std::string& path, const format::NetworkFile& file) {
  const format::Network& network = file.network();
  const format::EventNetwork& events = *network.events();
  const format::Origin& origin = *network.origin();
  std::string text = fmt::format("{}: {:.1f} kB, format {}, from {} by cssconvert {}\n",
                                 TerminalText(path), static_cast<double>(file.size()) / 1e3,
                                 network.format_version(), TerminalText(origin.model_file()->str()),
                                 TerminalText(origin.converter_version()->str()));
  text +=
      fmt::format("takes events, in steps of {:g} s; read as follows:\n", events.step_seconds());
  for (const flatbuffers::String* assumption : *events.assumptions()) {
    text += "  " + TerminalText(assumption->str()) + "\n";
  }
  size_t width = 4;
  for (const format::EventNode* node : *events.nodes()) {
    width = std::max(width, TerminalText(node->name()->str()).size());
  }
  text += fmt::format("\n{:>3}  {:<{}}  {:<10}  {:<13}  {}\n", "#", "name", width, "kind",
                      "neurons", "synapses");
  for (uint32_t i = 0; i < events.nodes()->size(); ++i) {
    const format::EventNode& node = *events.nodes()->Get(i);
    text +=
        fmt::format("{:>3}  {:<{}}  {:<10}  {:<13}  {}\n", i, TerminalText(node.name()->str()),
                    width, KindOf(events, i), Size(*node.extent()), DescribeSynapses(events, node));
  }
  return text;
}

Json EventsToJson(const format::NetworkFile& file) {
  const format::Network& network = file.network();
  const format::EventNetwork& events = *network.events();
  const format::Origin& origin = *network.origin();
  Json json;
  json["format_version"] = network.format_version();
  json["bytes"] = file.size();
  json["takes"] = "events";
  json["step_seconds"] = events.step_seconds();
  json["assumptions"] = Json::array();
  for (const flatbuffers::String* assumption : *events.assumptions()) {
    json["assumptions"].push_back(assumption->str());
  }
  json["labels"] = Json::array();
  for (const flatbuffers::String* label : *network.labels()) json["labels"].push_back(label->str());
  json["origin"] = {{"model_file", origin.model_file()->str()},
                    {"model_sha256", origin.model_sha256()->str()},
                    {"converter_version", origin.converter_version()->str()}};
  json["nodes"] = Json::array();
  for (uint32_t i = 0; i < events.nodes()->size(); ++i) {
    const format::EventNode& node = *events.nodes()->Get(i);
    const format::Extent& e = *node.extent();
    Json entry = {{"name", node.name()->str()},
                  {"kind", KindOf(events, i)},
                  {"extent", {e.channels(), e.height(), e.width()}}};
    entry["synapses"] = Json::array();
    for (const format::EventSynapses* s : *node.synapses()) {
      entry["synapses"].push_back({{"source", s->source()},
                                   {"delay", s->delay()},
                                   {"groups", s->groups()},
                                   {"weights", s->weights()->size()}});
    }
    json["nodes"].push_back(std::move(entry));
  }
  return json;
}

std::string FormatEventPlan(const Network& network) {
  const std::vector<std::string>& stepped = network.events()->stepped;
  size_t width = 4;
  for (const LayerInfo& layer : network.layers()) {
    width = std::max(width, TerminalText(layer.name).size());
  }
  std::string text =
      fmt::format("{:>3}  {:<{}}  {:>9}  {}\n", "#", "name", width, "neurons", "work");
  for (size_t i = 0; i < network.layers().size(); ++i) {
    const LayerInfo& layer = network.layers()[i];
    const bool dense = std::find(stepped.begin(), stepped.end(), layer.name) != stepped.end();
    text +=
        fmt::format("{:>3}  {:<{}}  {:>9}  {}\n", i, TerminalText(layer.name), width, layer.neurons,
                    i == 0  ? "events"
                    : dense ? "all neurons at every step: a bias, a current or a leak moves them"
                            : "the neurons that spikes reach");
  }
  text += stepped.empty() ? "Steps without events cost nothing.\n"
                          : "Every step costs time, with events or without.\n";
  return text;
}

}  // namespace cssrun::tools
