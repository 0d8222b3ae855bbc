#include "format/network_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "format/checks.h"
#include "format/read_skeleton.h"
#include "format/validate.h"

namespace cssrun::format {
namespace {

// FlatBuffers asserts that a buffer is below 2 GiB, which a release build does not check.
constexpr size_t kMaximumBytes = FLATBUFFERS_MAX_BUFFER_SIZE - 1;
// Tables nest three deep in the schema (network, node, synapses); the rest is slack.
constexpr flatbuffers::uoffset_t kMaximumDepth = 8;
constexpr flatbuffers::uoffset_t kMaximumTables = 1 << 20;
// A buffer begins with the root offset and the identifier, 4 bytes each.
constexpr size_t kSmallestHeader = 8;
// Weights that are read at a time to be checked.
constexpr size_t kCheckedTogether = size_t{1} << 16;

}  // namespace

Result<NetworkFile> NetworkFile::Open(const std::string& path, const NetworkLimits& limits,
                                      Kept kept) {
  const Result<Descriptor> file = OpenFile(path);
  if (!file.ok()) return file.status();
  return FromDescriptor(file.value().get(), path, limits, kept);
}

Result<NetworkFile> NetworkFile::FromDescriptor(int descriptor, const std::string& name,
                                                const NetworkLimits& limits, Kept kept) {
  if (kept == Kept::kAll) {
    Result<FileBytes> bytes = ReadFileBytes(descriptor, name, kMaximumBytes);
    if (!bytes.ok()) return bytes.status();
    return Verify(std::move(bytes).value(), name, limits, kept);
  }
  Result<FileBytes> bytes = ReadSkeleton(descriptor, name, kMaximumBytes);
  if (!bytes.ok()) return bytes.status();
  Result<NetworkFile> verified = Verify(std::move(bytes).value(), name, limits, kept);
  if (!verified.ok()) return verified.status();
  NetworkFile file = std::move(verified).value();
  // The caller may close the own one.
  file.file_ = Descriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!file.file_.open()) return Status::Io(name + ": too many open files to read it");
  file.name_ = name;
  if (Status status = file.CheckWeights(); !status.ok()) return status;
  return file;
}

Result<NetworkFile> NetworkFile::FromBytes(std::span<const uint8_t> bytes, const std::string& name,
                                           const NetworkLimits& limits) {
  if (bytes.empty() || bytes.size() > kMaximumBytes) {
    return Status::BadModel(name + ": a network of " + std::to_string(bytes.size()) + " bytes");
  }
  if (reinterpret_cast<uintptr_t>(bytes.data()) % FileBytes::kAlignment == 0) {
    return Verify(FileBytes::Borrow(bytes), name, limits, Kept::kAll);
  }
  FileBytes copy(bytes.size());
  if (copy.empty())
    return Status(StatusCode::kOutOfMemory, name + ": not enough memory to read it");
  std::memcpy(copy.bytes().data(), bytes.data(), bytes.size());
  return Verify(std::move(copy), name, limits, Kept::kAll);
}

Result<NetworkFile> NetworkFile::Verify(FileBytes contents, const std::string& name,
                                        const NetworkLimits& limits, Kept kept) {
  const std::span<const uint8_t> bytes = contents.bytes();
  if (bytes.size() < kSmallestHeader || !NetworkBufferHasIdentifier(bytes.data())) {
    return Status::BadModel(name + ": not a network file (no identifier " + NetworkIdentifier() +
                            "); make one with cssconvert");
  }
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kMaximumDepth, kMaximumTables);
  if (!VerifyNetworkBuffer(verifier)) {
    return Status::BadModel(name + ": damaged network file; convert the model again");
  }
  const Status meaning = ValidateNetwork(*GetNetwork(bytes.data()), limits, kept);
  if (!meaning.ok()) return Status(meaning.code(), name + ": " + meaning.message());
  return NetworkFile(std::move(contents));
}

bool MayBeLeftOut(const Synapses& synapses) {
  return synapses.weights()->size() * sizeof(float) >= kFewWeightBytes;
}

bool NetworkFile::LeftOut(const Synapses& synapses) const {
  return file_.open() && network().events() == nullptr && MayBeLeftOut(synapses);
}

Status NetworkFile::ReadWeights(const Synapses& synapses, size_t first,
                                std::span<float> numbers) const {
  const auto* begin = reinterpret_cast<const uint8_t*>(synapses.weights()->data());
  const size_t offset = static_cast<size_t>(begin - bytes_.bytes().data()) + first * sizeof(float);
  return ReadAt(file_.get(), name_, offset,
                {reinterpret_cast<uint8_t*>(numbers.data()), numbers.size_bytes()});
}

Status NetworkFile::CheckWeights() const {
  if (network().events() != nullptr) return Status::Ok();
  std::vector<float> room(kCheckedTogether);
  for (uint32_t i = 0; i < network().nodes()->size(); ++i) {
    const auto& synapses = *network().nodes()->Get(i)->synapses();
    for (uint32_t k = 0; k < synapses.size(); ++k) {
      const Synapses& s = *synapses.Get(k);
      if (!LeftOut(s)) continue;
      for (size_t first = 0; first < s.weights()->size(); first += room.size()) {
        const auto some =
            std::span(room).first(std::min<size_t>(room.size(), s.weights()->size() - first));
        if (Status status = ReadWeights(s, first, some); !status.ok()) return status;
        if (AllFinite(some)) continue;
        const Status bad = BadWeights(network(), i, k);
        return Status(bad.code(), name_ + ": " + bad.message());
      }
    }
  }
  return Status::Ok();
}

Weights NetworkFile::WeightsOf(const Synapses& synapses) const {
  const flatbuffers::Vector<float>& weights = *synapses.weights();
  if (!LeftOut(synapses)) return {{weights.data(), weights.size()}, {}};
  // A mapping of its own, which returns to the system when the layer is laid out.
  FileBytes own = FileBytes::Zeros(weights.size() * sizeof(float));
  if (own.empty()) throw std::bad_alloc();
  const std::span<float> numbers(reinterpret_cast<float*>(own.bytes().data()), weights.size());
  if (Status status = ReadWeights(synapses, 0, numbers); !status.ok()) throw WeightsFailed(status);
  if (!AllFinite(numbers)) {
    throw WeightsFailed(Status::Io(name_ + ": changed while it was read"));
  }
  return {numbers, std::move(own)};
}

flatbuffers::DetachedBuffer SerializeNetwork(const NetworkT& network) {
  size_t weights = 0;
  for (const auto& node : network.nodes) {
    for (const auto& synapses : node->synapses) weights += synapses->weights.size();
  }
  if (network.events != nullptr) {
    for (const auto& node : network.events->nodes) {
      for (const auto& synapses : node->synapses) weights += synapses->weights.size();
    }
  }
  // Reserve enough room from the start: a builder that grows copies all weights and holds them
  // twice.
  constexpr size_t kRoomForTheRest = 1 << 20;
  flatbuffers::FlatBufferBuilder builder(weights * sizeof(float) + kRoomForTheRest);
  builder.Finish(Network::Pack(builder, &network), NetworkIdentifier());
  return builder.Release();
}

NetworkT MakeEventFile(std::unique_ptr<EventNetworkT> events) {
  NetworkT network;
  network.format_version = kEventsVersion;
  network.code = std::make_unique<CodeT>();
  network.preprocessing = std::make_unique<PreprocessingT>();
  network.origin = std::make_unique<OriginT>();
  network.events = std::move(events);
  return network;
}

}  // namespace cssrun::format
