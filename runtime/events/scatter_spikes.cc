// Adds weights of spikes to the inputs of neurons, for every instruction set; see event_kernels.h.
//
// Sums are exact, so spikes may be added in any order: those of one position together or, if all
// targets are at one position, many of a step. Sums then stay in registers. The number of spikes of
// a position is practically random, and a mispredicted branch costs as much as adding a spike:
// hence lists of spots, and loops of constant length.
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

// Vectors of at most so many lanes may be wider than a position.
constexpr size_t kFewLanes = 8;
// Entries that are converted at once.
constexpr size_t kPiece = 64;
// Rows of targets, and vectors of each, whose sums are kept in registers.
constexpr size_t kMostRows = 3;
constexpr size_t kMostVectors = 4;

// Spikes that are added together: where the weights of each begin, in multiples of so many weights,
// and how often they are added.
template <class T>
struct Spikes {
  const uint32_t* parts;
  size_t part_size;
  const T* numbers;
  size_t count;
};

// Rows of targets one below another, and the distances from one to the next.
struct Block {
  size_t height;
  size_t row_lanes;
  size_t row_taps;
};

// kVectors vectors of targets, in registers. A list, since compilers store arrays.
template <class D, size_t kVectors>
struct Sums {
  HWY_INLINE explicit Sums(const int32_t* from)
      : first(hn::LoadU(D(), from)), rest(from + hn::Lanes(D())) {}
  HWY_INLINE void Add(hn::Vec<D> number, const int32_t* weights) {
    first = hn::Add(first, hn::Mul(hn::LoadU(D(), weights), number));
    rest.Add(number, weights + hn::Lanes(D()));
  }
  HWY_INLINE void Store(int32_t* to) const {
    hn::StoreU(first, D(), to);
    rest.Store(to + hn::Lanes(D()));
  }

  hn::Vec<D> first;
  Sums<D, kVectors - 1> rest;
};
template <class D>
struct Sums<D, 0> {
  HWY_INLINE explicit Sums(const int32_t* /*from*/) {}
  HWY_INLINE void Add(hn::Vec<D> /*number*/, const int32_t* /*weights*/) {}
  HWY_INLINE void Store(int32_t* /*to*/) const {}
};

// Adds kVectors vectors of weights of each spike to each of kRows rows of targets.
template <size_t kRows, size_t kVectors, class D>
HWY_NOINLINE void AddVectors(const Spikes<int32_t>& spikes, const Block& block,
                             const int32_t* weights, int32_t* HWY_RESTRICT to) {
  static_assert(1 <= kRows && kRows <= 3);
  using Row = Sums<D, kVectors>;
  constexpr size_t kSecond = kRows > 1 ? kVectors : 0;
  constexpr size_t kThird = kRows > 2 ? kVectors : 0;
  const size_t row_lanes = block.row_lanes;
  const size_t row_taps = block.row_taps;
  const uint32_t* HWY_RESTRICT parts = spikes.parts;
  const int32_t* HWY_RESTRICT numbers = spikes.numbers;
  const size_t part_size = spikes.part_size;
  const size_t count = spikes.count;
  Row a(to);
  Sums<D, kSecond> b(to + row_lanes);
  Sums<D, kThird> c(to + 2 * row_lanes);
  for (size_t k = 0; k < count; ++k) {
    const int32_t* HWY_RESTRICT from = weights + parts[k] * part_size;
    const auto n = hn::Set(D(), numbers[k]);
    a.Add(n, from);
    b.Add(n, from + row_taps);
    c.Add(n, from + 2 * row_taps);
  }
  a.Store(to);
  b.Store(to + row_lanes);
  c.Store(to + 2 * row_lanes);
}

using AddVectorsFunction = void (*)(const Spikes<int32_t>&, const Block&, const int32_t*,
                                    int32_t* HWY_RESTRICT);

// [rows - 1][vectors - 1]
template <class D>
constexpr AddVectorsFunction kAddVectors[kMostRows][kMostVectors] = {
    {AddVectors<1, 1, D>, AddVectors<1, 2, D>, AddVectors<1, 3, D>, AddVectors<1, 4, D>},
    {AddVectors<2, 1, D>, AddVectors<2, 2, D>, AddVectors<2, 3, D>, AddVectors<2, 4, D>},
    {AddVectors<3, 1, D>, AddVectors<3, 2, D>, AddVectors<3, 3, D>, AddVectors<3, 4, D>}};

