// Brings neurons up to date, for every instruction set; see event_kernels.h.
//
// Each number is computed by the same operations in the same order in all of them, without fused
// multiply-adds, so that all give the same bits. Whole potentials are the same numbers, in 32 bits.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "runtime/assert.h"
#include "runtime/events/event_kernels.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/events/update_neurons.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/events/update_double-inl.h"
#include "runtime/events/update_whole-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

HWY_INLINE void UpdatePosition(const SpikingLayer& layer, size_t row, size_t column, uint64_t step,
                               EventState& state) {
  const size_t index = row * layer.extent.width() + column;
  CSSRUN_ASSERT(state.done[index] <= step);
  const Position position{layer.ParametersAt(index), index * layer.lanes,
                          static_cast<uint32_t>(index), step - state.done[index]};
  state.done[index] = step + 1;
  const size_t vector = hn::Lanes(Doubles());
  bool again = false;
  if (layer.lanes % vector == 0) {
    for (size_t lane = 0; lane < layer.lanes; lane += vector) {
      again |= UpdateVector(layer, position, lane, state);
    }
  } else {
    for (size_t lane = 0; lane < layer.extent.channels(); ++lane) {
      again |= UpdateNeuron(layer, position, lane, state);
    }
  }
  if (again) state.reached.Add(row, column, 1);
}

HWY_INLINE void UpdateWholePosition(const SpikingLayer& layer, size_t row, size_t column,
                                    EventState& state, WholeRun& run) {
  const size_t index = row * layer.extent.width() + column;
  run.position = static_cast<uint32_t>(index);
  run.parameters = layer.ParametersAt(index);
  run.at = index * layer.lanes;
  run.again = false;
  const size_t vector = hn::Lanes(FewInts());
  if (layer.lanes % vector == 0) {
    for (size_t lane = 0; lane < layer.lanes; lane += vector) {
      UpdateWholeVector(layer, lane, state, run);
    }
  } else {
    for (size_t lane = 0; lane < layer.extent.channels(); ++lane) {
      UpdateWholeNeuron(layer, lane, state, run);
    }
  }
  if (run.again) state.reached.Add(row, column, 1);
}

template <bool kWhole>
HWY_INLINE uint64_t UpdatePositions(const SpikingLayer& layer, uint64_t step, EventState& state,
                                    WholeRun& run) {
  uint64_t positions = 0;
  std::vector<uint64_t>& rows = state.reached.rows();
  for (size_t r = 0; r < rows.size(); ++r) {
    uint64_t row_bits = rows[r];
    for (rows[r] = 0; row_bits != 0; row_bits &= row_bits - 1) {
      const size_t row =
          r * PositionSet::kWordBits + static_cast<size_t>(std::countr_zero(row_bits));
      uint64_t* words = state.reached.Row(row);
      for (size_t w = 0; w < state.reached.words_per_row(); ++w) {
        uint64_t bits = words[w];
        positions += static_cast<uint64_t>(std::popcount(bits));
        for (words[w] = 0; bits != 0; bits &= bits - 1) {
          const size_t column =
              w * PositionSet::kWordBits + static_cast<size_t>(std::countr_zero(bits));
          if constexpr (kWhole) {
            UpdateWholePosition(layer, row, column, state, run);
          } else {
            UpdatePosition(layer, row, column, step, state);
          }
        }
      }
    }
  }
  return positions * layer.extent.channels();
}

uint64_t UpdateTarget(const SpikingLayer& layer, uint64_t step, EventState& state) {
  WholeRun run;
  if (!state.is_whole) return UpdatePositions<false>(layer, step, state, run);
  const uint64_t updates = UpdatePositions<true>(layer, step, state, run);
  if (run.outside) state.LeaveWhole(layer);
  return updates;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(UpdateTarget);

double LeakFor(double potential, double decay, uint64_t steps) {
  if (decay == 1 || !std::isfinite(potential)) return potential;
  for (uint64_t k = 0; k < steps && potential != 0; ++k) {
    const double next = decay * potential;
    potential = std::abs(next) < kSmallestPotential ? 0.0 : next;
  }
  return potential;
}

uint64_t UpdateReached(const SpikingLayer& layer, uint64_t step, EventState& state) {
  if (state.reached.empty()) return 0;
  return HWY_DYNAMIC_DISPATCH(UpdateTarget)(layer, step, state);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
