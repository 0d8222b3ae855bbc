#include "runtime/events/event_network.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/events/whole_neurons.h"

namespace cssrun::internal {
namespace {

using format::EventReset;
using format::EventSending;
using Numbers = flatbuffers::Vector<double>;
using AlignedNumbers = hwy::AlignedFreeUniquePtr<double[]>;

constexpr size_t kVectorLanes = 8;  // of the widest vectors
// Weights are whole multiples of the power of two above the largest of their node, over 2 to this:
// the digits that a 32-bit float has for the largest one.
constexpr int kWeightBits = 24;

size_t LanesOf(uint32_t channels) {
  if (channels < kVectorLanes) return std::bit_ceil(channels);
  return (channels + kVectorLanes - 1) / kVectorLanes * kVectorLanes;
}

// Returns one number per lane of each position, or of one position if all are equal.
AlignedNumbers Spread(const SpikingLayer& neurons, const Numbers* numbers, double absent,
                      double beyond) {
  const size_t positions = neurons.pitch == 0 ? 1 : neurons.positions();
  const size_t channels = neurons.extent.channels();
  AlignedNumbers spread = AllocateAligned<double>(positions * neurons.lanes);
  std::fill_n(spread.get(), positions * neurons.lanes, beyond);
  for (size_t position = 0; position < positions; ++position) {
    for (size_t channel = 0; channel < channels; ++channel) {
      double number = absent;
      if (numbers != nullptr) {
        const size_t index = numbers->size() == 1 ? 0
                             : numbers->size() == channels
                                 ? channel
                                 : channel * neurons.positions() + position;
        number = numbers->Get(static_cast<flatbuffers::uoffset_t>(index));
      }
      spread[position * neurons.lanes + channel] = number;
    }
  }
  return spread;
}

bool Any(const Numbers& numbers, double other_than) {
  return std::any_of(numbers.begin(), numbers.end(),
                     [other_than](double x) { return x != other_than; });
}

void SpreadParameters(const format::EventNode& node, SpikingLayer& neurons) {
  for (const Numbers* numbers : {node.decay(), node.gain(), node.drive(), node.current_decay(),
                                 node.threshold(), node.reset_value(), node.floor()}) {
    if (numbers != nullptr && numbers->size() > 1 && numbers->size() != neurons.extent.channels()) {
      neurons.pitch = neurons.lanes;
    }
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  neurons.decay = Spread(neurons, node.decay(), 1, 1);
  neurons.gain = Spread(neurons, node.gain(), 1, 0);
  neurons.drive = Spread(neurons, node.drive(), 0, 0);
  if (node.current_decay() != nullptr) {
    neurons.current_decay = Spread(neurons, node.current_decay(), 0, 0);
  }
  neurons.threshold = Spread(neurons, node.threshold(), kInfinity, kInfinity);
  neurons.reset_value = Spread(neurons, node.reset_value(), 0, 0);
  neurons.floor = Spread(neurons, node.floor(), -kInfinity, -kInfinity);
}

SpikingLayer LayOutNeurons(const format::EventNode& node, bool is_input) {
  SpikingLayer neurons;
  neurons.name = node.name()->str();
  neurons.extent = *node.extent();
  neurons.sending = node.sending();
  neurons.lanes = LanesOf(node.extent()->channels());
  if (is_input) return neurons;
  SpreadParameters(node, neurons);
  neurons.several = node.several();
  neurons.subtracts = node.reset() == EventReset::Subtract;
  neurons.forgets = Any(*node.decay(), 1);
  neurons.leaks = std::any_of(node.decay()->begin(), node.decay()->end(),
                              [](double x) { return x != 0 && x != 1; });
  neurons.stepped = Any(*node.drive(), 0) || node.current_decay() != nullptr ||
                    (node.sending() == EventSending::Values && Any(*node.decay(), 0));
  return neurons;
}

void LayOutAxes(const format::EventSynapses& s, const format::Extent& source,
                const format::Extent& target, EventConnection& connection) {
  const format::Window pool = s.pool() == nullptr ? format::UnitWindow() : *s.pool();
  connection.rows =
      MakeEventAxis(source.height(), RowsOf(pool), format::WindowRows(pool, source.height()),
                    RowsOf(*s.window()), target.height());
  connection.columns =
      MakeEventAxis(source.width(), ColumnsOf(pool), format::WindowColumns(pool, source.width()),
                    ColumnsOf(*s.window()), target.width());
}

// See EventConnection::taps_of_one.
std::vector<uint32_t> TapsOfOne(const EventConnection& connection) {
  std::vector<uint32_t> taps;
  const EventAxis& rows = connection.rows;
  const EventAxis& columns = connection.columns;
  if (!rows.one_run || !columns.one_run) return taps;
  for (const AxisRun& row : rows.runs) {
    for (const AxisRun& column : columns.runs) {
      taps.push_back(row.tap * static_cast<uint32_t>(columns.kernel_index.size()) + column.tap);
    }
  }
  return taps;
}

// Weights from [target channel][source channel of the group][y][x].
void LayOutWeights(const format::EventSynapses& s, double unit, EventConnection& connection) {
  const std::vector<int64_t>& rows = connection.rows.kernel_index;
  const std::vector<int64_t>& columns = connection.columns.kernel_index;
  const size_t sources = size_t{connection.groups} * connection.group_sources;
  const size_t size = sources * rows.size() * columns.size() * connection.tap_size;
  connection.weights = AllocateAligned<int32_t>(size);
  std::fill_n(connection.weights.get(), size, 0);
  int32_t* to = connection.weights.get();
  for (size_t source = 0; source < sources; ++source) {
    const size_t group = source / connection.group_sources;
    for (const int64_t y : rows) {
      for (const int64_t x : columns) {
        for (size_t k = 0; k < connection.group_targets; ++k) {
          const size_t target = group * connection.group_targets + k;
          const size_t channel =
              target * connection.group_sources + source % connection.group_sources;
          const size_t from = (channel * rows.size() + static_cast<size_t>(y)) * columns.size() +
                              static_cast<size_t>(x);
          const double weight = s.weights()->Get(static_cast<flatbuffers::uoffset_t>(from));
          to[k] = static_cast<int32_t>(std::rint(weight / unit));
        }
        to += connection.tap_size;
      }
    }
  }
}

// How many windows of a pool a source can be part of, along one axis.
double WindowsOfSource(const WindowAxis& pool) {
  return static_cast<double>(pool.dilation > 1 ? pool.kernel
                                               : (pool.kernel + pool.stride - 1) / pool.stride);
}

// See EventConnection::largest_sum; windows that a border cuts off do not exceed it.
void BoundSums(const format::EventSynapses& s, EventConnection& connection) {
  const format::Window pool = s.pool() == nullptr ? format::UnitWindow() : *s.pool();
  const double windows = WindowsOfSource(RowsOf(pool)) * WindowsOfSource(ColumnsOf(pool));
  const size_t taps = connection.rows.kernel_index.size() * connection.columns.kernel_index.size();
  const int32_t* weights = connection.weights.get();
  std::vector<double> sums(size_t{connection.groups} * connection.group_targets);
  for (size_t source = 0; source < size_t{connection.groups} * connection.group_sources; ++source) {
    const size_t target = source / connection.group_sources * connection.group_targets;
    double largest = 0;
    for (size_t tap = 0; tap < taps; ++tap, weights += connection.tap_size) {
      for (size_t k = 0; k < connection.group_targets; ++k) {
        const double weight = std::abs(static_cast<double>(weights[k]));
        sums[target + k] += weight;
        largest = std::max(largest, weight);
      }
    }
    connection.largest_of_spike.push_back(largest * windows);
  }
  connection.largest_of_any =
      *std::max_element(connection.largest_of_spike.begin(), connection.largest_of_spike.end());
  connection.largest_sum = *std::max_element(sums.begin(), sums.end()) *
                           static_cast<double>(pool.kernel_y() * pool.kernel_x());
}

double UnitOf(const format::EventNode& node) {
  double largest = 0;
  for (const format::EventSynapses* s : *node.synapses()) {
    for (const float weight : *s->weights()) {
      largest = std::max(largest, std::abs(static_cast<double>(weight)));
    }
  }
  return largest == 0 ? 1 : std::ldexp(1.0, std::ilogb(largest) + 1 - kWeightBits);
}

EventConnection Connect(const format::EventSynapses& s, const SpikingLayer& source,
                        const SpikingLayer& target) {
  EventConnection connection;
  connection.source = s.source();
  connection.delayed = s.delay() != 0;
  connection.valued = source.sending == EventSending::Values;
  connection.groups = s.groups();
  connection.group_sources = source.extent.channels() / s.groups();
  connection.group_targets = target.extent.channels() / s.groups();
  connection.tap_size = s.groups() == 1 ? target.lanes : connection.group_targets;
  LayOutAxes(s, source.extent, target.extent, connection);
  connection.columns.Scale(target.lanes, connection.tap_size);
  connection.rows.Scale(target.lanes * target.extent.width(),
                        connection.tap_size * connection.columns.kernel_index.size());
  if (target.positions() == 1 && s.groups() == 1) connection.taps_of_one = TapsOfOne(connection);
  LayOutWeights(s, target.unit, connection);
  BoundSums(s, connection);
  return connection;
}

// FNV-1a of 64-bit words.
class Fingerprint {
 public:
  void Add(uint64_t word) { hash_ = (hash_ ^ word) * 0x100000001b3ULL ^ (hash_ >> 29); }
  void Add(const double* numbers, size_t count) {
    for (size_t i = 0; i < count && numbers != nullptr; ++i)
      Add(std::bit_cast<uint64_t>(numbers[i]));
  }
  uint64_t hash() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325ULL;
};

uint64_t FingerprintOf(const EventNetwork& network, const format::EventNetwork& file) {
  Fingerprint print;
  for (const SpikingLayer& neurons : network.nodes) {
    for (const uint32_t side :
         {neurons.extent.channels(), neurons.extent.height(), neurons.extent.width()}) {
      print.Add(side);
    }
    print.Add(static_cast<uint64_t>(neurons.several) * 2 +
              static_cast<uint64_t>(neurons.subtracts));
    const size_t numbers = neurons.pitch == 0 ? neurons.lanes : neurons.size();
    for (const AlignedNumbers* parameter :
         {&neurons.decay, &neurons.gain, &neurons.drive, &neurons.current_decay, &neurons.threshold,
          &neurons.reset_value, &neurons.floor}) {
      print.Add(parameter->get(), numbers);
    }
  }
  for (const format::EventNode* node : *file.nodes()) {
    for (const format::EventSynapses* s : *node->synapses()) {
      print.Add(s->source() * uint64_t{2} + s->delay());
      for (const float weight : *s->weights()) print.Add(std::bit_cast<uint32_t>(weight));
    }
  }
  return print.hash();
}

}  // namespace

EventNetwork LayOutEvents(const format::EventNetwork& file) {
  EventNetwork network;
  network.reading.step_seconds = file.step_seconds();
  for (const flatbuffers::String* assumption : *file.assumptions()) {
    network.reading.assumptions.push_back(assumption->str());
  }
  for (const format::EventNode* node : *file.nodes()) {
    network.nodes.push_back(LayOutNeurons(*node, network.nodes.empty()));
    if (network.nodes.back().stepped) network.reading.stepped.push_back(node->name()->str());
  }
  network.reading.readout = network.nodes.back().sending == EventSending::Spikes
                                ? EventReadout::kCounts
                                : EventReadout::kPotentials;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const format::EventNode& node = *file.nodes()->Get(static_cast<flatbuffers::uoffset_t>(i));
    SpikingLayer& target = network.nodes[i];
    target.unit = UnitOf(node);
    for (const format::EventSynapses* s : *node.synapses()) {
      SpikingLayer& source = network.nodes[s->source()];
      if (s->delay() != 0) source.delays = true;
      target.connections.push_back(Connect(*s, source, target));
    }
    if (i > 0) target.whole = MakeWholeNeurons(target);
  }
  network.fingerprint = FingerprintOf(network, file);
  return network;
}

}  // namespace cssrun::internal
