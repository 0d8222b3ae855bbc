// Depthwise from the synapses of a network.
#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/depthwise/depthwise.h"

namespace cssrun::internal {

bool Depthwise::Takes(const Connection& connection, const TargetLayer& target) {
  return !connection.identity() && connection.depthwise() && connection.plain &&
         connection.synapses->average() == nullptr && connection.source_lanes.lanes == kLineLanes &&
         target.lanes.lanes == kLineLanes &&
         connection.synapses->window()->kernel_x() <= kMostDepthwiseColumns;
}

std::optional<Depthwise> Depthwise::Build(const KernelRequest& request, std::string&) {
  const Connection& c = request.connection;
  std::optional<Depthwise> kernel(std::in_place);
  kernel->source_rows = c.source.height();
  kernel->source_columns = c.source.width();
  kernel->window = *c.synapses->window();
  FillDepthwise({c.weights(), request.scales}, c.source.channels(), *kernel);
  return kernel;
}

StoredWeights Depthwise::Stored(const LaneLayout& target) const {
  const auto taps =
      static_cast<uint64_t>(window.kernel_y()) * static_cast<uint64_t>(window.kernel_x());
  return {WeightType::kInt16, target.blocks * taps * kLineLanes};
}

}  // namespace cssrun::internal
