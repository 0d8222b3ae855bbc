// Sessions on events: their contract. That their arithmetic is right, NirNetworksTest says.
#include "cssrun/event_session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cssrun/stream.h"
#include "tests/oracle/event_parts.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

std::shared_ptr<const Network> Load(const format::NetworkT& network) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  auto loaded = Network::FromBytes({bytes.data(), bytes.size()}, "net");
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  return loaded.ok() ? loaded.value() : nullptr;
}

EventSession Make(const format::NetworkT& network, const EventSessionOptions& options = {}) {
  return EventSession::Create(Load(network), options).value();
}

// `count` events, some of them at the same step.
std::vector<TimedEvent> Events(uint32_t count, uint64_t first = 0) {
  std::vector<TimedEvent> events;
  for (uint32_t i = 0; i < count; ++i) events.push_back({first + i * i / 7, i * 11 % 32, 1});
  return events;
}

std::vector<uint64_t> Counts(const EventSession& session, size_t layer) {
  std::vector<uint64_t> counts;
  EXPECT_TRUE(session.ReadCounts(layer, counts).ok());
  return counts;
}

std::vector<double> Potentials(const EventSession& session, size_t layer) {
  std::vector<double> potentials;
  EXPECT_TRUE(session.ReadPotentials(layer, potentials).ok());
  return potentials;
}

void ExpectSame(const EventSession& a, const EventSession& b) {
  EXPECT_EQ(a.now(), b.now());
  for (const size_t layer : {1, 2}) {
    EXPECT_EQ(Counts(a, layer), Counts(b, layer));
    EXPECT_EQ(Potentials(a, layer), Potentials(b, layer));
    EXPECT_EQ(a.layers()[layer].synops, b.layers()[layer].synops);
  }
}

TEST(EventSessionTest, TheNetworkSaysHowItIsRead) {
  const auto network = Load(oracle::SmallEventNetwork());
  ASSERT_NE(network->events(), nullptr);
  EXPECT_EQ(network->events()->step_seconds, 0.001);
  EXPECT_EQ(network->events()->readout, EventReadout::kCounts);
  EXPECT_EQ(network->events()->assumptions.size(), 1U);
  EXPECT_TRUE(network->events()->stepped.empty());
  EXPECT_EQ(network->layers()[0].kind, LayerKind::kEvents);
  EXPECT_EQ(network->layers()[2].kind, LayerKind::kReadout);
  EXPECT_EQ(network->logits(), 5U);
  EXPECT_EQ(network->input().channels, 2U);
  EXPECT_EQ(Load(oracle::SmallNetwork())->events(), nullptr);
}

TEST(EventSessionTest, ImagesAndEventsAreNotMistakenForEachOther) {
  const auto events = Load(oracle::SmallEventNetwork());
  const auto images = Load(oracle::SmallNetwork());
  EXPECT_EQ(EventSession::Create(images).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::Create(events).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Stream::Create(events).status().code(), StatusCode::kInvalidArgument);
  Answer answer;
  const std::vector<uint8_t> pixels(32);
  EXPECT_EQ(Session(events).Run(pixels, answer).code(), StatusCode::kInvalidArgument);
}

