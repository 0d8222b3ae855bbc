#include "cssrun/network.h"

#include <utility>

#include "format/network_file.h"
#include "runtime/execution_network.h"

namespace cssrun {

Network::Network(std::unique_ptr<internal::ExecutionNetwork> execution)
    : execution_(std::move(execution)) {}

Network::~Network() = default;

namespace {

std::unique_ptr<internal::ExecutionNetwork> LayOut(const NetworkFile& file, EngineKind engine) {
  return std::make_unique<internal::ExecutionNetwork>(
      engine == EngineKind::kFloat ? internal::LayOutNetwork(file)
                                   : internal::LayOutNetworkInIntegers(file));
}

}  // namespace

Result<std::shared_ptr<const Network>> Network::Load(const std::string& path, EngineKind engine) {
  Result<NetworkFile> file = NetworkFile::Open(path);
  if (!file.ok()) return file.status();
  return std::shared_ptr<const Network>(new Network(LayOut(file.value(), engine)));
}

Result<std::shared_ptr<const Network>> Network::FromBytes(std::span<const uint8_t> bytes,
                                                          const std::string& name,
                                                          EngineKind engine) {
  Result<NetworkFile> file = NetworkFile::Borrow(bytes, name);
  if (!file.ok()) return file.status();
  return std::shared_ptr<const Network>(new Network(LayOut(file.value(), engine)));
}

EngineKind Network::engine() const {
  return execution_->integers != nullptr ? EngineKind::kInteger : EngineKind::kFloat;
}
const std::string& Network::why_float() const { return execution_->float_reason; }
const InputFormat& Network::input() const { return execution_->input; }
const std::vector<std::string>& Network::labels() const { return execution_->labels; }
const std::vector<LayerInfo>& Network::layers() const { return execution_->layer_infos; }
uint32_t Network::logits() const { return execution_->layers.back().extent.channels(); }
uint32_t Network::timesteps() const { return execution_->timesteps; }
uint32_t Network::latency_steps() const { return execution_->latency_steps; }
std::optional<double> Network::early_exit_margin() const {
  if (execution_->early_exit_margin < 0) return std::nullopt;
  return static_cast<double>(execution_->early_exit_margin);
}
uint64_t Network::macs_per_image() const { return execution_->macs_per_image; }

}  // namespace cssrun
