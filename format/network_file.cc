#include "format/network_file.h"

#include <cstring>
#include <utility>

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

}  // namespace

Result<NetworkFile> NetworkFile::Open(const std::string& path, const NetworkLimits& limits) {
  Result<FileBytes> bytes = ReadFileBytes(path, kMaximumBytes);
  if (!bytes.ok()) return bytes.status();
  return Verify(std::move(bytes).value(), path, limits);
}

Result<NetworkFile> NetworkFile::FromDescriptor(int descriptor, const std::string& name,
                                                const NetworkLimits& limits) {
  Result<FileBytes> bytes = ReadFileBytes(descriptor, name, kMaximumBytes);
  if (!bytes.ok()) return bytes.status();
  return Verify(std::move(bytes).value(), name, limits);
}

Result<NetworkFile> NetworkFile::FromBytes(std::span<const uint8_t> bytes, const std::string& name,
                                           const NetworkLimits& limits) {
  if (bytes.empty() || bytes.size() > kMaximumBytes) {
    return Status::BadModel(name + ": a network of " + std::to_string(bytes.size()) + " bytes");
  }
  if (reinterpret_cast<uintptr_t>(bytes.data()) % FileBytes::kAlignment == 0) {
    return Verify(FileBytes::Borrow(bytes), name, limits);
  }
  FileBytes copy(bytes.size());
  if (copy.empty())
    return Status(StatusCode::kOutOfMemory, name + ": not enough memory to read it");
  std::memcpy(copy.bytes().data(), bytes.data(), bytes.size());
  return Verify(std::move(copy), name, limits);
}

Result<NetworkFile> NetworkFile::Verify(FileBytes contents, const std::string& name,
                                        const NetworkLimits& limits) {
  const std::span<const uint8_t> bytes = contents.bytes();
  if (bytes.size() < kSmallestHeader || !NetworkBufferHasIdentifier(bytes.data())) {
    return Status::BadModel(name + ": not a network file (no identifier " + NetworkIdentifier() +
                            "); make one with cssconvert");
  }
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kMaximumDepth, kMaximumTables);
  if (!VerifyNetworkBuffer(verifier)) {
    return Status::BadModel(name + ": damaged network file; convert the model again");
  }
  const Status meaning = ValidateNetwork(*GetNetwork(bytes.data()), limits);
  if (!meaning.ok()) return Status(meaning.code(), name + ": " + meaning.message());
  return NetworkFile(std::move(contents));
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
