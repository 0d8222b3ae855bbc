// Adds weights of spikes to the inputs of neurons, for every instruction set; see event_kernels.h.
//
// Sums are exact, so that their order is free: the spikes of one position are added together, and
// where all targets are at one position, those of the whole step. Sums then stay in registers.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "runtime/events/event_kernels.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/events/scatter_spikes.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_HAVE_FLOAT64
using Doubles = hn::ScalableTag<double>;
#else
using Doubles = hn::CappedTag<double, 1>;
#endif

// Vectors of so many lanes at most may be wider than a position.
constexpr size_t kFewLanes = 8;
// Spikes that are added together; of more than that, so many at a time.
constexpr size_t kMostRows = 64;

// The number of a spike, in units of the target where T is double.
template <class T>
HWY_INLINE T NumberOf(const SpikeList& spikes, size_t spike, double unit) {
  if constexpr (std::is_same_v<T, int32_t>) {
    return spikes.numbers[spike];
  } else {
    return unit * (spikes.valued ? spikes.values[spike] : spikes.numbers[spike]);
  }
}

// The weights of spikes that are added together, and how often.
template <class T>
struct Rows {
  const int32_t* weights[kMostRows];
  T numbers[kMostRows];
  size_t count = 0;
};

// Rows of targets one below another, and what lies from one to the next.
struct Block {
  size_t height;
  size_t row_lanes;
  size_t row_taps;
};

// Adds kVectors vectors of each row to each row of targets. Their sums stay in registers; a loop
// over an array of them would not do that with every compiler. kOne: there is a single row, as most
// events of a camera are.
template <size_t kVectors, bool kOne, class D>
HWY_INLINE void AddVectors(D d, const Rows<int32_t>& from, const Block& block, size_t offset,
                           int32_t* HWY_RESTRICT to) {
  static_assert(1 <= kVectors && kVectors <= 4);
  const size_t lanes = hn::Lanes(d);
  const size_t rows = kOne ? 1 : from.count;
  for (size_t height = block.height; height > 0; --height) {
    auto a = hn::LoadU(d, to);
    auto b = a;
    auto c = a;
    auto e = a;
    if constexpr (kVectors > 1) b = hn::LoadU(d, to + lanes);
    if constexpr (kVectors > 2) c = hn::LoadU(d, to + 2 * lanes);
    if constexpr (kVectors > 3) e = hn::LoadU(d, to + 3 * lanes);
    for (size_t k = 0; k < rows; ++k) {
      const int32_t* HWY_RESTRICT w = from.weights[k] + offset;
      const auto n = hn::Set(d, from.numbers[k]);
      a = hn::Add(a, hn::Mul(hn::LoadU(d, w), n));
      if constexpr (kVectors > 1) b = hn::Add(b, hn::Mul(hn::LoadU(d, w + lanes), n));
      if constexpr (kVectors > 2) c = hn::Add(c, hn::Mul(hn::LoadU(d, w + 2 * lanes), n));
      if constexpr (kVectors > 3) e = hn::Add(e, hn::Mul(hn::LoadU(d, w + 3 * lanes), n));
    }
    hn::StoreU(a, d, to);
    if constexpr (kVectors > 1) hn::StoreU(b, d, to + lanes);
    if constexpr (kVectors > 2) hn::StoreU(c, d, to + 2 * lanes);
    if constexpr (kVectors > 3) hn::StoreU(e, d, to + 3 * lanes);
    to += block.row_lanes;
    offset += block.row_taps;
  }
}

