#include "runtime/integer/plan.h"

#include <cstddef>
#include <numeric>
#include <utility>

#include "runtime/network/loaded_network.h"

namespace cssrun::internal {
namespace {

SynapsesPlan DescribeSynapses(const IntegerLayer& layer, const IntegerSynapses& s,
                              uint32_t timesteps) {
  const StoredWeights stored = std::visit(
      [&](const auto& kernel) { return kernel.Stored(layer.membranes.lanes); }, s.kernel);
  const auto* shortcut = std::get_if<LevelShortcut>(&s.kernel);
  SynapsesPlan plan;
  plan.source = s.source;
  plan.kernel = TraitsOf(s.kernel);
  plan.weights = stored.type;
  plan.weight_bytes = stored.count * static_cast<uint64_t>(BitsOf(stored.type)) / 8;
  const auto* conv = std::get_if<LevelConv>(&s.kernel);
  plan.winograd = conv != nullptr && !conv->winograd.empty();
  plan.aligned = shortcut != nullptr && shortcut->access == ShortcutAccess::kAligned;
  plan.copied = shortcut != nullptr && shortcut->access == ShortcutAccess::kCopied;
  plan.scales = s.scales;
  plan.synapses = s.fan_out.synapses;
  plan.target_channels = s.fan_out.target_channels;
  const auto synapses = static_cast<double>(plan.synapses);
  plan.operations = plan.kernel.reads_levels() ? synapses : synapses * timesteps * kExpectedRate;
  return plan;
}

// Whether each position of the map is in one pool.
bool PoolsAreDisjoint(const IntegerLayer& layer) {
  const LayerPools& pools = layer.pools;
  if (!pools.windows.has_value()) return pools.disjoint();
  return MakePoolAxis(layer.membranes.rows, pools.rows, pools.windows->y).disjoint &&
         MakePoolAxis(layer.membranes.columns, pools.columns, pools.windows->x).disjoint;
}

LayerPlan DescribeLayer(const LoadedNetwork& network, size_t index) {
  const IntegerLayer& layer = network.integers().layers[index];
  LayerPlan plan;
  plan.lanes = layer.membranes.lanes.lanes;
  plan.blocks = layer.membranes.lanes.blocks;
  if (layer.pools.pooled() || !layer.pools.disjoint()) {  // not a pool of one member each
    plan.pool = PoolsAreDisjoint(layer) ? PoolName::kDisjoint : PoolName::kOverlapping;
  }
  plan.settled = layer.settled() != nullptr;
  if (layer.pixel_conv.has_value()) plan.pixel_planes = layer.pixel_conv->planes;
  plan.fused = plan.settled && layer.settled()->sums == SettledSums::kFusedLevels;
  plan.scales = layer.scales;
  for (const IntegerSynapses& s : layer.synapses) {
    plan.synapses.push_back(DescribeSynapses(layer, s, network.timesteps));
  }
  return plan;
}

LayerPlan DescribeMapReadout(const LoadedNetwork& network, const FloatLayer& floats) {
  LayerPlan plan;
  for (const SynapseLayout& s : floats.synapses) {
    SynapsesPlan synapses;
    synapses.source = s.source;
    synapses.kernel = kMapReadout;
    synapses.weights = WeightType::kFloat;
    const bool identity = s.kind == format::SynapseKind::Identity;
    const uint64_t taps = static_cast<uint64_t>(s.window.kernel_y()) *
                          static_cast<uint64_t>(s.window.kernel_x()) * s.source_extent.channels();
    const uint64_t targets = s.groups == 1 ? floats.blocks.stride() : s.channels_per_target_group();
    synapses.weight_bytes = (identity ? 1 : taps * targets) * sizeof(float);
    const uint64_t fan_out = std::accumulate(s.fan_out.begin(), s.fan_out.end(), uint64_t{0});
    synapses.synapses = fan_out * s.source_extent.channels();
    synapses.operations =
        static_cast<double>(synapses.synapses) * network.timesteps * kExpectedRate;
    plan.synapses.push_back(synapses);
  }
  return plan;
}

LayerPlan DescribeVectorReadout(const VectorReadout& readout, uint32_t timesteps) {
  LayerPlan plan;
  for (const ReadoutSynapses& s : readout.synapses) {
    SynapsesPlan synapses;
    synapses.source = s.source;
    synapses.kernel = kVectorReadout;
    synapses.weights = WeightType::kFloat;
    synapses.weight_bytes = s.weight_rows * readout.logit_stride * sizeof(float);
    for (size_t row = 0; row < s.row_is_read.size(); ++row) {
      if (s.row_is_read[row] == 0) continue;
      synapses.synapses += std::accumulate(s.fan_out.begin(), s.fan_out.end(), uint64_t{0});
    }
    synapses.operations = static_cast<double>(synapses.synapses) * timesteps * kExpectedRate;
    plan.synapses.push_back(synapses);
  }
  return plan;
}

LayerPlan DescribeReadout(const LoadedNetwork& network, size_t index) {
  const IntegerReadout& readout = network.integers().readouts[index - network.first_readout()];
  if (const auto* floats = std::get_if<FloatLayer>(&readout)) {
    return DescribeMapReadout(network, *floats);
  }
  return DescribeVectorReadout(std::get<VectorReadout>(readout), network.timesteps);
}

}  // namespace

IntegerPlan DescribePlan(const LoadedNetwork& network) {
  const IntegerNetwork& integers = network.integers();
  IntegerPlan plan;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    LayerPlan layer;
    switch (network.layers[i].kind) {
      case format::NodeKind::Encoder:
        layer.lanes = integers.layouts[i].lanes;
        layer.blocks = integers.layouts[i].blocks;
        break;
      case format::NodeKind::Neurons:
        layer = DescribeLayer(network, i);
        break;
      case format::NodeKind::Readout:
        layer = DescribeReadout(network, i);
        break;
    }
    layer.pixel_synapses = static_cast<uint32_t>(network.layers[i].direct.size());
    plan.layers.push_back(std::move(layer));
  }
  return plan;
}

std::string_view ToString(WeightType weights) {
  switch (weights) {
    case WeightType::kInt8:
      return "int8";
    case WeightType::kInt16:
      return "int16";
    case WeightType::kFloat:
      break;
  }
  return "float";
}

std::string_view ToString(PoolName pool) {
  switch (pool) {
    case PoolName::kNone:
      return "none";
    case PoolName::kDisjoint:
      return "disjoint";
    case PoolName::kOverlapping:
      break;
  }
  return "overlapping";
}

int BitsOf(WeightType weights) {
  switch (weights) {
    case WeightType::kInt8:
      return 8;
    case WeightType::kInt16:
      return 16;
    case WeightType::kFloat:
      break;
  }
  return 32;
}

}  // namespace cssrun::internal
