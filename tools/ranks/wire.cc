#include "tools/ranks/wire.h"

#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

namespace cssrun::tools {
namespace {

// What has the same bytes on every machine: structs have gaps that differ, and size_t is no longer
// than a pointer.
template <class T>
constexpr bool kHasFixedBytes = std::is_arithmetic_v<T> || std::is_enum_v<T>;
static_assert(std::endian::native == std::endian::little);

class Packer {
 public:
  template <class T>
  void Put(const T& value) {
    static_assert(kHasFixedBytes<T>);
    Append(&value, sizeof(T));
  }
  void Put(const std::string& text) { PutAll(text); }
  template <class T>
  void Put(const std::vector<T>& values) {
    PutAll(values);
  }
  Bytes Take() { return std::move(bytes_); }

 private:
  template <class Container>
  void PutAll(const Container& values) {
    static_assert(kHasFixedBytes<typename Container::value_type>);
    Put(uint64_t{values.size()});
    Append(values.data(), values.size() * sizeof(typename Container::value_type));
  }
  void Append(const void* data, size_t size) {
    const auto* begin = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }

  Bytes bytes_;
};

// Reads values from bytes. After an error, every value it returns is empty, and Done() is false.
class Unpacker {
 public:
  explicit Unpacker(std::span<const uint8_t> bytes) : rest_(bytes) {}

  template <class T>
  void Get(T& value) {
    static_assert(kHasFixedBytes<T>);
    Copy(&value, sizeof(T));
  }
  void Get(std::string& text) { GetAll(text); }
  template <class T>
  void Get(std::vector<T>& values) {
    GetAll(values);
  }
  uint64_t GetCount() {
    uint64_t count = 0;
    Get(count);
    return count;
  }
  // Reads `count` things of at least one byte each; `get_one` reads one.
  template <class T, class GetOne>
  void GetEach(uint64_t count, std::vector<T>& things, const GetOne& get_one) {
    MakeRoom(count, 1, things);
    for (T& thing : things) get_one(thing);
  }
  bool Done() const { return sound_ && rest_.empty(); }

 private:
  template <class Container>
  void GetAll(Container& values) {
    using Value = typename Container::value_type;
    static_assert(kHasFixedBytes<Value>);
    MakeRoom(GetCount(), sizeof(Value), values);
    Copy(values.data(), values.size() * sizeof(Value));
  }
  // Makes room for no more elements than the remaining bytes can hold.
  template <class Container>
  void MakeRoom(uint64_t count, size_t bytes_each, Container& values) {
    if (count > rest_.size() / bytes_each) sound_ = false;
    values.resize(sound_ ? count : 0);
  }
  void Copy(void* out, size_t size) {
    if (!sound_ || size > rest_.size()) {
      sound_ = false;
      return;
    }
    if (size > 0) std::memcpy(out, rest_.data(), size);
    rest_ = rest_.subspan(size);
  }

