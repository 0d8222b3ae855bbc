#include "runtime/integer/step.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "runtime/assert.h"
#include "runtime/integer/bands.h"
#include "runtime/integer/bound_kernel.h"

namespace cssrun::internal {
namespace {

// Only the part with the first block and tile counts SyOPs, each source row with the corresponding
// target rows. Levels are counted once, by the settling step.
uint64_t CountPart(const IntegerLayer& layer, std::span<const SynapseInput> inputs,
                   const LayerPart& part, bool settling, const TileRange& tiles = {}) {
  if (part.first_block != 0 || tiles.first != 0) return 0;
  uint64_t synops = 0;
  for (size_t s = 0; s < inputs.size(); ++s) {
    const FanOut& fan_out = layer.synapses[s].fan_out;
    const size_t sources = fan_out.row_readers.size();
    const size_t rows = layer.membranes.rows;
    const size_t first = part.first_row * sources / rows;
    const size_t last = part.last_row * sources / rows;
    if (inputs[s].spikes != nullptr) {
      synops += CountSynops(fan_out, *inputs[s].spikes, first, last);
    } else if (settling) {
      synops += CountLevelSynops(fan_out, inputs[s].counted, first, last);
    }
  }
  return synops;
}

// Adds all inputs to the rows of a part: add_row(bound, row) for each set of synapses, then
// finish(row).
template <class BindInput, class AddRow, class Finish>
void AddInputs(size_t synapses, const EventTarget& target, const BindInput& bind,
               const AddRow& add_row, const Finish& finish) {
  const LayerPart& part = target.part;
  const auto bind_and_prepare = [&](size_t s) {
    Bound bound = bind(s);
    WithEventKernel(bound, [&](auto& kernel) { kernel.Prepare(target); });
    return bound;
  };
  Bound bound[kMostInterleavedSynapses];
  size_t interleaved = 0;
  if (synapses <= kMostInterleavedSynapses) {
    for (; interleaved < synapses; ++interleaved) {
      bound[interleaved] = bind_and_prepare(interleaved);
    }
  } else {
    for (size_t s = 0; s < synapses; ++s) {
      Bound one = bind_and_prepare(s);
      for (size_t row = part.first_row; row < part.last_row; ++row) add_row(one, row);
    }
  }
  for (size_t row = part.first_row; row < part.last_row; ++row) {
    for (size_t s = 0; s < interleaved; ++s) add_row(bound[s], row);
    finish(row);
  }
}

constexpr ColumnRange kAllColumns;
// Those of a row of membranes, or of a row that is sent.
std::span<const ColumnRange> ColumnsOfRow(const RowRanges* columns, size_t row) {
  return columns == nullptr ? std::span(&kAllColumns, 1) : columns->Of(row);
}

// Copies the levels of a shortcut to where potentials read them: row `number` of the scratch.
AlignedShortcut CopyShortcut(const LevelShortcut& shortcut, const LevelFrame& levels,
                             const SettlingStep& step, size_t row, size_t number) {
  const size_t size = CopiedRow(*step.layer);
  uint8_t* const copied = step.copied.subspan(number * size, size).data();
  for (const ColumnRange& range : ColumnsOfRow(step.columns, row)) {
    CopyLevelShortcut(shortcut, levels, step.layer->membranes, row, range, copied);
  }
  return {copied, shortcut.weight, levels.layout.zero};
}

// The floats of a row, by PotentialInputs.
struct RowFloats {
  float* row = nullptr;
  size_t block_floats = 0;
};

// Those of the layer, to which pixels and shortcuts are added, or scratch for sums that are joined
// soon: for row `number` of the rows that are computed together.
RowFloats FloatsOf(const SettlingStep& step, size_t row, size_t number) {
  const MembraneLayout& layout = step.layer->membranes;
  if (step.floats != nullptr) {
    return {step.floats + layout.MapRowAt(0, row), size_t{layout.rows} * layout.map_lanes()};
  }
  if (step.joined.empty() || step.layer->settled()->sums != SettledSums::kJoinedLevels) return {};
  const size_t size = size_t{layout.lanes.blocks} * layout.map_lanes();
  return {step.joined.subspan(number * size, size).data(), layout.map_lanes()};
}

// What pixels and shortcuts add to the potentials of a row; adds shortcuts of
// ShortcutAccess::kAdded to `step.floats`. `number`: of the row among those computed together.
PotentialInputs FloatInputs(const SettlingStep& step, size_t row, size_t number = 0) {
  const IntegerLayer& layer = *step.layer;
  PotentialInputs inputs;
  const RowFloats floats = FloatsOf(step, row, number);
  inputs.floats = floats.row;
  inputs.block_floats = floats.block_floats;
  for (size_t s = 0; s < layer.synapses.size(); ++s) {
    const auto* shortcut = std::get_if<LevelShortcut>(&layer.synapses[s].kernel);
    if (shortcut == nullptr) continue;
    const LevelFrame& levels = *step.inputs[s].levels;
    if (shortcut->access == ShortcutAccess::kAdded) {
      CSSRUN_ASSERT(step.floats != nullptr);
      AddLevelShortcut(*shortcut, levels, layer.membranes, row, step.floats);
      continue;
    }
    CSSRUN_ASSERT(inputs.shortcut_count < kMostAlignedShortcuts);
    if (shortcut->access == ShortcutAccess::kCopied) {
      inputs.shortcuts[inputs.shortcut_count++] =
          CopyShortcut(*shortcut, levels, step, row, number);
      continue;
    }
    const SourceRows sources = SourceRowsOf(*shortcut, row);
    if (sources.first >= sources.last) continue;
    inputs.shortcuts[inputs.shortcut_count++] = {levels.Row(sources.first), shortcut->weight,
                                                 levels.layout.zero};
  }
  return inputs;
}

// Whether sums become potentials in registers.
bool SumsAreFused(const SettlingStep& step) {
  const SettledSums sums = step.layer->settled()->sums;
  return step.pixels != nullptr || sums == SettledSums::kFusedLevels ||
         sums == SettledSums::kJoinedLevels;
}

// Whether levels leave the kernel that sums: no pool, spike or dead zone comes in between.
bool SumsBecomeLevels(const SettlingStep& step) {
  return step.dead_zone == nullptr && std::holds_alternative<LevelsTarget>(step.sends) &&
         !step.layer->pools.pooled() && SumsAreFused(step);
}

// Where the sums of a set of synapses go if there are several sets. `first`: the sums before which
// nothing was stored.
SumMode ModeOf(const IntegerSynapses& synapses, bool first) {
  if (!synapses.scales.empty()) return SumMode::kAddFloats;
  return first ? SumMode::kStore : SumMode::kJoin;
}

// The part of a target that the rows of a step share.
template <class K>
LevelTarget TargetOf(const BoundLevels<K>& bound, const SettlingStep& step,
                     const SettledRow& settled) {
  LevelTarget target;
  target.settled = &settled;
  target.mode = bound.mode;
  target.tiles = step.tiles;
  target.level_sums = step.level_sums.data();
  target.joins_floats = settled.neurons->sums == SettledSums::kJoinedLevels;
  if (bound.mode == SumMode::kLevels) {
    const auto& sends = std::get<LevelsTarget>(step.sends);
    target.rule = sends.rule;
    target.bounds = sends.bounds;
  }
  return target;
}

// Completes `target` for a row. Returns whether any of its columns are computed. `inputs`: what
// else joins the row's potentials, if the kernel computes them. `number`: of the row among those
// that are computed together.
template <class K>
bool AimAtRow(const BoundLevels<K>& bound, const SettlingStep& step, const PotentialInputs& inputs,
              size_t row, size_t number, LevelTarget& target) {
  if (step.columns != nullptr) {
    target.columns = step.columns->Of(row);
    if (target.columns.empty()) return false;
  }
  if (bound.mode == SumMode::kLevels) {
    const auto& sends = std::get<LevelsTarget>(step.sends);
    target.levels = sends.levels->Row(row);
    if (sends.far_levels != nullptr) target.far_levels = sends.far_levels->Row(row);
  }
  target.inputs = &inputs;
  if (ToFloats(bound.mode)) {
    const RowFloats floats = FloatsOf(step, row, number);
    target.floats = floats.row;
    target.block_floats = floats.block_floats;
  }
  return true;
}

template <class K>
void SumRow(const BoundLevels<K>& bound, const SettlingStep& step, const PotentialInputs& inputs,
            size_t row, size_t number, LevelTarget& target) {
  if (!AimAtRow(bound, step, inputs, row, number, target)) return;
  bound.sum(*bound.kernel, *bound.levels, target, row);
}

// Writes the spikes or levels of the potentials in row `row` of `settled`.
void SendRow(const SettlingStep& step, const SettledRow& settled, size_t row, size_t spike_row,
             const ColumnRange& columns) {
  if (step.dead_zone != nullptr) KeepLevels(settled, *step.dead_zone, row, spike_row, columns);
  if (const auto* levels = std::get_if<LevelsTarget>(&step.sends)) {
    WriteLevels(settled, *levels, row, spike_row, columns);
  } else {
    WriteDigits(settled, std::get<DigitsTarget>(step.sends), row, spike_row, columns);
  }
}

// Counts the spikes of rows of levels that have just been written, while they are near.
void CountSent(const SettlingStep& step, size_t first, size_t rows) {
  const auto* levels = std::get_if<LevelsTarget>(&step.sends);
  if (levels == nullptr || levels->row_spikes.empty()) return;
  const size_t neurons = levels->columns * step.layer->membranes.lanes.stride();
  CountLevelSpikes(*levels->levels, *levels->rule, neurons, levels->row_spikes.subspan(first, rows),
                   first);
}

// Rounds a row and writes its spikes or levels; those of pools come later, in RunPoolStep().
void SettleRow(const SettlingStep& step, const SettledRow& settled, size_t row) {
  const std::span<const ColumnRange> columns = ColumnsOfRow(step.columns, row);
  if (SumsBecomeLevels(step) || columns.empty()) return;
  const bool fused = SumsAreFused(step);
  const PotentialInputs inputs = fused ? PotentialInputs() : FloatInputs(step, row);
  for (const ColumnRange& range : columns) {
    if (!fused) RoundPotentials(settled, inputs, row, range);
    if (!step.layer->pools.pooled()) SendRow(step, settled, row, row, range);
  }
}

// The number of turns in which a kernel computes its tiles. If weights do not stay near, several
// rows share each tile of targets before the next, so that weights come from memory once for all of
// them.
template <class K>
uint32_t TurnsOf(const K& kernel) {
  if constexpr (std::is_same_v<K, LevelConv>) {
    if (kernel.size() > kNearWeights) return kernel.tiles;
  }
  return 1;
}

// Rows that are computed together, if only level kernels sum.
size_t RowsTogether(const IntegerLayer& layer) {
  const auto shares = [](const IntegerSynapses& s) {
    const auto* conv = std::get_if<LevelConv>(&s.kernel);
    return conv != nullptr && (TurnsOf(*conv) > 1 || !conv->winograd.empty());
  };
  return std::ranges::any_of(layer.synapses, shares) ? kMostRowsTogether : 1;
}

// Whether all columns of rows [first, first + rows) are computed.
bool RowsAreWhole(const SettlingStep& step, size_t first, size_t rows) {
  if (step.columns == nullptr) return true;
  for (size_t row = first; row < first + rows; ++row) {
    const std::span<const ColumnRange> ranges = step.columns->Of(row);
    const uint32_t columns = step.layer->membranes.columns;
    if (ranges.size() != 1 || ranges[0].last - ranges[0].first != columns) return false;
  }
  return true;
}

// Sums the rows from `first` on by Winograd's products, if the kernel has them. `shared`: what the
// rows share. Returns whether it has.
bool SumRowsByWinograd(const BoundLevels<LevelConv>& bound, const SettlingStep& step,
                       std::span<const PotentialInputs> inputs, size_t first,
                       const LevelTarget& shared) {
  const LevelConv& kernel = *bound.kernel;
  if (kernel.winograd.empty()) return false;
  const WinogradKernel winograd = ResolveWinograd();
  if (winograd.sum == nullptr) return false;
  const bool stacks = kernel.winograd.stacked > 1;
  const bool takes_turns = !stacks && TurnsOf(kernel) > 1;
  if (stacks && !RowsAreWhole(step, first, inputs.size())) return false;
  static_assert(kMostRowsTogether <= kMostWinogradRows);
  LevelTarget targets[kMostRowsTogether];
  // Neighbouring rows of which columns are computed, and the row behind them of which none are.
  for (size_t begin = 0, end = 0; begin < inputs.size(); begin = end + 1) {
    for (end = begin; end < inputs.size(); ++end) {
      targets[end] = shared;
      if (!AimAtRow(bound, step, inputs[end], first + end, end, targets[end])) break;
    }
    if (begin == end) continue;
    const auto rows = std::span(targets).subspan(begin, end - begin);
    for (size_t r = 0; takes_turns && r < rows.size(); ++r) rows[r].ahead = {r, rows.size()};
    const WinogradRows factors =
        winograd.fill(kernel, *bound.levels, rows, first + begin, step.winograd);
    winograd.sum(kernel, *bound.levels, factors, rows, first + begin);
  }
  return true;
}

// Sums `inputs.size()` rows from `first` on.
template <class K>
void SumRows(const BoundLevels<K>& bound, const SettlingStep& step, const SettledRow& settled,
             std::span<const PotentialInputs> inputs, size_t first) {
  LevelTarget target = TargetOf(bound, step, settled);
  if constexpr (std::is_same_v<K, LevelConv>) {
    if (SumRowsByWinograd(bound, step, inputs, first, target)) return;
  }
  const uint32_t turns = TurnsOf(*bound.kernel);
  const uint32_t last = std::min(turns, step.tiles.last);
  for (uint32_t t = turns > 1 ? step.tiles.first : 0; t < last; ++t) {
    if (turns > 1) target.tiles = {t, t + 1};
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (turns > 1) target.ahead = {i, inputs.size()};
      SumRow(bound, step, inputs[i], first + i, i, target);
    }
  }
}

// A layer whose potentials are computed in the registers that hold the sums of `last`. The sums of
// `others` are in memory by then.
template <class K>
void RunFusedLevels(const BoundLevels<K>& last, std::span<const Bound> others,
                    const SettlingStep& step, const SettledRow& settled) {
  PotentialInputs inputs[kMostRowsTogether];
  const size_t together = RowsTogether(*step.layer);
  for (size_t first = step.part.first_row; first < step.part.last_row; first += together) {
    const size_t rows = std::min(together, step.part.last_row - first);
    for (const Bound& other : others) {
      WithLevels(other, [&](const auto& bound) {
        SumRows(bound, step, settled, std::span(inputs).first(rows), first);
      });
    }
    for (size_t i = 0; i < rows; ++i) {
      // Otherwise shortcuts would be added to floats that nothing has set.
      if (ColumnsOfRow(step.columns, first + i).empty()) continue;
      inputs[i] = FloatInputs(step, first + i, i);
    }
    SumRows(last, step, settled, std::span(inputs).first(rows), first);
    for (size_t i = 0; i < rows; ++i) SettleRow(step, settled, first + i);
    if (!step.layer->pools.pooled() && step.tiles.all()) CountSent(step, first, rows);
  }
}

void RunFusedLevels(const SettlingStep& step, const SettledRow& settled) {
  const auto& synapses = step.layer->synapses;
  const SumMode mode = SumsBecomeLevels(step) ? SumMode::kLevels : SumMode::kPotential;
  if (step.pixels != nullptr) {
    const LevelConv& kernel = *step.layer->pixel_conv;
    RunFusedLevels(BoundLevels<LevelConv>{&kernel, step.pixels, Resolve(kernel), mode}, {}, step,
                   settled);
    return;
  }
  Bound others[kMostInterleavedSynapses];
  size_t count = 0;
  std::optional<Bound> last;
  for (size_t s = 0; s < synapses.size(); ++s) {
    if (!TraitsOf(synapses[s].kernel).sums_levels()) {  // among the inputs
      CSSRUN_ASSERT(std::holds_alternative<LevelShortcut>(synapses[s].kernel));
    } else if (settled.neurons->sums == SettledSums::kJoinedLevels && s + 1 < synapses.size()) {
      CSSRUN_ASSERT(count < kMostInterleavedSynapses);
      // Pixels are in the layer's floats.
      const SumMode sums =
          count == 0 && step.floats == nullptr ? SumMode::kSetFloats : SumMode::kAddFloats;
      others[count++] = BindLevels(synapses[s], step.inputs[s], sums);
    } else {
      last = BindLevels(synapses[s], step.inputs[s], mode);
    }
  }
  CSSRUN_ASSERT(last.has_value());
  WithLevels(*last, [&](const auto& bound) {
    RunFusedLevels(bound, std::span<const Bound>(others, count), step, settled);
  });
}

}  // namespace

