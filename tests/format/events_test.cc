// Checks that the loader refuses every network of events that is not sound, and says which field is
// wrong.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "format/network_file.h"
#include "tests/oracle/event_parts.h"

namespace cssrun {
namespace {

using format::EventNodeT;
using format::NetworkT;

Status LoadStatus(const NetworkT& network, const NetworkLimits& limits = {}) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  return format::NetworkFile::FromBytes({bytes.data(), bytes.size()}, "net", limits).status();
}

EventNodeT& First(NetworkT& network) { return *network.events->nodes[1]; }
EventNodeT& Last(NetworkT& network) { return *network.events->nodes[2]; }

TEST(EventNetworkFileTest, LoadsASoundNetwork) {
  const Status status = LoadStatus(oracle::SmallEventNetwork());
  EXPECT_TRUE(status.ok()) << status.message();
}

struct BadEvents {
  const char* field;  // the message must name this
  std::function<void(NetworkT&)> damage;
};

class BadEventsTest : public testing::TestWithParam<BadEvents> {};

TEST_P(BadEventsTest, IsRefusedAndTheFieldNamed) {
  NetworkT network = oracle::SmallEventNetwork();
  GetParam().damage(network);
  const Status status = LoadStatus(network);
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  EXPECT_EQ(status.message().find("net: "), 0U) << status.message();
  EXPECT_NE(status.message().find(GetParam().field), std::string::npos) << status.message();
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    EveryField, BadEventsTest,
    testing::Values(
        BadEvents{"since format version 6",
                  [](NetworkT& n) { n.format_version = format::kImagesVersion; }},
        BadEvents{"step_seconds", [](NetworkT& n) { n.events->step_seconds = 0; }},
        BadEvents{"step_seconds", [](NetworkT& n) { n.events->step_seconds = kNaN; }},
        BadEvents{"nodes", [](NetworkT& n) { n.events->nodes.resize(1); }},
        BadEvents{"answer", [](NetworkT& n) { n.answer = format::AnswerKind::Numbers; }},
        BadEvents{"labels", [](NetworkT& n) { n.labels = {"a"}; }},
        BadEvents{"extent",
                  [](NetworkT& n) {
                    *First(n).extent = {0, 4, 4};
                  }},
        BadEvents{"extent",
                  [](NetworkT& n) {
                    *First(n).extent = {3, 1 << 15, 4};
                  }},
        BadEvents{"the last node",
                  [](NetworkT& n) { Last(n).sending = format::EventSending::Values; }},
        BadEvents{"only the last",
                  [](NetworkT& n) { First(n).sending = format::EventSending::Nothing; }},
        BadEvents{"unknown kind", [](NetworkT& n) { First(n).sending = format::EventSending{9}; }},
        BadEvents{"the input has none",
                  [](NetworkT& n) { n.events->nodes[0]->synapses.swap(First(n).synapses); }},
        BadEvents{"nothing drives", [](NetworkT& n) { First(n).synapses.clear(); }},
        BadEvents{"decay", [](NetworkT& n) { First(n).decay = {1.5}; }},
        BadEvents{"decay", [](NetworkT& n) { First(n).decay = {kNaN}; }},
        BadEvents{"decay", [](NetworkT& n) { First(n).decay = {-0.5}; }},
        BadEvents{"decay", [](NetworkT& n) { First(n).decay = {1 - 1e-9}; }},
        BadEvents{"decay", [](NetworkT& n) { First(n).decay.clear(); }},
        BadEvents{"gain",
                  [](NetworkT& n) {
                    First(n).gain = {1, 2};
                  }},
        BadEvents{"gain", [](NetworkT& n) { First(n).gain = {1e31}; }},
        BadEvents{"drive", [](NetworkT& n) { First(n).drive = {-1e31}; }},
        BadEvents{"current_decay", [](NetworkT& n) { First(n).current_decay = {2}; }},
        BadEvents{"floor", [](NetworkT& n) { First(n).floor = {0.5}; }},
        BadEvents{"threshold", [](NetworkT& n) { First(n).threshold = {0}; }},
        BadEvents{"threshold", [](NetworkT& n) { First(n).threshold = {}; }},
        BadEvents{"reset", [](NetworkT& n) { First(n).reset = format::EventReset{7}; }},
        BadEvents{"reset_value", [](NetworkT& n) { First(n).reset = format::EventReset::Value; }},
        BadEvents{"reset_value is not below",
                  [](NetworkT& n) {
                    First(n).reset = format::EventReset::Value;
                    First(n).reset_value = {1};
                  }},
        BadEvents{"source", [](NetworkT& n) { First(n).synapses[0]->source = 1; }},
        BadEvents{"source", [](NetworkT& n) { First(n).synapses[0]->source = 77; }},
        BadEvents{"source sends nothing",
                  [](NetworkT& n) {
                    Last(n).sending = format::EventSending::Nothing;
                    First(n).synapses[0]->source = 2;
                    First(n).synapses[0]->delay = 1;
                  }},
        BadEvents{"delay", [](NetworkT& n) { First(n).synapses[0]->delay = 2; }},
        BadEvents{"groups", [](NetworkT& n) { First(n).synapses[0]->groups = 2; }},
        BadEvents{"groups", [](NetworkT& n) { First(n).synapses[0]->groups = 0; }},
        BadEvents{"weights", [](NetworkT& n) { First(n).synapses[0]->weights.pop_back(); }},
        BadEvents{"weights", [](NetworkT& n) { First(n).synapses[0]->weights[3] = INFINITY; }},
        BadEvents{"stride", [](NetworkT& n) { First(n).synapses[0]->window->mutate_stride_x(0); }},
        BadEvents{"does not lead",
                  [](NetworkT& n) { First(n).synapses[0]->window->mutate_stride_x(2); }},
        BadEvents{"kernel", [](NetworkT& n) { Last(n).synapses[0]->pool->mutate_kernel_x(0); }},
        BadEvents{"pool", [](NetworkT& n) { Last(n).synapses[0]->pool->mutate_kernel_x(9); }}));

TEST(EventNetworkFileTest, AReadersLimitsHold) {
  const NetworkT network = oracle::SmallEventNetwork();
  for (const auto& [limits, name] : {std::pair{NetworkLimits{50, 1 << 20, 64, 32}, "neurons"},
                                     std::pair{NetworkLimits{1 << 20, 50, 64, 32}, "synapses"},
                                     std::pair{NetworkLimits{1 << 20, 1 << 20, 2, 32}, "layers"}}) {
    const Status status = LoadStatus(network, limits);
    EXPECT_EQ(status.code(), StatusCode::kBadModel);
    EXPECT_NE(status.message().find(std::string("limit \"") + name), std::string::npos)
        << status.message();
  }
}

// The work that a plan of the axes takes is bounded, whatever a small file says.
TEST(EventNetworkFileTest, AWindowThatIsTooLargeIsRefused) {
  NetworkT network = oracle::SmallEventNetwork();
  *network.events->nodes[0]->extent = {1, 1, 16384};
  *First(network).extent = {1, 1, 16384};
  First(network).synapses[0]->window =
      std::make_unique<format::Window>(1, 8193, 1, 1, 0, 4096, 0, 4096, 1, 1);
  First(network).synapses[0]->weights.assign(8193, 1.0F);
  const Status status = LoadStatus(network);
  EXPECT_NE(status.message().find("window is too large"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace cssrun
