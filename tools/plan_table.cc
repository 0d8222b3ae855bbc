#include "tools/plan_table.h"

#include <algorithm>

#include "cssrun/version.h"
#include "fmt/format.h"
#include "runtime/integer/cost.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/plan.h"
#include "runtime/network/network_access.h"
#include "tools/summary_text.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using internal::LayerPlan;
using internal::PoolName;
using internal::SynapsesPlan;

// Formats a layout, as "32x4": lanes of a position in one block, and blocks.
std::string Layout(const LayerPlan& layer) {
  return layer.lanes == 0 ? "" : fmt::format("{}x{}", layer.lanes, layer.blocks);
}

std::string Notes(const LayerPlan& layer, const SynapsesPlan& synapses) {
  std::string notes = layer.settled ? "settled" : "";
  const auto add = [&](const char* note) {
    notes += (notes.empty() ? "" : ", ") + std::string(note);
  };
  if (layer.fused && synapses.kernel.sums_levels()) add("rounds in registers");
  if (!synapses.scales.empty()) add("joins in float");
  if (synapses.winograd) add("Winograd");
  if (synapses.aligned) add("joins in registers");
  if (synapses.copied) add("copied, joins in registers");
  if (layer.pool == PoolName::kDisjoint) add("pool");
  if (layer.pool == PoolName::kOverlapping) add("overlapping pool");
  return notes;
}

std::string Operations(const SynapsesPlan& synapses) {
  return fmt::format("{:.3f} M {}", synapses.operations / 1e6,
                     synapses.kernel.reads_levels() ? "products" : "additions");
}

}  // namespace

std::string FormatPlan(const Network& network) {
  if (network.engine() == EngineKind::kFloat) {
    return fmt::format("runs in float: {}\n", network.why_float());
  }
  const internal::IntegerPlan plan = internal::DescribePlan(internal::Loaded(network));
  const std::vector<LayerInfo>& layers = network.layers();
  const size_t width = LayerNameWidth(network);
  std::string text = fmt::format("in integers with {}, level_conv by {}\n\n", SimdTarget(),
                                 internal::LevelConvVariant());
  text +=
      fmt::format("{:>3}  {:<{}}  {:>4}  {:<15}  {:<6}  {:<7}  {:>9}  {:>19}  {:>9}  {}\n", "#",
                  "layer", width, "from", "kernel", "layout", "weights", "kB", "expected", "", "");
  const std::vector<double> milliseconds =
      internal::ExpectedLayerMilliseconds(internal::Loaded(network));
  double products = 0;
  double additions = 0;
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const LayerPlan& layer = plan.layers[i];
    const std::string name = TerminalText(layers[i].name);
    std::string time = fmt::format("{:.4f} ms", milliseconds[i]);  // on the layer's first line
    const auto line = [&](const std::string& from, std::string_view kernel,
                          std::string_view weights, const std::string& bytes,
                          const std::string& expected, const std::string& notes) {
      text += fmt::format("{:>3}  {:<{}}  {:>4}  {:<15}  {:<6}  {:<7}  {:>9}  {:>19}  {:>9}  {}\n",
                          i, name, width, from, kernel, Layout(layer), weights, bytes, expected,
                          time, notes);
      time.clear();
    };
    if (layer.pixel_synapses > 0) line("0", "pixels", "float", "", "", "once an image");
    for (const SynapsesPlan& s : layer.synapses) {
      line(std::to_string(s.source), s.kernel.name, ToString(s.weights),
           fmt::format("{:.1f}", static_cast<double>(s.weight_bytes) / 1e3), Operations(s),
           Notes(layer, s));
      (s.kernel.reads_levels() ? products : additions) += s.operations;
    }
    if (layer.pixel_synapses == 0 && layer.synapses.empty()) line("", "", "", "", "", "");
  }
  text += fmt::format(
      "\n{:.2f} M products of levels; {:.2f} M additions where {:g} % of the neurons fire at each "
      "step\nexpected {:.3g} ms an image on one thread\n",
      products / 1e6, additions / 1e6, internal::kExpectedRate * 100,
      internal::ExpectedMilliseconds(internal::Loaded(network)));
  while (text.find(" \n") != std::string::npos) text.erase(text.find(" \n"), 1);
  return text;
}

}  // namespace cssrun::tools
