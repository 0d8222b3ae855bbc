// Adds weights of spikes to the inputs of neurons, for every instruction set; see event_kernels.h.
//
// Sums are exact, so that their order is free: the spikes of one position are added together, and
// where all targets are at one position, those of the whole step. Sums then stay in registers.
#include <algorithm>
#include <cmath>

#include "runtime/assert.h"
#include "runtime/events/event_kernels.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/events/scatter_spikes.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Ints = hn::ScalableTag<int32_t>;
using FewInts = hn::CappedTag<int32_t, 8>;  // what a position of few channels fills
#if HWY_HAVE_FLOAT64
using Doubles = hn::ScalableTag<double>;
#else
using Doubles = hn::CappedTag<double, 1>;
#endif

constexpr size_t kMostRows = 64;

// The weights of a spike, and how often they are added.
struct Row {
  const int32_t* weights;
  int32_t number;
  double value;  // the number, or what is sent instead, in units of the target
};

// Rows that are added together.
struct Rows {
  HWY_INLINE void Add(const int32_t* weights, const SpikeList& spikes, size_t spike, double unit) {
    const int32_t number = spikes.valued ? 0 : spikes.numbers[spike];
    const double value = spikes.valued ? spikes.values[spike] : static_cast<double>(number);
    items[size++] = {weights, number, value * unit};
  }
  size_t size = 0;
  Row items[kMostRows];
};

template <class D>
HWY_INLINE void AddVector(D d, const Rows& rows, size_t offset, int32_t* HWY_RESTRICT to) {
  auto sum = hn::LoadU(d, to);
  for (size_t k = 0; k < rows.size; ++k) {
    const auto weight = hn::LoadU(d, rows.items[k].weights + offset);
    sum = hn::Add(sum, hn::Mul(weight, hn::Set(d, rows.items[k].number)));
  }
  hn::StoreU(sum, d, to);
}

template <class D>
HWY_INLINE void AddFourVectors(D d, const Rows& rows, size_t offset, int32_t* HWY_RESTRICT to) {
  const size_t lanes = hn::Lanes(d);
  auto a = hn::LoadU(d, to);
  auto b = hn::LoadU(d, to + lanes);
  auto c = hn::LoadU(d, to + 2 * lanes);
  auto e = hn::LoadU(d, to + 3 * lanes);
  for (size_t k = 0; k < rows.size; ++k) {
    const int32_t* HWY_RESTRICT weights = rows.items[k].weights + offset;
    const auto number = hn::Set(d, rows.items[k].number);
    a = hn::Add(a, hn::Mul(hn::LoadU(d, weights), number));
    b = hn::Add(b, hn::Mul(hn::LoadU(d, weights + lanes), number));
    c = hn::Add(c, hn::Mul(hn::LoadU(d, weights + 2 * lanes), number));
    e = hn::Add(e, hn::Mul(hn::LoadU(d, weights + 3 * lanes), number));
  }
  hn::StoreU(a, d, to);
  hn::StoreU(b, d, to + lanes);
  hn::StoreU(c, d, to + 2 * lanes);
  hn::StoreU(e, d, to + 3 * lanes);
}

// Adds `count` weights of each row, from `offset` on.
HWY_INLINE void AddRows(const Rows& rows, size_t offset, size_t count, int32_t* HWY_RESTRICT to) {
  const Ints d;
  const FewInts few;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) AddFourVectors(d, rows, offset + i, to + i);
  for (; i + lanes <= count; i += lanes) AddVector(d, rows, offset + i, to + i);
  for (; i + hn::Lanes(few) <= count; i += hn::Lanes(few)) {
    AddVector(few, rows, offset + i, to + i);
  }
  for (; i < count; ++i) {
    for (size_t k = 0; k < rows.size; ++k) {
      to[i] += rows.items[k].number * rows.items[k].weights[offset + i];
    }
  }
}

// The same in double precision.
HWY_INLINE void AddRows(const Rows& rows, size_t offset, size_t count, double* HWY_RESTRICT to) {
  const Doubles d;
  const hn::Rebind<int32_t, Doubles> ints;
  const size_t lanes = hn::Lanes(d);
  for (size_t k = 0; k < rows.size; ++k) {
    const int32_t* HWY_RESTRICT weights = rows.items[k].weights + offset;
    const double value = rows.items[k].value;
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      const auto weight = hn::PromoteTo(d, hn::LoadU(ints, weights + i));
      hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::Mul(hn::Set(d, value), weight)), d, to + i);
    }
    for (; i < count; ++i) to[i] += value * static_cast<double>(weights[i]);
  }
}

HWY_INLINE void AddTo(EventState& target, size_t at, const Rows& rows, size_t offset,
                      size_t count) {
  if (target.wide) {
    AddRows(rows, offset, count, target.inputs.get() + at);
  } else {
    AddRows(rows, offset, count, target.sums.get() + at);
  }
}

