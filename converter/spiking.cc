#include "converter/spiking.h"

#include "converter/lowering.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {

Result<SpikingNetwork> LowerToSpikes(const Graph& graph) {
  Lowering lowering(graph);
  for (const Node& node : graph.nodes) {
    const auto* lower = std::get_if<LowerFunction*>(&OperatorOf(node.op).lower);
    if (lower == nullptr) {
      return Status::BadModel("node " + node.name + ": operator " + node.op.name() +
                              " cannot be turned into spikes");
    }
    if (Status status = (*lower)(lowering, node); !status.ok()) return status;
  }
  return lowering.Finish();
}

uint64_t FanIn(const SpikingNetwork& network, const SpikingNode& node) {
  uint64_t fan_in = 0;
  for (const SpikingSynapses& s : node.synapses) {
    uint64_t members = 1;
    if (s.average.has_value()) {
      members = static_cast<uint64_t>(s.average->kernel_y()) *
                static_cast<uint64_t>(s.average->kernel_x());
    }
    // Of a source that is spread out, a position sees some taps only.
    const auto seen = [](int32_t taps, int32_t spread) {
      return static_cast<uint64_t>((taps + spread - 1) / spread);
    };
    const uint64_t taps =
        seen(s.window.kernel_y(), s.spread_y) * seen(s.window.kernel_x(), s.spread_x);
    const uint64_t sources =
        s.kind == format::SynapseKind::Identity
            ? 1
            : network.nodes[s.source].extent.channels() / static_cast<uint64_t>(s.groups);
    fan_in += members * taps * sources;
  }
  return fan_in;
}

}  // namespace cssrun::converter
