#include "cssrun/network.h"

#include <utility>

#include "format/network_file.h"
#include "runtime/execution_network.h"

namespace cssrun {

Network::Network(std::unique_ptr<internal::ExecutionNetwork> execution)
    : execution_(std::move(execution)) {}

Network::~Network() = default;

Result<std::shared_ptr<const Network>> Network::Load(const std::string& path) {
  Result<NetworkFile> file = NetworkFile::Open(path);
  if (!file.ok()) return file.status();
  return std::shared_ptr<const Network>(new Network(
      std::make_unique<internal::ExecutionNetwork>(internal::LayOutNetwork(file.value()))));
}

Result<std::shared_ptr<const Network>> Network::FromBytes(std::span<const uint8_t> bytes,
                                                          const std::string& name) {
  Result<NetworkFile> file = NetworkFile::FromBytes(bytes, name);
  if (!file.ok()) return file.status();
  return std::shared_ptr<const Network>(new Network(
      std::make_unique<internal::ExecutionNetwork>(internal::LayOutNetwork(file.value()))));
}

const InputFormat& Network::input() const { return execution_->input; }
const std::vector<std::string>& Network::labels() const { return execution_->labels; }
const std::vector<LayerInfo>& Network::layers() const { return execution_->layer_infos; }
uint32_t Network::logits() const { return execution_->layers.back().extent.channels(); }
uint32_t Network::timesteps() const { return execution_->timesteps; }
uint32_t Network::latency_steps() const { return execution_->latency_steps; }
uint64_t Network::macs_per_image() const { return execution_->macs_per_image; }

}  // namespace cssrun