  std::span<const uint8_t> rest_;
  bool sound_ = true;
};

// Calls visit(member) for each member of what travels; `Of` is the struct, const or not.
template <class Of, class Visit>
void VisitLimits(Of& limits, const Visit& visit) {
  visit(limits.network.neurons);
  visit(limits.network.synapses);
  visit(limits.network.layers);
  visit(limits.network.timesteps);
  visit(limits.image.side);
  visit(limits.image.pixels);
  visit(limits.image.bytes);
  visit(limits.image.jpeg_scans);
  visit(limits.frames);
}

template <class Of, class Visit>
void VisitLayer(Of& layer, const Visit& visit) {
  visit(layer.spikes);
  visit(layer.synops);
  visit(layer.macs);
  visit(layer.seconds);
}

void Put(Packer& packer, const Batch& batch) {
  packer.Put(uint64_t{batch.first});
  packer.Put(uint64_t{batch.count});
}

void Get(Unpacker& unpacker, Batch& batch) {
  batch.first = static_cast<size_t>(unpacker.GetCount());
  batch.count = static_cast<size_t>(unpacker.GetCount());
}

void Put(Packer& packer, const FileOutcome& outcome) {
  packer.Put(outcome.status.code());
  packer.Put(outcome.status.message());
  packer.Put(outcome.load_seconds);
  packer.Put(outcome.run_seconds);
  packer.Put(outcome.warning);
  if (!outcome.status.ok()) return;
  const Answer& answer = outcome.answer;
  packer.Put(answer.logits);
  packer.Put(answer.steps);
  packer.Put(answer.ending);
  packer.Put(uint64_t{answer.layers.size()});
  for (const LayerStatistics& layer : answer.layers) {
    VisitLayer(layer, [&](const auto& member) { packer.Put(member); });
  }
  packer.Put(uint64_t{answer.readings.size()});
  for (const Reading& reading : answer.readings) {
    packer.Put(reading.step);
    packer.Put(reading.logits);
    packer.Put(reading.margin);
    packer.Put(reading.synops);
  }
}

void Get(Unpacker& unpacker, FileOutcome& outcome) {
  StatusCode code = StatusCode::kOk;
  std::string message;
  unpacker.Get(code);
  unpacker.Get(message);
  outcome.status = Status(code, std::move(message));
  unpacker.Get(outcome.load_seconds);
  unpacker.Get(outcome.run_seconds);
  unpacker.Get(outcome.warning);
  if (code != StatusCode::kOk) return;
  Answer& answer = outcome.answer;
  unpacker.Get(answer.logits);
  unpacker.Get(answer.steps);
  unpacker.Get(answer.ending);
  unpacker.GetEach(unpacker.GetCount(), answer.layers, [&](LayerStatistics& layer) {
    VisitLayer(layer, [&](auto& member) { unpacker.Get(member); });
  });
  unpacker.GetEach(unpacker.GetCount(), answer.readings, [&](Reading& reading) {
    unpacker.Get(reading.step);
    unpacker.Get(reading.logits);
    unpacker.Get(reading.margin);
    unpacker.Get(reading.synops);
  });
}

template <class T>
std::optional<T> IfDone(const Unpacker& unpacker, T value) {
  return unpacker.Done() ? std::optional<T>(std::move(value)) : std::nullopt;
}

}  // namespace

Bytes Packed(const RankJob& job) {
  Packer packer;
  packer.Put(job.engine);
  VisitLimits(job.limits, [&](const auto& member) { packer.Put(member); });
  packer.Put(job.upright);
  packer.Put(job.options.threads);
  packer.Put(job.options.statistics);
  packer.Put(job.options.profile);
  packer.Put(job.options.chunk);
  packer.Put(job.options.early_exit_margin.has_value());
  packer.Put(job.options.early_exit_margin.value_or(0));
  packer.Put(job.options.keep_readings);
  packer.Put(job.threads);
  packer.Put(job.network_bytes);
  return packer.Take();
}

std::optional<RankJob> UnpackJob(std::span<const uint8_t> bytes) {
  Unpacker unpacker(bytes);
  RankJob job;
  bool has_margin = false;
  double margin = 0;
  unpacker.Get(job.engine);
  VisitLimits(job.limits, [&](auto& member) { unpacker.Get(member); });
  unpacker.Get(job.upright);
  unpacker.Get(job.options.threads);
  unpacker.Get(job.options.statistics);
  unpacker.Get(job.options.profile);
  unpacker.Get(job.options.chunk);
  unpacker.Get(has_margin);
  unpacker.Get(margin);
  unpacker.Get(job.options.keep_readings);
  unpacker.Get(job.threads);
  unpacker.Get(job.network_bytes);
  if (has_margin) job.options.early_exit_margin = margin;
  return IfDone(unpacker, std::move(job));
}

Bytes Packed(const PathBatch& paths) {
  Packer packer;
  Put(packer, paths.batch);
  for (const std::string& path : paths.paths) packer.Put(path);
  return packer.Take();
}

std::optional<PathBatch> UnpackPaths(std::span<const uint8_t> bytes) {
  Unpacker unpacker(bytes);
  PathBatch paths;
  Get(unpacker, paths.batch);
  unpacker.GetEach(paths.batch.count, paths.paths, [&](std::string& path) { unpacker.Get(path); });
  return IfDone(unpacker, std::move(paths));
}

Bytes Packed(const OutcomeBatch& outcomes) {
  Packer packer;
  Put(packer, outcomes.batch);
  for (const FileOutcome& outcome : outcomes.outcomes) Put(packer, outcome);
  return packer.Take();
}

std::optional<OutcomeBatch> UnpackOutcomes(std::span<const uint8_t> bytes) {
  Unpacker unpacker(bytes);
  OutcomeBatch outcomes;
  Get(unpacker, outcomes.batch);
  unpacker.GetEach(outcomes.batch.count, outcomes.outcomes,
                   [&](FileOutcome& outcome) { Get(unpacker, outcome); });
  return IfDone(unpacker, std::move(outcomes));
}

}  // namespace cssrun::tools