// Adds `count` weights of each row, from `offset` on, whole vectors where they are wide, in vectors
// that are those of a position: wider ones would load what narrower ones have just stored at
// another place, and wait for it.
template <bool kOne, class D>
HWY_INLINE void AddRows(D d, const Rows<int32_t>& from, const Block& block, size_t offset,
                        size_t count, int32_t* HWY_RESTRICT to) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes)
    AddVectors<4, kOne>(d, from, block, offset + i, to + i);
  if (i + 3 * lanes <= count) {
    AddVectors<3, kOne>(d, from, block, offset + i, to + i);
    i += 3 * lanes;
  } else if (i + 2 * lanes <= count) {
    AddVectors<2, kOne>(d, from, block, offset + i, to + i);
    i += 2 * lanes;
  } else if (i + lanes <= count) {
    AddVectors<1, kOne>(d, from, block, offset + i, to + i);
    i += lanes;
  }
  // Nothing is left there; GCC warns of a rest after vectors of one lane.
  if constexpr (hn::MaxLanes(D()) > kFewLanes || hn::MaxLanes(D()) == 1) return;
  if (i == count) return;
  for (size_t y = 0; y < block.height; ++y) {
    for (size_t x = i; x < count; ++x) {
      for (size_t k = 0; k < from.count; ++k) {
        to[x] += from.numbers[k] * from.weights[k][offset + x];
      }
    }
    to += block.row_lanes;
    offset += block.row_taps;
  }
}

// The same in double precision.
template <bool kOne, class D>
HWY_INLINE void AddRows(D /*ints*/, const Rows<double>& from, const Block& block, size_t offset,
                        size_t count, double* HWY_RESTRICT to) {
  const Doubles d;
  const hn::Rebind<int32_t, Doubles> ints;
  const size_t lanes = hn::Lanes(d);
  for (size_t y = 0; y < block.height; ++y) {
    for (size_t k = 0; k < from.count; ++k) {
      const int32_t* HWY_RESTRICT weights = from.weights[k] + offset;
      const double value = from.numbers[k];
      size_t i = 0;
      for (; i + lanes <= count; i += lanes) {
        const auto weight = hn::PromoteTo(d, hn::LoadU(ints, weights + i));
        hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::Mul(hn::Set(d, value), weight)), d, to + i);
      }
      if constexpr (hn::MaxLanes(Doubles()) == 1) continue;
      for (; i < count; ++i) to[i] += value * static_cast<double>(weights[i]);
    }
    to += block.row_lanes;
    offset += block.row_taps;
  }
}

// How often a weight is added: at least once for each spike.
template <class T>
HWY_INLINE uint64_t TimesOf(const EventConnection& connection, const SpikeList& spikes, size_t i) {
  if constexpr (std::is_same_v<T, double>) {  // whole sums take whole numbers
    if (connection.valued) return 1;
    if (spikes.valued) return static_cast<uint64_t>(std::max(1.0, std::abs(spikes.values[i])));
  }
  return static_cast<uint64_t>(std::max<int64_t>(1, std::abs(int64_t{spikes.numbers[i]})));
}

// The spikes that a scatter is about, and where they go.
struct Task {
  const EventConnection& connection;
  const SpikeList& spikes;
  uint32_t source_width;
  const SpikingLayer& layer;
  EventState& target;
};

// What does not change during a scatter. Copies, which stay in registers: vectors that are stored
// might be any of the originals. D: vectors of weights.
template <class D, class T>
struct Scatter {
  Scatter(const Task& task, T* sums)
      : connection(task.connection),
        weights(connection.weights.get()),
        row_begin(connection.rows.begin.data()),
        rows(connection.rows.runs.data()),
        column_begin(connection.columns.begin.data()),
        columns(connection.columns.runs.data()),
        to(sums),
        reached(task.target.reached),
        small(reached.words_per_row() == 1 && reached.rows().size() == 1),
        reached_columns(reached.Row(0)),
        reached_rows(reached.rows().data()),
        lanes(task.layer.lanes),
        row_lanes(task.layer.lanes * task.layer.extent.width()),
        unit(task.layer.unit),
        row_taps(connection.columns.kernel_index.size() * connection.tap_size),
        channel_taps(connection.rows.kernel_index.size() * row_taps) {}

