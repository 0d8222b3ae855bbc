#include "cssrun/network.h"

#include <utility>

#include "cssrun/version.h"
#include "format/network_file.h"
#include "runtime/network/loaded_network.h"
#include "runtime/within_memory.h"

namespace cssrun {

const char* LayerKindName(LayerKind kind) {
  switch (kind) {
    case LayerKind::kEncoder:
      return "encoder";
    case LayerKind::kPixels:
      return "pixels";
    case LayerKind::kNeurons:
      return "neurons";
    case LayerKind::kPooledNeurons:
      return "pooled neurons";
    case LayerKind::kReadout:
      return "readout";
    case LayerKind::kEvents:
      break;
  }
  return "events";
}

Network::Network(std::unique_ptr<internal::LoadedNetwork> loaded) : loaded_(std::move(loaded)) {}

Network::~Network() = default;

namespace {

void LogLoaded(const internal::LoadedNetwork& network, const std::string& name, size_t bytes,
               const LogSink& log) {
  if (!log) return;
  if (network.events() != nullptr) {
    log(LogLevel::kInformation, name + ": " + std::to_string(network.layer_infos.size() - 1) +
                                    " layers that take events, " + std::to_string(bytes) +
                                    " bytes");
    return;
  }
  log(LogLevel::kInformation, name + ": " + std::to_string(network.layers.size()) + " layers, " +
                                  std::to_string(network.timesteps) + " timesteps, " +
                                  std::to_string(bytes) + " bytes");
  if (network.engine() == EngineKind::kInteger) {
    log(LogLevel::kInformation, name + ": runs in integers with " + SimdTarget());
  } else if (network.float_reason.empty()) {
    log(LogLevel::kInformation, name + ": runs in float with " + SimdTarget());
  } else {
    log(LogLevel::kWarning,
        name + ": runs in float, some ten times slower: " + network.float_reason);
  }
}

// Lays out the network of the file that `open`, a function returning a Result<NetworkFile>, opens.
// The file is released on return.
template <class Open>
Result<std::unique_ptr<internal::LoadedNetwork>> OpenAndLayOut(Open open, const std::string& name,
                                                               const LoadOptions& options) {
  const Result<format::NetworkFile> file = open();
  if (!file.ok()) return file.status();
  try {
    auto loaded = std::make_unique<internal::LoadedNetwork>(
        internal::LayOutNetwork(file.value(), options.engine, options.file_may_ask_for_float));
    LogLoaded(*loaded, name, file.value().size(), options.log);
    return loaded;
  } catch (const format::WeightsFailed& failed) {
    return failed.status();
  }
}

}  // namespace

template <class Open>
Result<std::shared_ptr<const Network>> Network::Make(Open open, const std::string& name,
                                                     const LoadOptions& options) {
  return internal::WithinMemory([&]() -> Result<std::shared_ptr<const Network>> {
    auto loaded = OpenAndLayOut(open, name, options);
    if (!loaded.ok()) return loaded.status();
    return std::shared_ptr<const Network>(new Network(std::move(loaded).value()));
  });
}

Result<std::shared_ptr<const Network>> Network::Load(const std::string& path,
                                                     const LoadOptions& options) {
  return Make(
      [&] { return format::NetworkFile::Open(path, options.limits, format::Kept::kAllButWeights); },
      path, options);
}

Result<std::shared_ptr<const Network>> Network::FromBytes(std::span<const uint8_t> bytes,
                                                          const std::string& name,
                                                          const LoadOptions& options) {
  return Make([&] { return format::NetworkFile::FromBytes(bytes, name, options.limits); }, name,
              options);
}

Result<std::shared_ptr<const Network>> Network::FromDescriptor(int descriptor,
                                                               const std::string& name,
                                                               const LoadOptions& options) {
  return Make(
      [&] {
        return format::NetworkFile::FromDescriptor(descriptor, name, options.limits,
                                                   format::Kept::kAllButWeights);
      },
      name, options);
}

EngineKind Network::engine() const { return loaded_->engine(); }
const std::string& Network::why_float() const { return loaded_->float_reason; }
const EventReading* Network::events() const {
  return loaded_->events() == nullptr ? nullptr : &loaded_->events()->reading;
}
const InputFormat& Network::input() const { return loaded_->input; }
const std::vector<std::string>& Network::labels() const { return loaded_->labels; }
const std::vector<LayerInfo>& Network::layers() const { return loaded_->layer_infos; }
AnswerKind Network::answer() const { return loaded_->answer; }
const std::vector<OutputInfo>& Network::outputs() const { return loaded_->outputs; }
uint32_t Network::logits() const {
  const OutputInfo& last = loaded_->outputs.back();
  return static_cast<uint32_t>(last.first + last.size());
}
uint32_t Network::timesteps() const { return loaded_->timesteps; }
uint32_t Network::latency_steps() const { return loaded_->latency_steps; }
std::optional<double> Network::early_exit_margin() const {
  if (loaded_->early_exit_margin < 0) return std::nullopt;
  return static_cast<double>(loaded_->early_exit_margin);
}
uint64_t Network::macs_per_image() const { return loaded_->macs_per_image; }

}  // namespace cssrun
