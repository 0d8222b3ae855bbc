// EventShortcut from the synapses of a network: identities that no pool or mean stands beside.
#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/event_shortcut/event_shortcut.h"

namespace cssrun::internal {

bool EventShortcut::Takes(const Connection& connection, const TargetLayer&) {
  return connection.identity() && connection.plain;
}

std::optional<EventShortcut> EventShortcut::Build(const KernelRequest& request, std::string&) {
  const Connection& c = request.connection;
  return MakeEventShortcut(
      PlanScatterRows(c.y, c.view.y, c.source.height(), request.membranes.rows),
      PlanShortcutRuns(ShortcutShapeOf(c, request.target)), static_cast<double>(*c.weights()),
      request.scales);
}

StoredWeights EventShortcut::Stored(const LaneLayout&) const {
  return {WeightType::kInt16, runs.targets.size() + kLineLanes};
}

}  // namespace cssrun::internal
