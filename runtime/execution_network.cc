#include "runtime/execution_network.h"

#include <algorithm>
#include <cmath>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/integer/build_network.h"

namespace cssrun::internal {
namespace {

using format::NodeKind;

std::string KindName(const Layer& layer, bool direct) {
  switch (layer.kind) {
    case NodeKind::Encoder:
      return direct ? "pixels" : "encoder";
    case NodeKind::Readout:
      return "readout";
    case NodeKind::Neurons:
      break;
  }
  return layer.pool.has_value() ? "pooled neurons" : "neurons";
}

Layer LayOutLayer(const format::Network& network, const format::Node& node, float spike_weight,
                  bool with_synapses) {
  const bool direct = network.code()->input() == format::InputCoding::Direct;
  Layer layer;
  layer.name = node.name()->str();
  layer.kind = node.kind();
  layer.extent = *node.extent();
  layer.potential = *node.potential();
  layer.offset = node.offset();
  layer.rectify = node.rectify();
  if (node.pool() != nullptr) layer.pool = *node.pool();
  layer.amplitude = node.amplitude();
  layer.initial_potential = node.initial_potential();
  layer.blocks = ChannelBlocks::For(layer.potential.channels());
  // The encoder has no silent period: its spikes weigh 1.
  const float weight = layer.kind == NodeKind::Encoder ? 1.0F : spike_weight;
  for (const float threshold : *node.thresholds()) layer.thresholds.push_back(threshold * weight);
  layer.bias = AllocateAligned<float>(layer.blocks.stride());
  std::fill_n(layer.bias.get(), layer.blocks.stride(), 0.0F);
  std::copy(node.bias()->begin(), node.bias()->end(), layer.bias.get());
  for (const format::Synapses* synapses : *node.synapses()) {
    const format::Node& source = *network.nodes()->Get(synapses->source());
    layer.input_offset = std::max(layer.input_offset, source.offset());
    if (direct && source.kind() == NodeKind::Encoder) {
      layer.direct.push_back(LayOutDirect(*synapses, *source.extent(), layer.potential));
    } else if (with_synapses) {
      layer.synapses.push_back(LayOutSynapses(*synapses, *source.extent(), layer.potential));
    }
  }
  return layer;
}

ExecutionNetwork LayOut(const NetworkFile& file, bool with_synapses) {
  const format::Network& network = file.network();
  const format::Code& code = *network.code();
  ExecutionNetwork execution;
  execution.timesteps = code.timesteps();
  execution.silent_steps = code.silent_steps();
  execution.negative_spikes = code.negative_spikes();
  execution.early_exit_margin = code.early_exit_margin();
  execution.beta = code.beta();
  if (code.input() == format::InputCoding::Direct) execution.direct_input.emplace(network);
  execution.spike_weight = static_cast<float>(
      std::pow(static_cast<double>(code.beta()), static_cast<double>(code.silent_steps())));
  execution.macs_per_image = network.macs_per_image();

  for (const format::Node* node : *network.nodes()) {
    execution.layers.push_back(LayOutLayer(network, *node, execution.spike_weight, with_synapses));
    const Layer& layer = execution.layers.back();
    execution.layer_infos.push_back(
        {layer.name, KindName(layer, execution.direct_input.has_value()), Neurons(layer.extent),
         layer.offset, layer.extent.channels(), layer.extent.height(), layer.extent.width()});
    for (const SynapseLayout& synapses : layer.synapses) {
      Layer& source = execution.layers[synapses.source];
      // There are T frames and no more, however long they wait.
      source.kept_steps =
          std::max(source.kept_steps, std::min(synapses.delay + 1, execution.timesteps));
    }
  }
  execution.latency_steps = execution.layers.back().offset + execution.timesteps;

  const format::Extent& image = execution.layers.front().extent;
  const format::Preprocessing& preprocessing = *network.preprocessing();
  execution.input.channels = image.channels();
  execution.input.height = image.height();
  execution.input.width = image.width();
  execution.input.resize = preprocessing.resize();
  execution.input.mean.assign(preprocessing.mean()->begin(), preprocessing.mean()->end());
  execution.input.stddev.assign(preprocessing.stddev()->begin(), preprocessing.stddev()->end());
  for (const flatbuffers::String* label : *network.labels()) {
    execution.labels.push_back(label->str());
  }
  return execution;
}

}  // namespace

ExecutionNetwork LayOutNetwork(const NetworkFile& file) { return LayOut(file, true); }

ExecutionNetwork LayOutNetworkInIntegers(const NetworkFile& file) {
  std::string reason;
  std::optional<IntegerNetwork> integers = BuildIntegerNetwork(file, reason);
  ExecutionNetwork execution = LayOut(file, !integers.has_value());
  if (integers.has_value()) {
    execution.integers = std::make_unique<const IntegerNetwork>(std::move(*integers));
  } else {
    execution.float_reason = reason;
  }
  return execution;
}

}  // namespace cssrun::internal
