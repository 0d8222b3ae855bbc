#include "runtime/integer/choose_kernel.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

// Weights have 16 bits if all weights of a layer then take at most this many bytes and stay near
// the core: widening 8 bits at every load halves the speed on some machines.
constexpr double kLargestWideTable = 256 << 10;

// Larger tables, in bytes, do not fit a small second-level cache. Only then is it worth listing the
// spikes once more for each block, to read its weights while they are near. With a limit of 512
// KiB, a cache like a Raspberry Pi's misses 37 to 42 % less often than with 1 MiB, for 1 % more
// instructions; a Zen 5 takes as long with either (0.98 and 1.02).
constexpr uint64_t kFarTables = 512 << 10;
// With so few positions, listing the spikes that they see takes as long as adding them.
constexpr uint32_t kFewPositions = 4;

bool KeepsWide(const Connection& connection, const TargetLayer& target) {
  if (connection.identity() || connection.depthwise()) return true;
  // Weights stored per target and tap: for all sources, or for the words that hold its group.
  const format::Window& w = *connection.synapses->window();
  const double sources = connection.source.channels();
  const double kept =
      std::min(sources, std::max(sources / connection.synapses->groups(), double{kLineLanes}));
  const double taps = static_cast<double>(w.kernel_y()) * w.kernel_x();
  return target.channels() * taps * kept * sizeof(int16_t) <= kLargestWideTable;
}

template <class... K>
KernelKind FirstToTake(std::type_identity<std::variant<K...>>, const Connection& connection,
                       const TargetLayer& target) {
  KernelKind kind;
  const bool taken =
      ((K::Takes(connection, target) && (kind = std::type_identity<K>(), true)) || ...);
  CSSRUN_ASSERT(taken);
  return kind;
}

}  // namespace

KernelChoice ChooseKernel(const Connection& connection, const TargetLayer& target) {
  const KernelKind kind = FirstToTake(std::type_identity<Kernel>(), connection, target);
  const WeightWidth width =
      KeepsWide(connection, target) ? WeightWidth::kWide : WeightWidth::kNarrow;
  return {kind, TraitsOf(kind).width.value_or(width)};
}

bool SumsStayInRegisters(const TargetLayer& target, std::span<const KernelChoice> choices) {
  size_t sums = 0;
  for (const KernelChoice& choice : choices) {
    switch (TraitsOf(choice.kind).role) {
      case KernelRole::kAddsSpikes:
        return false;
      case KernelRole::kSumsLevels:
        ++sums;
        break;
      case KernelRole::kAddsLevels:
        break;
    }
  }
  return sums == 1 && target.pools.disjoint();
}

uint32_t ChooseBlocksTogether(const IntegerLayer& layer) {
  const uint32_t all = layer.membranes.lanes.blocks;
  if (layer.settled() != nullptr || layer.pixel_scale != nullptr) return all;
  uint32_t together = 1;
  for (const IntegerSynapses& s : layer.synapses) {
    if (std::holds_alternative<Depthwise>(s.kernel)) return all;
    const auto* gather = std::get_if<TileGather>(&s.kernel);
    if (gather == nullptr) continue;
    const uint64_t bytes = gather->tables_size() * WeightBytes(WidthOf(gather->tables));
    if (bytes < kFarTables || layer.membranes.rows * layer.membranes.columns < kFewPositions) {
      return all;
    }
    together = std::max(together, gather->set_blocks);
  }
  return together;
}

}  // namespace cssrun::internal