size_t CopiedRow(const IntegerLayer& layer) {
  for (const IntegerSynapses& s : layer.synapses) {
    const auto* shortcut = std::get_if<LevelShortcut>(&s.kernel);
    if (shortcut == nullptr || shortcut->access != ShortcutAccess::kCopied) continue;
    return RoundUpToLines(layer.membranes.columns * size_t{layer.membranes.lanes.stride()});
  }
  return 0;
}

size_t JoinedFloats(const IntegerLayer& layer) {
  if (layer.settled() == nullptr || layer.settled()->sums != SettledSums::kJoinedLevels) return 0;
  return RowsTogether(layer) * layer.membranes.lanes.blocks * layer.membranes.map_lanes();
}

size_t WinogradRoomOf(const IntegerLayer& layer) {
  size_t room = 0;
  for (const IntegerSynapses& s : layer.synapses) {
    const auto* conv = std::get_if<LevelConv>(&s.kernel);
    if (conv != nullptr) room = std::max(room, WinogradRoom(*conv, kMostRowsTogether));
  }
  return room;
}

bool PrefetchesLevels(const SettlingStep& step) {
  if (!SumsBecomeLevels(step)) return false;
  if (step.pixels != nullptr) return PrefetchesLevels(*step.layer->pixel_conv);
  // The last kernel that sums writes the levels.
  const LevelConv* last = nullptr;
  for (const IntegerSynapses& s : step.layer->synapses) {
    if (TraitsOf(s.kernel).sums_levels()) last = std::get_if<LevelConv>(&s.kernel);
  }
  return last != nullptr && TurnsOf(*last) == 1 && PrefetchesLevels(*last);
}