// As AddRows(), any number of rows and weights.
template <class D>
HWY_NOINLINE void AddManyRows(D d, const Spikes<int32_t>& spikes, Block block,
                              const int32_t* weights, size_t count, int32_t* HWY_RESTRICT to) {
  const size_t lanes = hn::Lanes(d);
  while (block.height > 0) {
    const size_t rows = std::min(block.height, kMostRows);
    size_t i = 0;
    for (size_t left = count / lanes; left > 0;) {
      const size_t vectors = std::min(left, kMostVectors);
      kAddVectors<D>[rows - 1][vectors - 1](spikes, block, weights + i, to + i);
      left -= vectors;
      i += vectors * lanes;
    }
    // Nothing remains in this case; GCC warns of a remainder after vectors of one lane.
    if constexpr (1 < hn::MaxLanes(D()) && hn::MaxLanes(D()) <= kFewLanes) {
      for (; i < count; ++i) {
        for (size_t row = 0; row < rows; ++row) {
          const int32_t* from = weights + row * block.row_taps + i;
          int32_t& sum = to[row * block.row_lanes + i];
          for (size_t k = 0; k < spikes.count; ++k) {
            sum += spikes.numbers[k] * from[spikes.parts[k] * spikes.part_size];
          }
        }
      }
    }
    to += rows * block.row_lanes;
    weights += rows * block.row_taps;
    block.height -= rows;
  }
}

// Adds `count` weights of each spike to each row of a block, in vectors of the same width as those
// of a position: wider ones would load what narrower ones have just stored, at another address, and
// wait for it.
template <class D>
HWY_INLINE void AddRows(D d, const Spikes<int32_t>& spikes, const Block& block,
                        const int32_t* weights, size_t count, int32_t* HWY_RESTRICT to) {
  const size_t vectors = count / hn::Lanes(d);
  if (HWY_LIKELY(block.height <= kMostRows && vectors <= kMostVectors &&
                 vectors * hn::Lanes(d) == count)) {
    kAddVectors<D>[block.height - 1][vectors - 1](spikes, block, weights, to);
  } else {
    AddManyRows(d, spikes, block, weights, count, to);
  }
}

// The same in double precision.
template <class D>
HWY_INLINE void AddRows(D /*ints*/, const Spikes<double>& spikes, const Block& block,
                        const int32_t* weights, size_t count, double* HWY_RESTRICT to) {
  const Doubles d;
  const hn::Rebind<int32_t, Doubles> ints;
  const size_t lanes = hn::Lanes(d);
  for (size_t y = 0; y < block.height; ++y) {
    for (size_t k = 0; k < spikes.count; ++k) {
      const int32_t* HWY_RESTRICT from = weights + spikes.parts[k] * spikes.part_size;
      const double value = spikes.numbers[k];
      size_t i = 0;
      for (; i + lanes <= count; i += lanes) {
        const auto weight = hn::PromoteTo(d, hn::LoadU(ints, from + i));
        hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::Mul(hn::Set(d, value), weight)), d, to + i);
      }
      if constexpr (hn::MaxLanes(Doubles()) == 1) continue;
      for (; i < count; ++i) to[i] += value * static_cast<double>(from[i]);
    }
    to += block.row_lanes;
    weights += block.row_taps;
  }
}

// The spikes of a scatter, and where they go.
struct Task {
  const EventConnection& connection;
  const SpikeList& spikes;
  uint32_t source_width;
  const SpikingLayer& layer;
  EventState& target;
};

// Marks positions as reached.
class Marks {
 public:
  explicit Marks(ReachedPositions& reached)
      : reached_(reached),
        small_(reached.bits().words_per_row() == 1 && reached.rows().size() == 1),
        columns_(reached.bits().Row(0).data()),
        rows_(reached.rows().data()) {}

