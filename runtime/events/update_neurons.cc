// Brings neurons up to date, for every instruction set; see event_kernels.h.
//
// All of them compute each number by the same operations in the same order, without fused
// multiply-adds, so all give the same bits. Whole potentials are the same numbers, in 32 bits.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "runtime/assert.h"
#include "runtime/bit_lists.h"
#include "runtime/events/event_kernels.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/events/update_neurons.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/events/update_double-inl.h"
#include "runtime/events/update_whole-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

// Neurons in double precision.
struct DoubleUpdate {
  HWY_INLINE bool operator()(size_t index) {
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
    return again;
  }

  const SpikingLayer& layer;
  uint64_t step;
  EventState& state;
};

// Neurons in whole numbers, in vectors of D.
template <bool kRare, class D>
struct WholeUpdate {
  HWY_INLINE bool operator()(size_t index) {
    return UpdateWhole<kRare>(D(), static_cast<uint32_t>(index), run);
  }

  WholeRun<D> run;
};

// Moves the positions that were reached to a list. Eight bits of a row are listed at once, without
// branches, since their number is practically random.
HWY_INLINE size_t ListReached(size_t width, ReachedPositions& reached, uint32_t* list) {
  const hn::CappedTag<uint32_t, 8> d;
  const hn::Rebind<uint8_t, decltype(d)> bytes;
  size_t count = 0;
  const size_t words_per_row = reached.bits().words_per_row();
  const std::span<uint64_t> rows = reached.rows();
  for (size_t r = 0; r < rows.size(); ++r) {
    uint64_t row_bits = rows[r];
    for (rows[r] = 0; row_bits != 0; row_bits &= row_bits - 1) {
      const size_t row = r * kPositionsOfWord + static_cast<size_t>(std::countr_zero(row_bits));
      uint64_t* words = reached.bits().Row(row).data();
      for (size_t w = 0; w < words_per_row; ++w) {
        uint64_t word = words[w];
        words[w] = 0;
        const size_t end = std::min(width, (w + 1) * kPositionsOfWord);
        for (size_t column = w * kPositionsOfWord; column < end; column += 8) {
          const auto bits = static_cast<uint8_t>(word);
          word >>= 8;
          const auto first = hn::Set(d, static_cast<uint32_t>(row * width + column));
          for (size_t i = 0; i < 8; i += hn::Lanes(d)) {
            const auto listed = hn::PromoteTo(d, hn::LoadU(bytes, kBitLists.bits[bits] + i));
            hn::StoreU(hn::Add(listed, first), d, list + count + i);
          }
          count += kBitLists.counts[bits];
        }
      }
    }
  }
  return count;
}

// Updates all positions that were reached. Those for which `update` returns true are reached at the
// next step, too.
template <class Update>
HWY_INLINE uint64_t UpdatePositions(size_t width, EventState& state, Update& update) {
  const uint32_t* list = state.listed.data();
  const size_t count = ListReached(width, state.reached, state.listed.data());
  for (size_t i = 0; i < count; ++i) {
    if (update(list[i])) state.reached.Add(list[i] / width, list[i] % width, 1);
  }
  return count;
}

template <bool kRare, class D>
HWY_NOINLINE uint64_t UpdateAllWhole(D d, const SpikingLayer& layer, EventState& state) {
  WholeUpdate<kRare, D> update = {WholeRun<D>(layer, state)};
  const uint64_t positions = UpdatePositions(layer.extent.width(), state, update);
  state.rate.Add(positions * (layer.lanes / hn::Lanes(d)), update.run.sent - state.spikes.size);
  state.spikes.size = update.run.sent;
  const auto allowed = hn::Set(d, layer.whole->largest_potential);
  if (!hn::AllFalse(d, hn::Gt(update.run.largest, allowed))) state.LeaveWhole(layer);
  return positions;
}

template <class D>
HWY_INLINE uint64_t UpdateWholeTarget(D d, const SpikingLayer& layer, EventState& state) {
  return state.rate.rare ? UpdateAllWhole<true>(d, layer, state)
                         : UpdateAllWhole<false>(d, layer, state);
}

uint64_t UpdateTarget(const SpikingLayer& layer, uint64_t step, EventState& state) {
  uint64_t positions = 0;
  // A position of few channels does not fill the widest vectors.
  const hn::CappedTag<int32_t, 16> ints;
  const hn::CappedTag<int32_t, 8> few;
  const hn::CappedTag<int32_t, 1> one;
  if (!state.is_whole) {
    DoubleUpdate update = {layer, step, state};
    positions = UpdatePositions(layer.extent.width(), state, update);
  } else if (layer.lanes % hn::Lanes(ints) == 0) {
    positions = UpdateWholeTarget(ints, layer, state);
  } else if (layer.lanes % hn::Lanes(few) == 0) {
    positions = UpdateWholeTarget(few, layer, state);
  } else {
    positions = UpdateWholeTarget(one, layer, state);
  }
  return positions * layer.extent.channels();
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
