#include "cssrun/session.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "format/geometry.h"
#include "runtime/engine/check_pixels.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/input.h"
#include "runtime/engine/recording.h"
#include "runtime/network/network_access.h"
#include "runtime/within_memory.h"

namespace cssrun {
namespace {

using internal::CodedSpike;

// Checks the caller's events and writes them to `coded`, sorted by step, position and channel.
// Errors: kInvalidArgument, naming the event.
Status SortEvents(const Network& network, std::span<const InputEvent> events,
                  std::vector<CodedSpike>& coded) {
  const InputFormat& input = network.input();
  const uint32_t positions = input.height * input.width;
  const auto error_at = [](size_t index, const std::string& what) {
    return Status::InvalidArgument("event " + std::to_string(index) + ": " + what);
  };
  coded.clear();
  for (size_t i = 0; i < events.size(); ++i) {
    const InputEvent& event = events[i];
    if (event.step >= network.timesteps()) {
      return error_at(i, "step " + std::to_string(event.step) + "; the network has " +
                             std::to_string(network.timesteps()));
    }
    if (event.address >= uint64_t{positions} * input.channels) {
      return error_at(i, "address " + std::to_string(event.address) + "; the network has " +
                             std::to_string(uint64_t{positions} * input.channels) + " inputs");
    }
    if (event.sign != 1 && event.sign != -1) {
      return error_at(i, "sign " + std::to_string(event.sign) + " is neither 1 nor -1");
    }
    coded.push_back({event.step, event.address % positions,
                     static_cast<uint16_t>(event.address / positions),
                     static_cast<int8_t>(event.sign)});
  }
  const auto key = [](const CodedSpike& spike) {
    return std::tuple(spike.step, spike.position, spike.channel);
  };
  std::ranges::sort(coded, {}, key);
  const auto duplicate = std::ranges::adjacent_find(coded, {}, key);
  if (duplicate == coded.end()) return Status::Ok();
  return Status::InvalidArgument(
      "two events at step " + std::to_string(duplicate->step) + " of address " +
      std::to_string(duplicate->channel * positions + duplicate->position));
}

Status CheckOptions(const internal::LoadedNetwork& network, const SessionOptions& options) {
  if (network.events() != nullptr) {
    return Status::InvalidArgument(
        "this network takes events, not images: run it with an EventSession");
  }
  if (options.early_exit_margin.has_value() && network.answer == AnswerKind::kNumbers) {
    return Status::InvalidArgument(
        "an early exit, but the answers of this network are numbers, not classes with a margin");
  }
  return internal::CheckRecordRequests(network, options);
}

}  // namespace

Session::Session(std::shared_ptr<const Network> network, const SessionOptions& options)
    : network_(std::move(network)) {
  const internal::LoadedNetwork& loaded = internal::Loaded(*network_);
  options_status_ = CheckOptions(loaded, options);
  if (options_status_.ok()) engine_ = internal::MakeEngine(loaded, options);
}

Result<Session> Session::Create(std::shared_ptr<const Network> network,
                                const SessionOptions& options) {
  return internal::WithinMemory([&]() -> Result<Session> {
    Session session(std::move(network), options);
    if (!session.options_status_.ok()) return session.options_status_;
    return session;
  });
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Status Session::Run(std::span<const uint8_t> pixels, Answer& answer, PixelOrder order) {
  if (!options_status_.ok()) return options_status_;
  if (Status status = internal::CheckPixels(*network_, pixels); !status.ok()) return status;
  return RunInput({.kind = internal::InputKind::kBytes, .order = order, .bytes = pixels}, answer);
}

Status Session::Run(std::span<const float> pixels, Answer& answer, PixelOrder order) {
  if (!options_status_.ok()) return options_status_;
  if (Status status = internal::CheckPixels(*network_, pixels); !status.ok()) return status;
  return RunInput({.kind = internal::InputKind::kValues, .order = order, .values = pixels}, answer);
}

Status Session::Run(std::span<const InputEvent> events, Answer& answer) {
  if (!options_status_.ok()) return options_status_;
  if (internal::Loaded(*network_).direct_input.has_value()) {
    return Status::InvalidArgument(
        "events, but this network takes pixels directly; convert it with --input css");
  }
  Status sorted = internal::WithinMemory([&] { return SortEvents(*network_, events, coded_); });
  if (!sorted.ok()) return sorted;
  return RunInput({.kind = internal::InputKind::kSpikes, .spikes = coded_}, answer);
}

Status Session::RunInput(const internal::Input& input, Answer& answer) {
  return internal::WithinMemory([&] { return engine_->Run(input, answer); });
}

}  // namespace cssrun