  HWY_INLINE void Add(const AxisRun& row, const AxisRun& column) {
    if (HWY_LIKELY(small_)) {
      rows_[0] |= OnesFrom(row.target, row.count);
      const uint64_t bits = OnesFrom(column.target, column.count);
      uint64_t* columns = columns_ + row.target;
      for (uint32_t k = 0; k < row.count; ++k) columns[k] |= bits;
      return;
    }
    for (uint32_t k = 0; k < row.count; ++k) {
      reached_.Add(row.target + k, column.target, column.count);
    }
  }

 private:
  ReachedPositions& reached_;
  bool small_;  // a word holds the rows, and one word the columns of each
  uint64_t* columns_;
  uint64_t* rows_;
};

// The constants of a scatter. Copies, which can stay in registers, because stores of vectors might
// alias the originals.
template <class T>
struct Scatter {
  Scatter(const Task& task, T* sums)
      : weights(task.connection.weights.get()),
        rows(task.connection.rows.runs.data()),
        columns(task.connection.columns.runs.data()),
        to(sums),
        marks(task.target.reached),
        lanes(task.layer.lanes),
        row_lanes(task.layer.lanes * task.layer.extent.width()),
        row_taps(task.connection.columns.kernel_index.size() * task.connection.tap_size),
        channel_taps(task.connection.rows.kernel_index.size() * row_taps),
        source_width(task.source_width) {}

  const int32_t* weights;
  const AxisRun* rows;
  const AxisRun* columns;
  T* to;
  Marks marks;
  size_t lanes;
  size_t row_lanes;     // of a row of targets
  size_t row_taps;      // weights of a row of taps
  size_t channel_taps;  // of a source channel
  uint32_t source_width;
};

// For positions with one run of rows and one of columns, and a single group of channels.
template <class D>
HWY_NOINLINE uint64_t ScatterPatches(D d, const Task& task, int32_t* to) {
  Scatter<int32_t> scatter(task, to);
  const uint32_t* channels = task.spikes.channels.data();
  const int32_t* numbers = task.spikes.numbers.data();
  const Spot* spot = task.spikes.spots.data();
  const Spot* const last = spot + task.spikes.spot_count;
  uint64_t added = 0;
  uint64_t times = 0;
  uint32_t first = 0;
  for (; spot != last; ++spot) {
    const AxisRun& row = scatter.rows[spot->position / scatter.source_width];
    const AxisRun& column = scatter.columns[spot->position % scatter.source_width];
    const Spikes<int32_t> spikes = {channels + first, scatter.channel_taps, numbers + first,
                                    spot->end - first};
    AddRows(d, spikes, {row.count, scatter.row_lanes, scatter.row_taps},
            scatter.weights + row.first_weight + column.first_weight, column.count * scatter.lanes,
            scatter.to + row.first_target + column.first_target);
    scatter.marks.Add(row, column);
    added += row.count * column.count * (spot->times - times);
    times = spot->times;
    first = spot->end;
  }
  return added * task.connection.group_targets;
}

// Adds entries [first, end) of a list, a few at a time: `parts` begins with those of the first one.
// Whole sums take whole numbers.
template <class Add>
HWY_INLINE void AddNumbers(const SpikeList& list, double /*unit*/, const int32_t* /*sums*/,
                           size_t first, size_t end, const uint32_t* parts, size_t part_size,
                           Add add) {
  add(Spikes<int32_t>{parts, part_size, list.numbers.data() + first, end - first});
}
template <class Add>
HWY_INLINE void AddNumbers(const SpikeList& list, double unit, const double* /*sums*/, size_t first,
                           size_t end, const uint32_t* parts, size_t part_size, Add add) {
  double numbers[kPiece];
  for (size_t count = 0; first < end; first += count, parts += count) {
    count = std::min(end - first, kPiece);
    for (size_t i = 0; i < count; ++i) {
      numbers[i] = unit * (list.valued ? list.values[first + i] : list.numbers[first + i]);
    }
    add(Spikes<double>{parts, part_size, numbers, count});
  }
}

