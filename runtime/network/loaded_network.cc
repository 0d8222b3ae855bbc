#include "runtime/network/loaded_network.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <utility>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/integer/build_network.h"
#include "runtime/network/input_format.h"
#include "runtime/network/layer_kind.h"
#include "runtime/neuron/power.h"
#include "runtime/neuron/settled.h"

namespace cssrun::internal {

// Answers are the same bits on every machine for which cssrun compiles.
static_assert(FLT_EVAL_METHOD == 0,
              "floats that are computed in longer registers round otherwise: "
              "on 32-bit x86, compile with -msse2 -mfpmath=sse");
static_assert(std::endian::native == std::endian::little,
              "weights are used as they are in the file");
namespace {

using format::NodeKind;

// The encoder has no silent period, so its spikes weigh 1 and not beta^L.
NeuronParameters NeuronOf(const format::Code& code, const format::Node& node, float spike_weight) {
  return {.beta = code.beta(),
          .spike_weight = node.kind() == NodeKind::Encoder ? 1.0F : spike_weight,
          .rectify = node.rectify(),
          .negative_spikes = code.negative_spikes()};
}

Layer LayOutLayer(const format::NetworkFile& file, const format::Node& node, float spike_weight) {
  const format::Network& network = file.network();
  const bool direct = network.code()->input() == format::InputCoding::Direct;
  Layer layer;
  layer.name = node.name()->str();
  layer.kind = node.kind();
  layer.extent = *node.extent();
  layer.potential = *node.potential();
  layer.offset = node.offset();
  layer.neuron = NeuronOf(*network.code(), node, spike_weight);
  if (node.pool() != nullptr) layer.pool = *node.pool();
  layer.amplitude = node.amplitude();
  layer.initial_potential = node.initial_potential();
  layer.lowest_level = node.lowest_level();
  layer.highest_level = node.highest_level();
  for (const float threshold : *node.thresholds()) {
    layer.thresholds.push_back(threshold * layer.neuron.spike_weight);
  }
  CSSRUN_ASSERT(node.bias()->size() <= layer.potential.channels());  // the encoder has none
  layer.bias = AllocateAligned<float>(layer.potential.channels());
  std::copy(node.bias()->begin(), node.bias()->end(), layer.bias.get());
  if (node.output_order() != nullptr) {
    layer.output_order.assign(node.output_order()->begin(), node.output_order()->end());
  }
  for (const format::Synapses* synapses : *node.synapses()) {
    const format::Node& source = *network.nodes()->Get(synapses->source());
    layer.input_offset = std::max(layer.input_offset, source.offset());
    if (direct && source.kind() == NodeKind::Encoder) {
      const format::Weights weights = file.WeightsOf(*synapses);
      layer.direct.push_back(
          LayOutDirect(*synapses, weights.numbers, *source.extent(), layer.potential));
    }
  }
  return layer;
}

OutputInfo OutputOf(const format::Node& readout, size_t first) {
  OutputInfo output;
  output.name = readout.name()->str();
  output.first = first;
  const format::Extent& extent = *readout.extent();
  if (readout.output_shape() != nullptr) {
    output.shape.assign(readout.output_shape()->begin(), readout.output_shape()->end());
  } else if (Positions(extent) == 1) {
    output.shape = {extent.channels()};
  } else {
    output.shape = {extent.channels(), extent.height(), extent.width()};
  }
  CSSRUN_ASSERT(
      output.size() ==
      (readout.output_order() == nullptr ? Neurons(extent) : readout.output_order()->size()));
  return output;
}

void LayOutOutputs(const format::Network& network, LoadedNetwork& loaded) {
  const bool classes = network.answer() == format::AnswerKind::Classes;
  loaded.answer = classes ? AnswerKind::kClasses : AnswerKind::kNumbers;
  size_t first = 0;
  for (const format::Node* node : *network.nodes()) {
    if (node->kind() != NodeKind::Readout) continue;
    loaded.outputs.push_back(OutputOf(*node, first));
    first += loaded.outputs.back().size();
    loaded.latency_steps = std::max(loaded.latency_steps, node->offset() + loaded.timesteps);
  }
}

// Everything but LoadedNetwork::layout.
LoadedNetwork LayOutShared(const format::NetworkFile& file) {
  const format::Network& network = file.network();
  const format::Code& code = *network.code();
  LoadedNetwork loaded;
  loaded.timesteps = code.timesteps();
  loaded.silent_steps = code.silent_steps();
  loaded.negative_spikes = code.negative_spikes();
  loaded.early_exit_margin = code.early_exit_margin();
  loaded.beta = code.beta();
  if (code.input() == format::InputCoding::Direct) loaded.direct_input.emplace(network);
  loaded.spike_weight = static_cast<float>(PowerOf(code.beta(), code.silent_steps()));
  loaded.macs_per_image = network.macs_per_image();

  for (const format::Node* node : *network.nodes()) {
    loaded.layers.push_back(LayOutLayer(file, *node, loaded.spike_weight));
    const Layer& layer = loaded.layers.back();
    loaded.layer_infos.push_back({layer.name,
                                  LayerKindOf(layer.kind, layer.pool.has_value(), code.input()),
                                  Neurons(layer.extent), layer.offset, layer.extent.channels(),
                                  layer.extent.height(), layer.extent.width()});
  }
  LayOutOutputs(network, loaded);

  const format::Extent& image = loaded.layers.front().extent;
  loaded.input = UnpackInput(*network.preprocessing(), image);
  for (const flatbuffers::String* label : *network.labels()) {
    loaded.labels.push_back(label->str());
  }
  return loaded;
}

// Everything that a network which takes events has.
LoadedNetwork LayOutEventNetwork(const format::Network& network) {
  LoadedNetwork loaded;
  EventNetwork events = LayOutEvents(*network.events());
  for (const SpikingLayer& neurons : events.nodes) {
    const format::Extent& extent = neurons.extent;
    const LayerKind kind = loaded.layer_infos.empty() ? LayerKind::kEvents : LayerKind::kNeurons;
    loaded.layer_infos.push_back({neurons.name, kind, Neurons(extent), 0, extent.channels(),
                                  extent.height(), extent.width()});
  }
  LayerInfo& last = loaded.layer_infos.back();
  last.kind = LayerKind::kReadout;
  OutputInfo output;
  output.name = last.name;
  output.shape = {last.channels, last.height, last.width};
  if (last.height * last.width == 1) output.shape.resize(1);
  loaded.outputs.push_back(output);
  const LayerInfo& first = loaded.layer_infos.front();
  loaded.input.channels = first.channels;
  loaded.input.height = first.height;
  loaded.input.width = first.width;
  loaded.input.mean.assign(first.channels, 0.0F);
  loaded.input.stddev.assign(first.channels, 1.0F);
  loaded.input.resize = std::max(first.height, first.width);
  for (const flatbuffers::String* label : *network.labels()) {
    loaded.labels.push_back(label->str());
  }
  loaded.macs_per_image = network.macs_per_image();
  loaded.layout = std::move(events);
  return loaded;
}

}  // namespace

LoadedNetwork LayOutNetwork(const format::NetworkFile& file, EngineKind engine,
                            bool file_may_ask_for_float) {
  if (file.network().events() != nullptr) return LayOutEventNetwork(file.network());
  LoadedNetwork loaded = LayOutShared(file);
  const flatbuffers::String* why_float = file.network().why_float();
  if (engine == EngineKind::kInteger && file_may_ask_for_float && why_float != nullptr &&
      why_float->size() > 0) {
    loaded.float_reason = why_float->str();
  } else if (engine == EngineKind::kInteger) {
    std::optional<IntegerNetwork> integers = BuildIntegerNetwork(file, loaded.float_reason);
    if (integers.has_value()) {
      loaded.layout = std::move(*integers);
      return loaded;
    }
  }
  loaded.layout = LayOutFloats(file);
  return loaded;
}

bool SendsSpikes(const LoadedNetwork& network, size_t layer) {
  CSSRUN_ASSERT(layer < network.layers.size());
  switch (network.layers[layer].kind) {
    case NodeKind::Encoder:
      return !network.direct_input.has_value();
    case NodeKind::Readout:
      return false;
    case NodeKind::Neurons:
      break;
  }
  return true;
}

bool KeepsMembranes(const LoadedNetwork& network, size_t layer) {
  CSSRUN_ASSERT(layer < network.layers.size());
  const bool settled = network.engine() == EngineKind::kInteger &&
                       IsSettled(network.beta, network.timesteps, network.silent_steps);
  return network.layers[layer].kind == NodeKind::Neurons && !settled;
}

}  // namespace cssrun::internal
