#include "runtime/integer/spike_lists.h"

#include <algorithm>

namespace cssrun::internal {

void Reserve(const IntegerSynapses& synapses, SpikeLists& lists) {
  if (synapses.kind != AccumulateKind::kGather) return;
  const GatherPlan& plan = synapses.gather;
  const auto reserve = [](auto& list, size_t size) { list.resize(std::max(list.size(), size)); };
  const size_t positions = synapses.rows.size() * synapses.source_columns;
  for (auto* list : {&lists.up, &lists.down}) {
    reserve(*list, positions * synapses.source_stride + SpikeLists::kSlack);
  }
  // Every neuron that reaches the row may fire.
  size_t most_rows = 0;
  for (size_t y = 0; y + 1 < plan.row_bounds.size(); ++y) {
    most_rows = std::max<size_t>(most_rows, plan.row_bounds[y + 1] - plan.row_bounds[y]);
  }
  size_t all_columns = 0;
  for (const GatherPlan::SourceColumns& c : plan.columns) all_columns += c.last - c.first + 1;
  for (TileLists* tiles : {&lists.tile_up, &lists.tile_down}) {
    reserve(tiles->numbers, most_rows * all_columns * synapses.source_stride +
                                size_t{4} * plan.tiles + SpikeLists::kSlack);
    reserve(tiles->ranges, plan.tiles);
  }
  for (auto* bounds : {&lists.up_bounds, &lists.down_bounds}) {
    reserve(*bounds, positions * synapses.gather.column_words + 1);
  }
}

}  // namespace cssrun::internal
