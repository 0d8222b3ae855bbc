// What one source row brings: through shortcuts, a word of spikes at a time; through convolutions
// that roll, see roll-inl.h.
#if defined(CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/lanes-inl.h"
#include "runtime/integer/roll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

inline void AccumulateIdentity(const IntegerSynapses& s, const LayerStep& step,
                               const uint64_t* words, int16_t* membranes) {
  const Lanes16 d;
  const size_t end = s.piece_bounds[step.part.last_block];
  for (size_t p = s.piece_bounds[step.part.first_block]; p < end; ++p) {
    const ShortcutPiece piece = s.pieces[p];
    const uint64_t word = words[piece.word] >> piece.first;
    const auto ups = static_cast<uint32_t>(word) & piece.mask;
    const auto downs = static_cast<uint32_t>(word >> kChunkLanes) & piece.mask;
    const int16_t* weights = s.identity.get() + size_t{piece.word} * kChunkLanes + piece.first;
    for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
      int16_t* at = membranes + piece.lane + i;
      const auto weight = hn::LoadU(d, weights + i);
      const auto up = hn::IfThenElseZero(MaskOf(ups, i), weight);
      const auto down = hn::IfThenElseZero(MaskOf(downs, i), weight);
      hn::StoreU(hn::SaturatedSub(hn::SaturatedAdd(hn::LoadU(d, at), up), down), d, at);
    }
  }
}

// SyOPs of one row's spikes.
inline uint64_t CountSynops(const IntegerSynapses& s, const SpikeFrame& frame, size_t row) {
  if (s.rows[row].readers == 0) return 0;
  const uint64_t* words = frame.Row(row);
  int64_t columns = int64_t{frame.counts[row]} * s.usual_fan_out;
  for (const IntegerSynapses::FanOutException& e : s.exceptions) {
    columns += std::popcount(words[e.word] & e.mask) * int64_t{e.difference};
  }
  return static_cast<uint64_t>(columns) * s.rows[row].readers * s.target_channels;
}

// The spikes of source row `row` into the step's rows and blocks, as far as they reach.
inline void AccumulateRow(const IntegerSynapses& s, const LayerStep& step, const SpikeFrame& frame,
                          size_t row) {
  const RowPlan& plan = s.rows[row];
  const size_t first = std::max<size_t>(plan.first, step.part.first_row);
  const size_t last = std::min<size_t>(plan.first + plan.count, step.part.last_row);
  if (first >= last || frame.counts[row] == 0) return;
  if (s.kind == AccumulateKind::kIdentity) {
    AccumulateIdentity(s, step, frame.Row(row), step.membranes + first * step.layer->row_lanes);
  } else {
    RollRow(s, step, frame, row, first, last);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
