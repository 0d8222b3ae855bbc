#include "runtime/stream/stream_engine.h"

#include <chrono>
#include <string>

#include "format/geometry.h"
#include "runtime/neuron/settled.h"

namespace cssrun::internal {
namespace {

SessionOptions OptionsOf(const StreamOptions& options) {
  SessionOptions session;
  session.threads = options.threads;
  session.profile = options.profile;
  session.cancel = options.cancel;
  return session;
}

}  // namespace

Status CheckStream(const LoadedNetwork& network) {
  if (network.engine() != EngineKind::kInteger) {
    const std::string why = network.float_reason.empty() ? "" : " (" + network.float_reason + ")";
    return Status::InvalidArgument("stream: the network runs in float" + why +
                                   ", and only whole numbers give the same bits again; convert the "
                                   "model with --timesteps 5 --beta 2 --silent 4");
  }
  if (IsSettled(network.beta, network.timesteps, network.silent_steps)) return Status::Ok();
  const std::string first = network.layer_infos.size() > 1 ? network.layer_infos[1].name : "";
  return Status::InvalidArgument(
      "stream: layer " + first + " and all others fire before their input is complete (T = " +
      std::to_string(network.timesteps) + ", L = " + std::to_string(network.silent_steps) +
      "); convert the model with --timesteps 5 --beta 2 --silent 4, or let cssconvert choose");
}

StreamEngine::StreamEngine(const LoadedNetwork& network, const StreamOptions& options)
    : network_(network),
      options_(options),
      picture_(network.layers.front().extent, options.hold),
      engine_(network, OptionsOf(options)) {}

Status StreamEngine::Next(const Input& frame, StreamAnswer& answer) {
  return RunFrame(picture_.Take(frame), answer);
}

Status StreamEngine::Next(std::span<const ChangedPixel> changes, StreamAnswer& answer) {
  picture_.Take(changes);
  return RunFrame(false, answer);
}

Status StreamEngine::RunFrame(bool first, StreamAnswer& answer) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const Input input = picture_.input();
  if (Status status = engine_.Run(input, whole_); !status.ok()) return status;
  frame_ = first ? 0 : frame_ + 1;
  answer.frame = frame_;
  answer.logits = whole_.logits;
  answer.layers.assign(network_.layers.size(), StreamLayer());
  answer.neurons = answer.changed = answer.updates = answer.synops = 0;
  answer.changed_pixels = picture_.changed_numbers();
  for (size_t i = 0; i < answer.layers.size(); ++i) {
    StreamLayer& layer = answer.layers[i];
    layer.spikes = whole_.layers[i].spikes;
    layer.synops = whole_.layers[i].synops;
    layer.seconds = whole_.layers[i].seconds;
    answer.synops += layer.synops;
    if (SendsSpikes(network_, i))
      layer.neurons = layer.changed = Neurons(network_.layers[i].extent);
    if (i == 0) continue;
    answer.neurons += layer.neurons;
    answer.changed += layer.changed;
  }
  answer.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return Status::Ok();
}

}  // namespace cssrun::internal
