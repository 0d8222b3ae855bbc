#include "runtime/float/float_network.h"

#include <algorithm>

#include "runtime/aligned.h"
#include "runtime/assert.h"

namespace cssrun::internal {

FloatLayer LayOutFloatLayer(const format::NetworkFile& file, const format::Node& node) {
  const format::Network& network = file.network();
  const bool direct = network.code()->input() == format::InputCoding::Direct;
  FloatLayer layer;
  layer.blocks = ChannelBlocks::For(node.potential()->channels());
  layer.bias = AllocateAligned<float>(layer.blocks.stride());
  std::fill_n(layer.bias.get(), layer.blocks.stride(), 0.0F);
  CSSRUN_ASSERT(node.bias()->size() <= layer.blocks.stride());
  std::copy(node.bias()->begin(), node.bias()->end(), layer.bias.get());
  for (const format::Synapses* synapses : *node.synapses()) {
    const format::Node& source = *network.nodes()->Get(synapses->source());
    if (direct && source.kind() == format::NodeKind::Encoder) continue;  // see Layer::direct
    const format::Weights weights = file.WeightsOf(*synapses);
    layer.synapses.push_back(
        LayOutSynapses(*synapses, weights.numbers, *source.extent(), *node.potential()));
  }
  return layer;
}

FloatNetwork LayOutFloats(const format::NetworkFile& file) {
  const format::Network& network = file.network();
  const uint32_t timesteps = network.code()->timesteps();
  FloatNetwork floats;
  for (const format::Node* node : *network.nodes()) {
    floats.layers.push_back(LayOutFloatLayer(file, *node));
    for (const SynapseLayout& synapses : floats.layers.back().synapses) {
      CSSRUN_ASSERT(synapses.source + 1 < floats.layers.size());  // sources before targets
      // A train has T frames, so no more than T need to be kept, however long they wait.
      uint32_t& kept_steps = floats.layers[synapses.source].kept_steps;
      kept_steps = std::max(kept_steps, std::min(synapses.delay + 1, timesteps));
    }
  }
  return floats;
}

}  // namespace cssrun::internal
