#include "runtime/float/float_network.h"

#include <algorithm>

#include "runtime/aligned.h"
#include "runtime/assert.h"

namespace cssrun::internal {

FloatNetwork LayOutFloats(const format::NetworkFile& file) {
  const format::Network& network = file.network();
  const uint32_t timesteps = network.code()->timesteps();
  const bool direct = network.code()->input() == format::InputCoding::Direct;
  FloatNetwork floats;
  for (const format::Node* node : *network.nodes()) {
    FloatLayer& layer = floats.layers.emplace_back();
    layer.blocks = ChannelBlocks::For(node->potential()->channels());
    layer.bias = AllocateAligned<float>(layer.blocks.stride());
    std::fill_n(layer.bias.get(), layer.blocks.stride(), 0.0F);
    CSSRUN_ASSERT(node->bias()->size() <= layer.blocks.stride());
    std::copy(node->bias()->begin(), node->bias()->end(), layer.bias.get());
    for (const format::Synapses* synapses : *node->synapses()) {
      const format::Node& source = *network.nodes()->Get(synapses->source());
      CSSRUN_ASSERT(synapses->source() + 1 < floats.layers.size());        // sources before targets
      if (direct && source.kind() == format::NodeKind::Encoder) continue;  // see Layer::direct
      layer.synapses.push_back(LayOutSynapses(*synapses, *source.extent(), *node->potential()));
      // A train has T frames, so no more than T need to be kept, however long they wait.
      uint32_t& kept_steps = floats.layers[synapses->source()].kept_steps;
      kept_steps = std::max(kept_steps, std::min(synapses->delay() + 1, timesteps));
    }
  }
  return floats;
}

}  // namespace cssrun::internal
