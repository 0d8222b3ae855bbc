// Saved states of event sessions: numbers as in memory, little-endian, and what shows that they
// belong to this network and are complete.
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/events/event_engine.h"

namespace cssrun::internal {
namespace {

constexpr uint64_t kMark = 0x31657461'74735643;  // "CVstate1"

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>& bytes) : bytes_(bytes) { bytes_.clear(); }
  template <class T>
  void Put(const T* items, size_t count) {
    const size_t at = bytes_.size();
    bytes_.resize(at + count * sizeof(T));
    if (count > 0) std::memcpy(bytes_.data() + at, items, count * sizeof(T));
  }
  void Put(uint64_t number) { Put(&number, 1); }

 private:
  std::vector<uint8_t>& bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  template <class T>
  bool Get(T* items, size_t count) {
    if (count > bytes_.size() / sizeof(T)) return false;
    if (count > 0) std::memcpy(items, bytes_.data(), count * sizeof(T));
    bytes_ = bytes_.subspan(count * sizeof(T));
    return true;
  }
  bool Get(uint64_t& number) { return Get(&number, 1); }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::span<const uint8_t> bytes_;
};

uint64_t Checksum(std::span<const uint8_t> bytes) {
  uint64_t sum = 0xcbf29ce484222325ULL;
  for (const uint8_t byte : bytes) sum = (sum ^ byte) * 0x100000001b3ULL;
  return sum;
}

void PutState(const SpikingLayer& neurons, const EventState& state, Writer& writer) {
  writer.Put(state.counts.data(), state.counts.size());
  for (size_t i = 0; state.potentials != nullptr && i < neurons.size(); ++i) {
    const double potential = state.PotentialAt(neurons, i);
    writer.Put(&potential, 1);
  }
  if (state.currents != nullptr) writer.Put(state.currents.get(), neurons.size());
  writer.Put(state.done.data(), state.done.size());
  for (size_t i = 0; i < state.done.size(); ++i) {
    const auto above = static_cast<uint8_t>(
        state.reached.Has(i / neurons.extent.width(), i % neurons.extent.width()));
    writer.Put(&above, 1);
  }
  const SpikeList& delayed = state.delayed;
  writer.Put(delayed.size);
  for (size_t i = 0; i < delayed.size; ++i) {
    writer.Put(uint64_t{delayed.positions[i]} << 32U | delayed.channels[i]);
    const double value = delayed.valued ? delayed.values[i] : delayed.numbers[i];
    writer.Put(&value, 1);
  }
}

bool AllFinite(const double* numbers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (std::isnan(numbers[i])) return false;
  }
  return true;
}

// Only nodes that send values may have values that are not whole numbers: the lists of other nodes
// have no room for them.
bool AddDelayed(uint64_t place, double value, SpikeList& delayed) {
  const size_t i = delayed.size++;
  delayed.positions[i] = static_cast<uint32_t>(place >> 32U);
  delayed.channels[i] = static_cast<uint32_t>(place);
  const bool whole = std::rint(value) == value && std::abs(value) < 0x1p31;
  delayed.numbers[i] = whole ? static_cast<int32_t>(value) : 0;
  // Uses the sum, since a damaged list may name a neuron more than once.
  delayed.largest += std::abs(value);
  delayed.total = delayed.largest;
  if (delayed.values.empty()) return whole;
  delayed.values[i] = value;
  delayed.valued |= !whole;
  return true;
}

bool GetDelayed(const SpikingLayer& neurons, Reader& reader, SpikeList& delayed) {
  uint64_t count = 0;
  if (!reader.Get(count)) return false;
  if (count == 0) return true;
  if (!neurons.delays || count > delayed.capacity()) return false;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t place = 0;
    double value = 0;
    if (!reader.Get(place) || !reader.Get(&value, 1)) return false;
    if (place >> 32U >= neurons.positions() ||
        static_cast<uint32_t>(place) >= neurons.extent.channels() || std::isnan(value) ||
        !AddDelayed(place, value, delayed)) {
      return false;
    }
  }
  ListSpots(neurons, delayed);
  return true;
}

bool GetState(const SpikingLayer& neurons, uint64_t now, Reader& reader, EventState& state) {
  if (!reader.Get(state.counts.data(), state.counts.size())) return false;
  for (double* numbers : {state.potentials.get(), state.currents.get()}) {
    if (numbers == nullptr) continue;
    if (!reader.Get(numbers, neurons.size()) || !AllFinite(numbers, neurons.size())) return false;
  }
  state.is_whole = false;
  if (state.potentials != nullptr) state.TryWhole(neurons);
  if (!reader.Get(state.done.data(), state.done.size())) return false;
  for (const uint64_t done : state.done) {
    if (done > now) return false;
  }
  for (size_t i = 0; i < state.done.size(); ++i) {
    uint8_t above = 0;
    if (!reader.Get(&above, 1) || above > 1) return false;
    if (above == 1) state.reached.Add(i / neurons.extent.width(), i % neurons.extent.width(), 1);
  }
  return GetDelayed(neurons, reader, state.delayed);
}

}  // namespace

void EventEngine::Save(std::vector<uint8_t>& bytes) const {
  Writer writer(bytes);
  writer.Put(kMark);
  writer.Put(network_.fingerprint);
  writer.Put(now_);
  for (const EventLayer& layer : layers_) {
    for (const uint64_t number : {layer.spikes, layer.synops, layer.updates}) writer.Put(number);
  }
  for (size_t i = 0; i < states_.size(); ++i) PutState(network_.nodes[i], states_[i], writer);
  writer.Put(Checksum(bytes));
}

Status EventEngine::Restore(std::span<const uint8_t> bytes) {
  const Status damaged = Status::InvalidArgument("a saved state that is damaged; save it again");
  Reader reader(bytes);
  uint64_t mark = 0;
  uint64_t fingerprint = 0;
  uint64_t checksum = 0;
  EventEngine engine(network_, options_);
  if (bytes.size() < 4 * sizeof(uint64_t) || !reader.Get(mark) || mark != kMark) return damaged;
  std::memcpy(&checksum, bytes.data() + bytes.size() - sizeof(checksum), sizeof(checksum));
  if (checksum != Checksum(bytes.first(bytes.size() - sizeof(checksum)))) return damaged;
  if (!reader.Get(fingerprint) || fingerprint != network_.fingerprint) {
    return Status::InvalidArgument(
        "a saved state of another network; continue it with the network that it was saved of");
  }
  if (!reader.Get(engine.now_)) return damaged;
  for (EventLayer& layer : engine.layers_) {
    if (!reader.Get(layer.spikes) || !reader.Get(layer.synops) || !reader.Get(layer.updates)) {
      return damaged;
    }
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    if (!GetState(network_.nodes[i], engine.now_, reader, engine.states_[i])) return damaged;
  }
  if (!reader.Get(checksum) || !reader.at_end()) return damaged;
  now_ = engine.now_;
  layers_ = engine.layers_;
  states_.swap(engine.states_);
  return Status::Ok();
}

}  // namespace cssrun::internal
