#include "converter/nir/flow.h"

#include <memory>

#include "format/geometry.h"

namespace cssrun::converter {
namespace {

// The scale of a weight's source channel.
double ScaleOf(const Flow& flow, size_t weight) {
  if (flow.scale.size() == 1) return flow.scale[0];
  const size_t taps =
      static_cast<size_t>(flow.window.kernel_y()) * static_cast<size_t>(flow.window.kernel_x());
  const size_t group_sources = flow.seen.channels() / flow.groups;
  const size_t group_targets = flow.extent.channels() / flow.groups;
  const size_t target = weight / taps / group_sources;
  return flow.scale[target / group_targets * group_sources + weight / taps % group_sources];
}

}  // namespace

format::EventSynapsesT SynapsesOf(const Flow& flow) {
  format::EventSynapsesT synapses;
  synapses.source = static_cast<uint32_t>(flow.source);
  if (flow.pool.has_value()) synapses.pool = std::make_unique<format::Window>(*flow.pool);
  if (!flow.has_weights) {
    synapses.window = std::make_unique<format::Window>(format::UnitWindow());
    synapses.groups = flow.seen.channels();
    for (size_t channel = 0; channel < flow.seen.channels(); ++channel) {
      const double scale = flow.scale.size() == 1 ? flow.scale[0] : flow.scale[channel];
      synapses.weights.push_back(static_cast<float>(scale));
    }
    return synapses;
  }
  synapses.window = std::make_unique<format::Window>(flow.window);
  synapses.groups = flow.groups;
  synapses.weights.reserve(flow.weights.size());
  for (size_t i = 0; i < flow.weights.size(); ++i) {
    synapses.weights.push_back(static_cast<float>(flow.weights[i] * ScaleOf(flow, i)));
  }
  return synapses;
}

}  // namespace cssrun::converter