// Adds spikes at one position to a run of columns in a run of rows. `channel`: the first of their
// group.
template <class D, class T>
HWY_INLINE void AddRun(D d, const Scatter<T>& scatter, const EventConnection& connection,
                       const AxisRun& row, const AxisRun& column, const Spikes<T>& spikes,
                       size_t channel) {
  const Block block = {row.count, scatter.row_lanes, scatter.row_taps};
  T* to = scatter.to + row.first_target + column.first_target + channel;
  const int32_t* weights = scatter.weights + row.first_weight + column.first_weight;
  if (connection.groups == 1) {
    AddRows(d, spikes, block, weights, column.count * scatter.lanes, to);
    return;
  }
  for (uint32_t x = 0; x < column.count; ++x) {
    AddRows(d, spikes, block, weights + x * connection.tap_size, connection.group_targets,
            to + x * scatter.lanes);
  }
}

// Any connection.
template <class D, class T>
HWY_NOINLINE uint64_t ScatterRuns(D d, const Task& task, T* to) {
  Scatter<T> scatter(task, to);
  const SpikeList& spikes = task.spikes;
  const EventConnection& connection = task.connection;
  const uint32_t* row_begin = connection.rows.begin.data();
  const uint32_t* column_begin = connection.columns.begin.data();
  uint64_t added = 0;
  uint64_t times = 0;
  uint32_t first = 0;
  for (size_t s = 0; s < spikes.spot_count; ++s) {
    const Spot& spot = spikes.spots[s];
    const uint32_t* rows = row_begin + spot.position / scatter.source_width;
    const uint32_t* columns = column_begin + spot.position % scatter.source_width;
    for (uint32_t r = rows[0]; r < rows[1]; ++r) {
      for (uint32_t c = columns[0]; c < columns[1]; ++c) {
        const AxisRun& row = scatter.rows[r];
        const AxisRun& column = scatter.columns[c];
        size_t end = spot.end;
        for (size_t i = first; i < spot.end; i = end) {
          size_t channel = 0;
          if (connection.groups > 1) {  // spikes of other groups go to other channels
            channel = spikes.channels[i] / connection.group_sources * connection.group_targets;
            end = i + 1;
          }
          AddNumbers(spikes, task.layer.unit, to, i, end, spikes.channels.data() + i,
                     scatter.channel_taps, [&](const Spikes<T>& some) {
                       AddRun(d, scatter, connection, row, column, some, channel);
                     });
        }
        scatter.marks.Add(row, column);
        added += row.count * column.count * (spot.times - times);
      }
    }
    times = spot.times;
    first = spot.end;
  }
  return added * connection.group_targets;
}

// With one target position, all spikes meet there.
template <class D, class T>
HWY_NOINLINE uint64_t ScatterToOne(D d, const Task& task, T* to) {
  const SpikeList& spikes = task.spikes;
  const EventConnection& connection = task.connection;
  const size_t lanes = task.layer.lanes;
  const auto channel_taps = static_cast<uint32_t>(connection.rows.kernel_index.size() *
                                                  connection.columns.kernel_index.size());
  uint32_t taps[kPiece];
  for (size_t i = 0, end = 0; i < spikes.size; i = end) {
    end = std::min(i + kPiece, spikes.size);
    for (size_t k = i; k < end; ++k) {
      taps[k - i] = spikes.channels[k] * channel_taps + connection.taps_of_one[spikes.positions[k]];
    }
    AddNumbers(spikes, task.layer.unit, to, i, end, taps, lanes, [&](const Spikes<T>& some) {
      AddRows(d, some, {1, 0, 0}, connection.weights.get(), lanes, to);
    });
  }
  task.target.reached.Add(0, 0, 1);
  return spikes.spots[spikes.spot_count - 1].times * connection.group_targets;
}

template <class D, class T>
HWY_INLINE uint64_t ScatterInto(D d, const Task& task, T* to) {
  const EventConnection& connection = task.connection;
  if (!connection.taps_of_one.empty()) return ScatterToOne(d, task, to);
  if constexpr (std::is_same_v<T, int32_t>) {
    const bool patches =
        connection.groups == 1 && connection.rows.one_run && connection.columns.one_run;
    if (patches) return ScatterPatches(d, task, to);
  }
  return ScatterRuns(d, task, to);
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
