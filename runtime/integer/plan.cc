#include "runtime/integer/plan.h"

#include <cstddef>
#include <utility>

#include "runtime/execution_network.h"

namespace cssrun::internal {
namespace {

// How many weights are laid out; `source_row_neurons` are those of a row of the source.
uint64_t WeightsOf(const IntegerLayer& layer, const IntegerSynapses& s,
                   uint64_t source_row_neurons) {
  const auto taps =
      static_cast<uint64_t>(s.window.kernel_y) * static_cast<uint64_t>(s.window.kernel_x);
  switch (s.kind) {
    case AccumulateKind::kRoll:
      return s.roll.block_size() * layer.layout.blocks;
    case AccumulateKind::kGather:
      return s.gather.words.size() * s.gather.table_size();
    case AccumulateKind::kDepthwise:
      return layer.layout.blocks * taps * kChunkLanes;
    case AccumulateKind::kLevels:
      return s.levels.groups * taps * s.levels.quads * s.levels.targets * kQuad;
    case AccumulateKind::kIdentity:
      break;
  }
  // Settled layers take one weight for all, others one for each neuron of a row: whole words, and
  // one to spare.
  const uint64_t words = (source_row_neurons + kChunkLanes - 1) / kChunkLanes;
  return layer.settled ? 1 : (words + 1) * kChunkLanes;
}

KernelName NameOf(AccumulateKind kind) {
  switch (kind) {
    case AccumulateKind::kRoll:
      return KernelName::kRoll;
    case AccumulateKind::kGather:
      return KernelName::kGather;
    case AccumulateKind::kDepthwise:
      return KernelName::kDepthwise;
    case AccumulateKind::kLevels:
      return KernelName::kLevels;
    case AccumulateKind::kIdentity:
      break;
  }
  return KernelName::kShortcut;
}

WeightType TypeOf(const IntegerLayer& layer, const IntegerSynapses& s) {
  if (s.kind == AccumulateKind::kIdentity) {
    return layer.settled ? WeightType::kFloat : WeightType::kInt16;
  }
  return s.wide != nullptr ? WeightType::kInt16 : WeightType::kInt8;
}

SynapsesPlan DescribeSynapses(const IntegerLayer& layer, const IntegerSynapses& s,
                              uint64_t source_row_neurons) {
  SynapsesPlan plan;
  plan.source = s.source;
  plan.kernel = NameOf(s.kind);
  plan.weights = TypeOf(layer, s);
  plan.weight_bytes =
      WeightsOf(layer, s, source_row_neurons) * static_cast<uint64_t>(BitsOf(plan.weights)) / 8;
  plan.aligned = s.aligned;
  return plan;
}

LayerPlan DescribeLayer(const ExecutionNetwork& network, size_t index) {
  const IntegerLayer& integers = network.integers->layers[index];
  LayerPlan plan;
  plan.lanes = integers.layout.lanes;
  plan.blocks = integers.layout.blocks;
  if (network.layers[index].pool.has_value()) {
    const bool disjoint = integers.pool_y.apart && integers.pool_x.apart;
    plan.pool = disjoint ? PoolName::kDisjoint : PoolName::kOverlapping;
  }
  plan.settled = integers.settled;
  plan.fused = integers.rounds_sums;
  plan.scales = integers.scales;
  for (const IntegerSynapses& s : integers.synapses) {
    const uint64_t neurons = uint64_t{network.layers[s.source].extent.width()} *
                             network.integers->layouts[s.source].stride();
    plan.synapses.push_back(DescribeSynapses(integers, s, neurons));
  }
  return plan;
}

LayerPlan DescribeReadout(const IntegerNetwork& integers) {
  LayerPlan plan;
  for (const ReadoutSynapses& s : integers.readout) {
    plan.synapses.push_back({.source = s.source,
                             .kernel = KernelName::kReadout,
                             .weights = WeightType::kFloat,
                             .weight_bytes = s.weight_rows * integers.logit_stride * sizeof(float),
                             .aligned = false});
  }
  return plan;
}

}  // namespace

IntegerPlan DescribePlan(const ExecutionNetwork& network) {
  const IntegerNetwork& integers = *network.integers;
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
        layer = DescribeReadout(integers);
        break;
    }
    layer.pixel_synapses = static_cast<uint32_t>(network.layers[i].direct.size());
    plan.layers.push_back(std::move(layer));
  }
  return plan;
}

std::string_view ToString(KernelName kernel) {
  switch (kernel) {
    case KernelName::kRoll:
      return "roll";
    case KernelName::kGather:
      return "gather";
    case KernelName::kDepthwise:
      return "depthwise";
    case KernelName::kLevels:
      return "levels";
    case KernelName::kShortcut:
      return "shortcut";
    case KernelName::kReadout:
      break;
  }
  return "readout";
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