  const EventConnection& connection;
  const int32_t* weights;
  const uint32_t* row_begin;
  const AxisRun* rows;
  const uint32_t* column_begin;
  const AxisRun* columns;
  T* to;
  PositionSet& reached;
  bool small;  // one word holds the rows of `reached`, and one word those of a row
  uint64_t* reached_columns;
  uint64_t* reached_rows;
  size_t lanes;
  size_t row_lanes;  // of a row of targets
  double unit;
  size_t row_taps;      // weights of a row of taps
  size_t channel_taps;  // of a source channel
};

// The runs of a source position.
struct Runs {
  const AxisRun* rows;
  const AxisRun* rows_end;
  const AxisRun* columns;
  const AxisRun* columns_end;
};

template <class D, class T>
HWY_INLINE Runs RunsAt(const Scatter<D, T>& scatter, uint32_t row, uint32_t column) {
  return {scatter.rows + scatter.row_begin[row], scatter.rows + scatter.row_begin[row + 1],
          scatter.columns + scatter.column_begin[column],
          scatter.columns + scatter.column_begin[column + 1]};
}

// Returns the number of positions.
template <class D, class T>
HWY_INLINE uint64_t MarkReached(const Scatter<D, T>& scatter, const Runs& runs) {
  uint64_t width = 0;
  uint64_t height = 0;
  uint64_t bits = 0;
  for (const AxisRun* run = runs.columns; run != runs.columns_end; ++run) {
    width += run->count;
    if (scatter.small) bits |= PositionSet::Bits(run->target, run->count);
  }
  if (width == 0) return 0;
  for (const AxisRun* row = runs.rows; row != runs.rows_end; ++row) {
    height += row->count;
    if (scatter.small) {
      scatter.reached_rows[0] |= PositionSet::Bits(row->target, row->count);
      uint64_t* columns = scatter.reached_columns + row->target;
      for (uint32_t k = 0; k < row->count; ++k) columns[k] |= bits;
      continue;
    }
    for (uint32_t k = 0; k < row->count; ++k) {
      for (const AxisRun* run = runs.columns; run != runs.columns_end; ++run) {
        scatter.reached.Add(row->target + k, run->target, run->count);
      }
    }
  }
  return height * width;
}

// Adds the rows of spikes at one position to a run of columns, in the target rows of a run.
template <bool kOne, class D, class T>
HWY_INLINE void AddRun(const Scatter<D, T>& scatter, const AxisRun& row, const AxisRun& column,
                       const Rows<T>& from, size_t channel) {
  T* to = scatter.to + row.first_target + column.first_target + channel;
  const size_t offset = row.first_weight + column.first_weight;
  const EventConnection& connection = scatter.connection;
  const Block block = {row.count, scatter.row_lanes, scatter.row_taps};
  if (connection.groups == 1) {
    AddRows<kOne>(D(), from, block, offset, column.count * scatter.lanes, to);
    return;
  }
  for (uint32_t x = 0; x < column.count; ++x) {
    AddRows<kOne>(D(), from, block, offset + x * connection.tap_size, connection.group_targets,
                  to + x * scatter.lanes);
  }
}

// Adds the rows of spikes at one position to all targets. kOne: a single row.
template <bool kOne, class D, class T>
HWY_INLINE void AddRuns(const Scatter<D, T>& scatter, const Runs& runs, const Rows<T>& from,
                        size_t channel) {
  for (const AxisRun* row = runs.rows; row != runs.rows_end; ++row) {
    for (const AxisRun* column = runs.columns; column != runs.columns_end; ++column) {
      AddRun<kOne>(scatter, *row, *column, from, channel);
    }
  }
}