uint64_t RunEventStep(const EventStep& step) {
  const IntegerLayer& layer = *step.layer;
  const NeuronStep& neurons = step.neurons;
  CSSRUN_ASSERT(step.inputs.empty() || step.inputs.size() == layer.synapses.size());
  const EventTarget target{&layer.membranes, neurons.part, neurons.membranes};
  if (step.pixels.potentials != nullptr) {
    AddPixels(step.pixels, layer.membranes, neurons.part, neurons.growth.beta, neurons.membranes);
  }
  const uint64_t synops =
      step.counts_synops ? CountPart(layer, step.inputs, neurons.part, false) : 0;
  if (layer.idle_until_last_step()) return synops;
  const FireRowFunction fire = ResolveFireRow();
  AddInputs(
      step.inputs.size(), target,
      [&](size_t s) { return BindEvents(layer.synapses[s], step.inputs[s]); },
      [&](Bound& bound, size_t row) {
        WithEventKernel(bound, [&](auto& kernel) { kernel.AddRow(target, row); });
      },
      [&](size_t row) { fire(neurons, row); });
  return synops;
}

uint64_t RunSettlingStep(const SettlingStep& step) {
  const IntegerLayer& layer = *step.layer;
  CSSRUN_ASSERT(layer.settled() != nullptr && step.inputs.size() == layer.synapses.size());
  // Digits are written for all blocks of a row.
  CSSRUN_ASSERT(step.part.first_block == 0 && step.part.last_block == layer.membranes.lanes.blocks);
  const SettledRow settled{layer.settled(), &layer.membranes, layer.rectify, step.membranes};
  const EventTarget target{&layer.membranes, step.part, step.membranes};
  CSSRUN_ASSERT(step.tiles.all() || TileKernelOf(step) != nullptr);
  const uint64_t synops =
      step.counts_synops ? CountPart(layer, step.inputs, step.part, true, step.tiles) : 0;
  if (SumsAreFused(step)) {
    RunFusedLevels(step, settled);
    return synops;
  }
  bool first_sums = settled.neurons->sums == SettledSums::kLevels;
  AddInputs(
      step.inputs.size(), target,
      [&](size_t s) -> Bound {
        const IntegerSynapses& synapses = layer.synapses[s];
        if (!TraitsOf(synapses.kernel).sums_levels()) return BindEvents(synapses, step.inputs[s]);
        const SumMode mode = ModeOf(synapses, first_sums);
        first_sums = false;
        return BindLevels(synapses, step.inputs[s], mode);
      },
      [&](Bound& bound, size_t row) {
        WithEventKernel(bound, [&](auto& kernel) { kernel.AddRow(target, row); });
        WithLevels(bound, [&](const auto& levels) {
          LevelTarget sums = TargetOf(levels, step, settled);
          SumRow(levels, step, {}, row, 0, sums);
        });
      },
      [&](size_t row) {
        SettleRow(step, settled, row);
        if (!layer.pools.pooled()) CountSent(step, row, 1);
      });
  return synops;
}