// How often a weight is added: at least once for each spike.
HWY_INLINE uint64_t TimesOf(const EventConnection& connection, const SpikeList& spikes, size_t i) {
  if (connection.valued) return 1;
  if (spikes.valued) return static_cast<uint64_t>(std::max(1.0, std::abs(spikes.values[i])));
  return static_cast<uint64_t>(std::max<int64_t>(1, std::abs(int64_t{spikes.numbers[i]})));
}

// What does not change during a scatter.
struct Scatter {
  const EventConnection& connection;
  const SpikingLayer& layer;
  size_t row_taps;      // weights of a row of taps
  size_t channel_taps;  // of a source channel
};

// Adds the rows of spikes at one source position. `channel`: of the first target. Returns the
// number of target positions.
HWY_INLINE uint64_t AddAtPosition(const Scatter& scatter, uint32_t source_row,
                                  uint32_t source_column, const Rows& rows, size_t channel,
                                  EventState& target) {
  const EventConnection& connection = scatter.connection;
  const size_t lanes = scatter.layer.lanes;
  const auto columns = connection.columns.RunsOf(source_column);
  uint64_t reached = 0;
  for (const AxisRun& run_of_rows : connection.rows.RunsOf(source_row)) {
    for (uint32_t k = 0; k < run_of_rows.count; ++k) {
      const size_t row = run_of_rows.target + k;
      const size_t row_offset = (run_of_rows.tap + k) * scatter.row_taps;
      for (const AxisRun& run : columns) {
        size_t at = (row * scatter.layer.extent.width() + run.target) * lanes + channel;
        size_t offset = row_offset + run.tap * connection.tap_size;
        if (connection.groups == 1) {
          AddTo(target, at, rows, offset, run.count * lanes);
        } else {
          for (uint32_t x = 0; x < run.count; ++x, at += lanes, offset += connection.tap_size) {
            AddTo(target, at, rows, offset, connection.group_targets);
          }
        }
        target.reached.Add(row, run.target, run.count);
        reached += run.count;
      }
    }
  }
  return reached;
}

// With one target position, all spikes meet there.
uint64_t ScatterToOne(const Scatter& scatter, const SpikeList& spikes, uint32_t source_width,
                      EventState& target) {
  const EventConnection& connection = scatter.connection;
  const size_t lanes = scatter.layer.lanes;
  uint64_t added = 0;
  Rows rows;
  for (size_t i = 0; i < spikes.size; ++i) {
    const int32_t* weights = connection.weights.get() + spikes.channels[i] * scatter.channel_taps;
    const uint64_t times = TimesOf(connection, spikes, i);
    for (const AxisRun& row : connection.rows.RunsOf(spikes.positions[i] / source_width)) {
      for (const AxisRun& run : connection.columns.RunsOf(spikes.positions[i] % source_width)) {
        const size_t offset = row.tap * scatter.row_taps + run.tap * connection.tap_size;
        rows.Add(weights + offset, spikes, i, scatter.layer.unit);
        added += times;
        if (rows.size < kMostRows) continue;
        AddTo(target, 0, rows, 0, lanes);
        rows.size = 0;
      }
    }
  }
  if (rows.size > 0) AddTo(target, 0, rows, 0, lanes);
  if (added > 0) target.reached.Add(0, 0, 1);
  return added * connection.group_targets;
}

uint64_t ScatterTarget(const EventConnection& connection, const SpikeList& spikes,
                       uint32_t source_width, const SpikingLayer& layer, EventState& target) {
  const size_t row_taps = connection.columns.kernel_index.size() * connection.tap_size;
  const Scatter scatter{connection, layer, row_taps,
                        connection.rows.kernel_index.size() * row_taps};
  if (connection.groups == 1 && layer.positions() == 1) {
    return ScatterToOne(scatter, spikes, source_width, target);
  }
  // Spikes of other groups go to other channels.
  const size_t most = connection.groups == 1 ? kMostRows : 1;
  uint64_t added = 0;
  Rows rows;
  for (size_t i = 0; i < spikes.size;) {
    const uint32_t position = spikes.positions[i];
    const size_t channel = spikes.channels[i] / connection.group_sources * connection.group_targets;
    uint64_t times = 0;
    for (rows.size = 0; rows.size < most && i < spikes.size; ++i) {
      if (spikes.positions[i] != position) break;
      const size_t weights = spikes.channels[i] * scatter.channel_taps;
      rows.Add(connection.weights.get() + weights, spikes, i, layer.unit);
      times += TimesOf(connection, spikes, i);
    }
    const uint64_t reached =
        AddAtPosition(scatter, position / source_width, position % source_width, rows,
                      connection.groups == 1 ? 0 : channel, target);
    added += reached * times * connection.group_targets;
  }
  return added;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(ScatterTarget);

uint64_t ScatterSpikes(const EventConnection& connection, const SpikeList& spikes,
                       uint32_t source_width, const SpikingLayer& layer, EventState& target) {
  if (spikes.empty()) return 0;
  return HWY_DYNAMIC_DISPATCH(ScatterTarget)(connection, spikes, source_width, layer, target);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
