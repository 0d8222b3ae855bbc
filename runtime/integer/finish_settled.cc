#include "runtime/integer/finish_settled.h"

#include <algorithm>
#include <cstddef>
#include <variant>
#include <vector>

#include "runtime/assert.h"
#include "runtime/integer/step.h"

namespace cssrun::internal {
namespace {

// Whether everything else is added before the last synapses of a settled layer, whose sums have
// their own scale. Only then do additions keep their order.
bool LastJoins(const IntegerLayer& layer) {
  if (layer.synapses.empty() || layer.synapses.size() > kMostInterleavedSynapses) return false;
  const IntegerSynapses& last = layer.synapses.back();
  return !last.scales.empty() && std::holds_alternative<LevelConv>(last.kernel) &&
         std::ranges::none_of(layer.synapses, [](const IntegerSynapses& s) {
           return std::holds_alternative<LevelShortcut>(s.kernel);
         });
}

// Decides which of the layer's shortcuts join in registers; all others are added to floats. Those
// floats come before the shortcuts that join in registers. So copying a shortcut keeps the order
// only if it is the layer's only one and there are no other floats.
void LimitShortcuts(bool takes_pixels, IntegerLayer& layer) {
  const bool scaled = std::ranges::any_of(
      layer.synapses, [](const IntegerSynapses& s) { return !s.scales.empty(); });
  std::vector<LevelShortcut*> shortcuts;
  for (IntegerSynapses& s : layer.synapses) {
    if (auto* shortcut = std::get_if<LevelShortcut>(&s.kernel)) shortcuts.push_back(shortcut);
  }
  const bool copies = shortcuts.size() == 1 && !takes_pixels && !scaled;
  size_t aligned = 0;
  for (LevelShortcut* shortcut : shortcuts) {
    if (shortcut->access == ShortcutAccess::kAligned && aligned < kMostAlignedShortcuts) {
      ++aligned;
    } else if (shortcut->access != ShortcutAccess::kCopied || !copies) {
      shortcut->access = ShortcutAccess::kAdded;
    }
  }
}

}  // namespace

void FinishSettled(bool takes_pixels, IntegerLayer& layer) {
  CSSRUN_ASSERT(layer.settled() != nullptr);
  LimitShortcuts(takes_pixels, layer);
  auto& neurons = std::get<SettledNeurons>(layer.neurons);
  neurons.adds_floats = takes_pixels;
  size_t convolutions = 0;
  bool events = false;
  for (const IntegerSynapses& s : layer.synapses) {
    if (const auto* shortcut = std::get_if<LevelShortcut>(&s.kernel)) {
      neurons.adds_floats = neurons.adds_floats || shortcut->access == ShortcutAccess::kAdded;
    } else if (!s.scales.empty()) {
      neurons.adds_floats = true;
    } else if (TraitsOf(s.kernel).sums_levels()) {
      ++convolutions;
    } else {
      events = true;
    }
  }
  if (events) {
    neurons.sums = SettledSums::kEvents;
  } else if (convolutions == 0 && LastJoins(layer)) {
    neurons.sums = SettledSums::kJoinedLevels;
    neurons.adds_floats = takes_pixels;
  } else if (convolutions == 0) {
    neurons.sums = SettledSums::kNone;
  } else {
    neurons.sums = convolutions == 1 ? SettledSums::kFusedLevels : SettledSums::kLevels;
  }
}

}  // namespace cssrun::internal