TEST(EventSessionTest, EventsThatCannotBeAreRefusedAndChangeNothing) {
  EventSession session = Make(oracle::SmallEventNetwork());
  ASSERT_TRUE(session.Feed(Events(20), 100).ok());
  const std::vector<uint64_t> before = Counts(session, 1);
  const std::vector<std::vector<TimedEvent>> wrong = {
      {{99, 0, 1}},                 // before now
      {{105, 0, 1}, {104, 0, 1}},   // out of order
      {{120, 0, 1}},                // not before `until`
      {{110, 32, 1}},               // no such address
      {{110, 0, 1e9F}},             // too large
      {{110, 0, std::stof("nan")}}  // no number
  };
  for (const std::vector<TimedEvent>& events : wrong) {
    EXPECT_EQ(session.Feed(events, 120).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(session.Feed({}, 99).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(session.now(), 100U);
  EXPECT_EQ(Counts(session, 1), before);
  std::vector<double> potentials;
  std::vector<uint64_t> counts;
  EXPECT_FALSE(session.ReadPotentials(0, potentials).ok());
  EXPECT_FALSE(session.ReadPotentials(3, potentials).ok());
  EXPECT_FALSE(session.ReadCounts(3, counts).ok());
}

TEST(EventSessionTest, PiecesResetAndSavedStatesChangeNoBit) {
  const std::vector<TimedEvent> events = Events(60);
  EventSession whole = Make(oracle::SmallEventNetwork());
  ASSERT_TRUE(whole.Feed(events, 600).ok());
  EXPECT_GT(whole.layers()[2].spikes, 0U);

  EventSession pieces = Make(oracle::SmallEventNetwork());
  std::vector<uint8_t> state;
  for (size_t i = 0; i < events.size(); ++i) {
    if (i > 0 && events[i - 1].step == events[i].step) continue;
    size_t end = i;
    while (end < events.size() && events[end].step == events[i].step) ++end;
    const uint64_t until = end < events.size() ? events[end].step : 600;
    ASSERT_TRUE(pieces.Feed(std::span(events).subspan(i, end - i), until).ok());
    pieces.Save(state);
    EventSession other = Make(oracle::SmallEventNetwork());
    ASSERT_TRUE(other.Restore(state).ok());
    pieces = std::move(other);
  }
  ExpectSame(whole, pieces);

  pieces.Reset();
  EXPECT_EQ(pieces.now(), 0U);
  ASSERT_TRUE(pieces.Feed(events, 600).ok());
  ExpectSame(whole, pieces);
}

TEST(EventSessionTest, DamagedStatesAreRefused) {
  EventSession session = Make(oracle::SmallEventNetwork());
  ASSERT_TRUE(session.Feed(Events(30), 200).ok());
  std::vector<uint8_t> state;
  session.Save(state);
  EventSession other = Make(oracle::SmallEventNetwork());
  for (size_t i = 0; i < state.size(); i += 5) {
    std::vector<uint8_t> damaged = state;
    damaged[i] ^= 0x10;
    ASSERT_EQ(other.Restore(damaged).code(), StatusCode::kInvalidArgument) << "byte " << i;
    damaged.resize(i);
    ASSERT_EQ(other.Restore(damaged).code(), StatusCode::kInvalidArgument) << "byte " << i;
  }
  EXPECT_EQ(other.now(), 0U);
  format::NetworkT changed = oracle::SmallEventNetwork();
  changed.events->nodes[1]->threshold = {2};
  const Status status = Make(changed).Restore(state);
  EXPECT_NE(status.message().find("another network"), std::string::npos) << status.message();
  EXPECT_TRUE(other.Restore(state).ok());
}

// An hour of silence is made up for, and costs nothing until something touches the neurons.
TEST(EventSessionTest, SilenceIsOneStep) {
  EventSession session = Make(oracle::SmallEventNetwork());
  ASSERT_TRUE(session.Feed(Events(8), 10).ok());
  const uint64_t updates = session.layers()[1].updates;
  constexpr uint64_t kYears = uint64_t{1} << 50;
  ASSERT_TRUE(session.Feed({}, kYears).ok());
  EXPECT_EQ(session.layers()[1].updates, updates);
  for (const double potential : Potentials(session, 1)) EXPECT_EQ(potential, 0);
  const std::vector<TimedEvent> late = {{kYears + 5, 3, 1}};
  ASSERT_TRUE(session.Feed(late, kYears + 6).ok());
  EXPECT_GT(session.layers()[1].updates, updates);
}

// A neuron that is above its threshold after it has fired fires at the next step without input.
TEST(EventSessionTest, WhatIsLeftAboveTheThresholdFiresLater) {
  EventSession session = Make(oracle::SmallEventNetwork());
  const std::vector<TimedEvent> events = {{0, 5, 16}};
  ASSERT_TRUE(session.Feed(events, 1).ok());
  const std::vector<uint64_t> first = Counts(session, 1);
  ASSERT_TRUE(session.Feed({}, 2).ok());
  EXPECT_GT(Counts(session, 1), first);
}

TEST(EventSessionTest, ABiasMakesALayerStepped) {
  format::NetworkT network = oracle::SmallEventNetwork();
  network.events->nodes[2]->drive = {0.25};
  const auto loaded = Load(network);
  EXPECT_EQ(loaded->events()->stepped, std::vector<std::string>{"last"});
  EventSession session = EventSession::Create(loaded).value();
  ASSERT_TRUE(session.Feed({}, 100).ok());
  // 0.25 a step crosses 1 with the fifth, and with each fourth after it.
  EXPECT_EQ(Counts(session, 2), std::vector<uint64_t>(5, 24));
}

TEST(EventSessionTest, CancellationEndsAFeed) {
  std::atomic<bool> cancel = true;
  EventSession session = Make(oracle::SmallEventNetwork(), {.cancel = &cancel});
  EXPECT_EQ(session.Feed(Events(5), 50).code(), StatusCode::kCancelled);
  cancel = false;
  session.Reset();
  EXPECT_TRUE(session.Feed(Events(5), 50).ok());
}

}  // namespace
}  // namespace cssrun