// With one target position, all spikes meet there.
template <class D, class T>
HWY_NOINLINE uint64_t ScatterToOne(D /*d*/, const Task& task, T* to) {
  const Scatter<D, T> scatter(task, to);
  const SpikeList& spikes = task.spikes;
  const uint32_t source_width = task.source_width;
  const EventConnection& connection = scatter.connection;
  const Block block = {1, 0, 0};
  uint64_t added = 0;
  Rows<T> rows;
  for (size_t i = 0, end = 0; i < spikes.size; i = end) {
    const uint32_t position = spikes.positions[i];
    for (end = i + 1; end < spikes.size && spikes.positions[end] == position;) ++end;
    const Runs runs = RunsAt(scatter, position / source_width, position % source_width);
    for (const AxisRun* row = runs.rows; row != runs.rows_end; ++row) {
      for (const AxisRun* column = runs.columns; column != runs.columns_end; ++column) {
        const int32_t* weights = scatter.weights + row->first_weight + column->first_weight;
        for (size_t k = i; k < end; ++k) {
          rows.weights[rows.count] = weights + spikes.channels[k] * scatter.channel_taps;
          rows.numbers[rows.count] = NumberOf<T>(spikes, k, scatter.unit);
          added += TimesOf<T>(connection, spikes, k);
          if (++rows.count < kMostRows) continue;
          AddRows<false>(D(), rows, block, 0, scatter.lanes, scatter.to);
          rows.count = 0;
        }
      }
    }
  }
  if (rows.count > 0) AddRows<false>(D(), rows, block, 0, scatter.lanes, scatter.to);
  if (added > 0) scatter.reached.Add(0, 0, 1);
  return added * connection.group_targets;
}

template <class D, class T>
HWY_NOINLINE uint64_t ScatterToMap(D /*d*/, const Task& task, T* to) {
  const Scatter<D, T> scatter(task, to);
  const SpikeList& spikes = task.spikes;
  const uint32_t source_width = task.source_width;
  const EventConnection& connection = scatter.connection;
  // Spikes of other groups go to other channels.
  const size_t most = connection.groups == 1 ? kMostRows : 1;
  uint64_t added = 0;
  Rows<T> rows;
  for (size_t i = 0; i < spikes.size;) {
    const uint32_t position = spikes.positions[i];
    const size_t channel = connection.groups == 1 ? 0
                                                  : spikes.channels[i] / connection.group_sources *
                                                        connection.group_targets;
    uint64_t times = 0;
    rows.count = 0;
    do {
      rows.weights[rows.count] = scatter.weights + spikes.channels[i] * scatter.channel_taps;
      rows.numbers[rows.count] = NumberOf<T>(spikes, i, scatter.unit);
      times += TimesOf<T>(connection, spikes, i);
      ++rows.count;
      ++i;
    } while (rows.count < most && i < spikes.size && spikes.positions[i] == position);
    const Runs runs = RunsAt(scatter, position / source_width, position % source_width);
    if (rows.count == 1) {
      AddRuns<true>(scatter, runs, rows, channel);
    } else {
      AddRuns<false>(scatter, runs, rows, channel);
    }
    added += MarkReached(scatter, runs) * times;
  }
  return added * connection.group_targets;
}

template <class D, class T>
HWY_INLINE uint64_t ScatterInto(D d, const Task& task, T* to) {
  return task.layer.positions() == 1 && task.connection.groups == 1 ? ScatterToOne(d, task, to)
                                                                    : ScatterToMap(d, task, to);
}

uint64_t ScatterTarget(const EventConnection& connection, const SpikeList& spikes,
                       uint32_t source_width, const SpikingLayer& layer, EventState& target) {
  const hn::CappedTag<int32_t, 16> ints;
  const hn::CappedTag<int32_t, kFewLanes> few;
  const Task task = {connection, spikes, source_width, layer, target};
  if (target.wide) return ScatterInto(few, task, target.inputs.get());
  const size_t lanes = connection.groups == 1 ? layer.lanes : connection.group_targets;
  if (lanes % hn::Lanes(ints) == 0) return ScatterInto(ints, task, target.sums.get());
  return ScatterInto(few, task, target.sums.get());
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
