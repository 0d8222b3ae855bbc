#include "runtime/stream/check_stream.h"

#include <string>

#include "runtime/neuron/settled.h"

namespace cssrun::internal {

Status CheckStream(const LoadedNetwork& network) {
  if (network.events() != nullptr) {
    return Status::InvalidArgument(
        "stream: this network takes events, not frames: run it with an EventSession");
  }
  if (network.engine() != EngineKind::kInteger) {
    const std::string why = network.float_reason.empty() ? "" : " (" + network.float_reason + ")";
    return Status::InvalidArgument("stream: the network runs in float" + why +
                                   ", and only whole numbers give the same bits again; convert the "
                                   "model with --timesteps 5 --beta 2 --silent 4 --threshold 0.75");
  }
  if (IsSettled(network.beta, network.timesteps, network.silent_steps)) return Status::Ok();
  const std::string first = network.layer_infos.size() > 1 ? network.layer_infos[1].name : "";
  return Status::InvalidArgument(
      "stream: layer " + first + " and all others fire before their input is complete (T = " +
      std::to_string(network.timesteps) + ", L = " + std::to_string(network.silent_steps) +
      "); convert the model with --timesteps 5 --beta 2 --silent 4 --threshold 0.75, or let "
      "cssconvert choose");
}

}  // namespace cssrun::internal
