// LevelShortcut from the synapses of a network: identities into settled layers.
#include <algorithm>
#include <cmath>

#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/level_shortcut/level_shortcut.h"
#include "runtime/integer/neurons/settled.h"

namespace cssrun::internal {
namespace {

// Rows of source and target hold the same neurons in the same words, and lanes without a target
// have no source either; nothing else would keep such lanes from firing.
bool IsAligned(const Connection& c, const TargetLayer& target) {
  const format::Window& w = *c.synapses->window();
  return c.synapses->channel_offset() == 0 && c.source.channels() <= target.channels() &&
         w.stride_x() == 1 && w.pad_left() == 0 && c.source.width() == target.pools.x.size &&
         c.source_lanes.lanes == target.lanes.lanes && c.source_lanes.blocks == target.lanes.blocks;
}

// The best access that the synapses allow; the layer's other synapses may not, see FinishSettled().
ShortcutAccess AccessOf(const LevelShortcut& kernel, const Connection& c,
                        const TargetLayer& target) {
  if (target.pools.pooled() || c.synapses->average() != nullptr) return ShortcutAccess::kAdded;
  if (IsAligned(c, target)) return ShortcutAccess::kAligned;
  return CanCopy(kernel, target.lanes) ? ShortcutAccess::kCopied : ShortcutAccess::kAdded;
}

}  // namespace

bool LevelShortcut::Takes(const Connection& connection, const TargetLayer& target) {
  return connection.identity() && connection.plain && target.settled &&
         connection.level_zero.has_value();
}

std::optional<LevelShortcut> LevelShortcut::Build(const KernelRequest& request, std::string&) {
  const Connection& c = request.connection;
  std::optional<LevelShortcut> kernel(std::in_place);
  kernel->weight = static_cast<float>(
      std::ldexp(static_cast<double>(*c.weights()), SettledFraction(request.target.timesteps)));
  kernel->rows = RowsOf(*c.synapses->window());
  kernel->row_divisor = c.view.y.divisor;
  // Rows of the source that no row of its view covers add nothing.
  kernel->source_rows =
      static_cast<uint32_t>(std::min<int64_t>(c.source.height(), c.view.y.size * c.view.y.divisor));
  kernel->runs = PlanShortcutRuns(ShortcutShapeOf(c, request.target));
  kernel->access = AccessOf(*kernel, c, request.target);
  return kernel;
}

StoredWeights LevelShortcut::Stored(const LaneLayout&) const { return {WeightType::kFloat, 1}; }

}  // namespace cssrun::internal