const LevelConv* TileKernelOf(const SettlingStep& step) {
  const IntegerLayer& layer = *step.layer;
  if (layer.settled() == nullptr || layer.settled()->sums != SettledSums::kFusedLevels ||
      step.pixels != nullptr || step.floats != nullptr) {
    return nullptr;
  }
  if (!layer.pools.pooled() && !SumsBecomeLevels(step)) return nullptr;
  const LevelConv* kernel = nullptr;
  for (const IntegerSynapses& s : layer.synapses) {
    if (const auto* conv = std::get_if<LevelConv>(&s.kernel)) kernel = conv;
  }
  return kernel;
}

void CountSentLevels(const SettlingStep& step) {
  if (!step.layer->pools.pooled()) CountSent(step, 0, step.layer->membranes.rows);
}

void RunPoolStep(const SettlingStep& step, size_t first_pool, size_t last_pool,
                 std::span<int16_t> room) {
  const IntegerLayer& layer = *step.layer;
  const MembraneLayout pooled = PooledRowLayout(layer.membranes, layer.pools);
  CSSRUN_ASSERT(layer.pools.windows.has_value() && pooled.size() <= room.size());
  const SettledRow settled{layer.settled(), &pooled, layer.rectify, room.data()};
  for (size_t row = first_pool; row < last_pool; ++row) {
    for (const ColumnRange& range : ColumnsOfRow(step.sent_columns, row)) {
      PoolPotentials(layer.membranes, layer.pools, step.membranes, row, room.data(), range);
      SendRow(step, settled, 0, row, range);
    }
    CountSent(step, row, 1);
  }
}

}  // namespace cssrun::internal
