#include "tests/fuzz/run_network.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "tests/fuzz/target.h"

namespace cssrun::fuzz {
namespace {

void RequireCleanRefusal(const Status& status, const std::string& name) {
  Require(status.code() == StatusCode::kBadModel, "a network is refused with kBadModel");
  Require(status.message().rfind(name + ": ", 0) == 0, "the message begins with the name");
  Require(status.message().size() > name.size() + 2, "the message says something");
}

std::vector<uint8_t> Pixels(const InputFormat& input) {
  std::vector<uint8_t> pixels(size_t{input.channels} * input.height * input.width);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 73 + i / 7);
  return pixels;
}

void RunEngine(std::span<const uint8_t> bytes, const LoadOptions& options) {
  const auto loaded = Network::FromBytes(bytes, "input", options);
  Require(loaded.ok(), "what verifies can be laid out");
  const std::shared_ptr<const Network>& network = loaded.value();
  SessionOptions settings;
  settings.keep_readings = true;
  settings.record = {{0, true, false}, {1, true, true}};
  Result<Session> session = Session::Create(network, settings);
  Require(session.ok(), "a session of sound options can be made");
  const std::vector<uint8_t> pixels = Pixels(network->input());
  Answer first;
  Answer second;
  Require(session.value().Run(pixels, first).ok(), "an image of the right size runs");
  Require(session.value().Run(pixels, second).ok(), "it runs again");
  Require(first.logits.size() == network->logits(), "a logit for each class");
  // memcmp() instead of ==, because a NaN must equal itself here.
  Require(std::memcmp(first.logits.data(), second.logits.data(),
                      first.logits.size() * sizeof(float)) == 0,
          "the same image gives the same bits");
  Answer whole;
  Session other(network, {});
  Require(other.Run(pixels, whole).ok(), "it runs layer after layer");
  Require(std::memcmp(first.logits.data(), whole.logits.data(),
                      first.logits.size() * sizeof(float)) == 0,
          "the order of the work does not change a bit");
}

// The same events, fed at once and in two pieces with a saved state between them.
void RunEvents(const std::shared_ptr<const Network>& network) {
  const InputFormat& input = network->input();
  const uint64_t addresses = uint64_t{input.channels} * input.height * input.width;
  std::vector<TimedEvent> events;
  for (uint64_t i = 0; i < 20; ++i) {
    events.push_back({i * i / 3, static_cast<uint32_t>(i * 7919 % addresses), 1});
  }
  Result<EventSession> whole = EventSession::Create(network);
  Result<EventSession> pieces = EventSession::Create(network);
  Require(whole.ok() && pieces.ok(), "a session can be made");
  Require(whole.value().Feed(events, 200).ok(), "events run");
  const std::span<const TimedEvent> all(events);
  Require(pieces.value().Feed(all.first(8), events[8].step).ok(), "events run");
  std::vector<uint8_t> state;
  pieces.value().Save(state);
  Require(pieces.value().Feed(all.subspan(8), 150).ok(), "events run");
  Require(pieces.value().Restore(state).ok(), "a state can be restored");
  Require(pieces.value().Feed(all.subspan(8), 200).ok(), "events run again");
  std::vector<float> first;
  std::vector<float> second;
  whole.value().ReadLogits(first);
  pieces.value().ReadLogits(second);
  Require(first.size() == network->logits() && second.size() == first.size(), "logits");
  Require(std::memcmp(first.data(), second.data(), first.size() * sizeof(float)) == 0,
          "pieces change no bit");
}

}  // namespace

bool RunNetwork(std::span<const uint8_t> bytes, const NetworkLimits& limits) {
  LoadOptions options;
  options.limits = limits;
  const auto network = Network::FromBytes(bytes, "input", options);
  if (!network.ok()) {
    RequireCleanRefusal(network.status(), "input");
    return false;
  }
  if (network.value()->events() != nullptr) {
    RunEvents(network.value());
    return true;
  }
  RunEngine(bytes, options);
  options.engine = EngineKind::kFloat;
  RunEngine(bytes, options);
  return true;
}

}  // namespace cssrun::fuzz
