// Checks that the loader refuses every network that is not sound, and says which field is wrong.
#include "format/network_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

using format::NetworkT;

Status LoadStatus(const NetworkT& network) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  return format::NetworkFile::FromBytes({bytes.data(), bytes.size()}, "net").status();
}

// Returns a network of two layers, a pool, a mean and a shortcut.
NetworkT Sound() { return oracle::SmallNetwork(); }

TEST(NetworkFileTest, LoadsASoundNetwork) {
  const Status status = LoadStatus(Sound());
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST(NetworkFileTest, SameNetworkSameBytes) {
  const flatbuffers::DetachedBuffer a = format::SerializeNetwork(Sound());
  const flatbuffers::DetachedBuffer b = format::SerializeNetwork(Sound());
  ASSERT_EQ(a.size(), b.size());
  EXPECT_TRUE(std::equal(a.data(), a.data() + a.size(), b.data()));
}

TEST(NetworkFileTest, WeightsAreAlignedInMemory) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(Sound());
  const Result<format::NetworkFile> file =
      format::NetworkFile::FromBytes({bytes.data(), bytes.size()}, "net");
  ASSERT_TRUE(file.ok());
  for (const format::Node* node : *file.value().network().nodes()) {
    for (const format::Synapses* s : *node->synapses()) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(s->weights()->Data()) % 64, 0U);
    }
  }
}

struct BadNetwork {
  const char* field;  // the message must name this field
  std::function<void(NetworkT&)> damage;
};

class BadNetworkTest : public testing::TestWithParam<BadNetwork> {};

TEST_P(BadNetworkTest, IsRefusedAndTheFieldNamed) {
  NetworkT network = Sound();
  GetParam().damage(network);
  const Status status = LoadStatus(network);
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  EXPECT_EQ(status.message().find("net: "), 0U) << status.message();
  EXPECT_NE(status.message().find(GetParam().field), std::string::npos) << status.message();
}

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

INSTANTIATE_TEST_SUITE_P(
    EveryField, BadNetworkTest,
    testing::Values(
        BadNetwork{"version", [](NetworkT& n) { n.format_version = format::kFormatVersion + 1; }},
        BadNetwork{"version", [](NetworkT& n) { n.format_version = format::kOldestFormatVersion - 1; }},
        BadNetwork{"limit \"timesteps\"", [](NetworkT& n) { n.code->timesteps = 1000; }},
        BadNetwork{"input", [](NetworkT& n) { n.code->input = format::InputCoding{2}; }},
        BadNetwork{"early_exit_margin",
                   [](NetworkT& n) { n.code->early_exit_margin = kInfinity; }},
        BadNetwork{"stddev", [](NetworkT& n) { n.preprocessing->stddev[2] = -1; }},
        BadNetwork{"stddev", [](NetworkT& n) { n.preprocessing->stddev[1] = kInfinity; }},
        BadNetwork{"origin", [](NetworkT& n) { n.origin->calibration_agreement = kInfinity; }},
        BadNetwork{"labels", [](NetworkT& n) { n.labels.emplace_back("one too many"); }},
        BadNetwork{"amplitude", [](NetworkT& n) { n.nodes[2]->amplitude = -1; }},
        BadNetwork{"amplitude", [](NetworkT& n) { n.nodes[2]->amplitude = kNaN; }},
        BadNetwork{"thresholds", [](NetworkT& n) { n.nodes[1]->thresholds[0] = 2000; }},
        BadNetwork{"thresholds", [](NetworkT& n) { n.nodes[2]->thresholds[1] = -0.5F; }},
        BadNetwork{"bias", [](NetworkT& n) { n.nodes[3]->bias[0] = kInfinity; }},
        BadNetwork{"rectify", [](NetworkT& n) { n.nodes[0]->rectify = true; }},
        BadNetwork{"initial_potential",
                   [](NetworkT& n) { n.nodes[2]->initial_potential = kInfinity; }},
        BadNetwork{"source", [](NetworkT& n) { n.nodes[2]->synapses[0]->source = 3; }},
        BadNetwork{"stride",
                   [](NetworkT& n) {
                     n.nodes[1]->synapses[0]->window =
                         std::make_unique<format::Window>(1, 1, 0, 1, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"weights", [](NetworkT& n) { n.nodes[3]->synapses[0]->weights.push_back(1); }},
        BadNetwork{"weights", [](NetworkT& n) { n.nodes[2]->synapses[1]->weights[0] = kInfinity; }},
        BadNetwork{"spread", [](NetworkT& n) { n.nodes[1]->synapses[0]->spread_y = 0; }},
        BadNetwork{"spread", [](NetworkT& n) { n.nodes[1]->synapses[0]->spread_x = -2; }},
        BadNetwork{"spread", [](NetworkT& n) { n.nodes[1]->synapses[0]->spread_x = 1 << 14; }},
        BadNetwork{"spread", [](NetworkT& n) { n.nodes[1]->synapses[0]->spread_y = INT32_MAX; }},
        BadNetwork{"window does not lead",
                   [](NetworkT& n) { n.nodes[1]->synapses[0]->spread_y = 2; }},
        BadNetwork{"spread: only of convolutions",
                   [](NetworkT& n) { n.nodes[2]->synapses[1]->spread_y = 2; }},
        BadNetwork{"spread: since format version 4",
                   [](NetworkT& n) {
                     n.format_version = 3;
                     n.nodes[1]->synapses[0]->spread_x = 2;
                   }},
        BadNetwork{"average",
                   [](NetworkT& n) {
                     n.nodes[3]->synapses[0]->average =
                         std::make_unique<format::Window>(2, 2, 0, 1, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"synapses", [](NetworkT& n) {
                     auto synapses = std::make_unique<format::SynapsesT>();
                     synapses->window =
                         std::make_unique<format::Window>(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
                     n.nodes[0]->synapses.push_back(std::move(synapses));
                   }},
        BadNetwork{"timesteps", [](NetworkT& n) { n.code->timesteps = 0; }},
        BadNetwork{"timesteps", [](NetworkT& n) { n.code->timesteps = 4000000000U; }},
        BadNetwork{"silent_steps", [](NetworkT& n) { n.code->silent_steps = 9; }},
        BadNetwork{"beta", [](NetworkT& n) { n.code->beta = 0.5F; }},
        BadNetwork{"beta", [](NetworkT& n) { n.code->beta = kNaN; }},
        BadNetwork{"beta", [](NetworkT& n) { n.code->timesteps = 200; }},
        BadNetwork{"early_exit_margin", [](NetworkT& n) { n.code->early_exit_margin = kNaN; }},
        BadNetwork{"mean", [](NetworkT& n) { n.preprocessing->mean.pop_back(); }},
        BadNetwork{"grid_step", [](NetworkT& n) { n.preprocessing->grid_step = kNaN; }},
        BadNetwork{"grid_step", [](NetworkT& n) { n.preprocessing->grid_step = 0.1F; }},
        BadNetwork{"lowest_level", [](NetworkT& n) { n.nodes[0]->lowest_level = -1; }},
        BadNetwork{"lowest_level",
                   [](NetworkT& n) {
                     n.code->beta = 2;
                     n.nodes[1]->lowest_level = 1;
                     n.nodes[1]->highest_level = 2;
                   }},
        BadNetwork{"highest_level",
                   [](NetworkT& n) {
                     n.code->beta = 2;
                     n.nodes[1]->highest_level = 1 << 20;
                   }},
        BadNetwork{"mean", [](NetworkT& n) { n.preprocessing->mean[1] = kInfinity; }},
        BadNetwork{"stddev", [](NetworkT& n) { n.preprocessing->stddev.push_back(1); }},
        BadNetwork{"stddev", [](NetworkT& n) { n.preprocessing->stddev[0] = 0; }},
        BadNetwork{"resize", [](NetworkT& n) { n.preprocessing->resize = 3; }},
        BadNetwork{"resize", [](NetworkT& n) { n.preprocessing->resize = 1U << 30; }},
        BadNetwork{"labels", [](NetworkT& n) { n.labels.pop_back(); }},
        BadNetwork{"origin", [](NetworkT& n) { n.origin->ann_top1 = kNaN; }},
        BadNetwork{"nodes", [](NetworkT& n) { n.nodes.resize(1); }},
        BadNetwork{"kind", [](NetworkT& n) { n.nodes[0]->kind = format::NodeKind::Neurons; }},
        BadNetwork{"kind", [](NetworkT& n) { n.nodes[1]->kind = format::NodeKind::Encoder; }},
        BadNetwork{"kind", [](NetworkT& n) { n.nodes[3]->kind = format::NodeKind::Neurons; }},
        BadNetwork{"kind", [](NetworkT& n) { n.nodes[1]->kind = format::NodeKind{77}; }},
        BadNetwork{"extent", [](NetworkT& n) { *n.nodes[1]->extent = {3, 0, 4}; }},
        BadNetwork{"extent", [](NetworkT& n) { *n.nodes[1]->extent = {1U << 31, 4, 4}; }},
        BadNetwork{"extent", [](NetworkT& n) { *n.nodes[1]->extent = {60000, 16384, 16384}; }},
        BadNetwork{"potential", [](NetworkT& n) { *n.nodes[1]->potential = {3, 5, 4}; }},
        BadNetwork{"channels", [](NetworkT& n) { *n.nodes[1]->potential = {4, 4, 4}; }},
        BadNetwork{"pool", [](NetworkT& n) { n.nodes[2]->pool.reset(); }},
        BadNetwork{"pool",
                   [](NetworkT& n) {
                     n.nodes[2]->pool = std::make_unique<format::Window>(0, 2, 2, 2, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"pool",
                   [](NetworkT& n) {
                     n.nodes[2]->pool = std::make_unique<format::Window>(2, 2, 0, 2, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"pool",
                   [](NetworkT& n) {
                     // The second pool of a row would have no member.
                     n.nodes[2]->pool = std::make_unique<format::Window>(2, 2, 4, 4, 0, 0, 2, 2, 1, 1);
                   }},
        BadNetwork{"pool",
                   [](NetworkT& n) {
                     n.nodes[3]->pool = std::make_unique<format::Window>(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"rectify", [](NetworkT& n) { n.nodes[3]->rectify = true; }},
        BadNetwork{"amplitude", [](NetworkT& n) { n.nodes[1]->amplitude = 0; }},
        BadNetwork{"amplitude", [](NetworkT& n) { n.nodes[0]->amplitude = kInfinity; }},
        BadNetwork{"initial_potential", [](NetworkT& n) { n.nodes[1]->initial_potential = kNaN; }},
        BadNetwork{"thresholds", [](NetworkT& n) { n.nodes[1]->thresholds.pop_back(); }},
        BadNetwork{"thresholds", [](NetworkT& n) { n.nodes[1]->thresholds[2] = 0; }},
        BadNetwork{"thresholds", [](NetworkT& n) { n.nodes[0]->thresholds[2] = kNaN; }},
        BadNetwork{"thresholds", [](NetworkT& n) { n.nodes[3]->thresholds.push_back(1); }},
        BadNetwork{"bias", [](NetworkT& n) { n.nodes[1]->bias.pop_back(); }},
        BadNetwork{"bias", [](NetworkT& n) { n.nodes[1]->bias[0] = kNaN; }},
        BadNetwork{"bias", [](NetworkT& n) { n.nodes[0]->bias = {1, 2, 3}; }},
        BadNetwork{"offset", [](NetworkT& n) { n.nodes[0]->offset = 1; }},
        BadNetwork{"offset", [](NetworkT& n) { n.nodes[2]->offset += 1; }},
        BadNetwork{"delay", [](NetworkT& n) { n.nodes[2]->synapses[1]->delay += 1; }},
        BadNetwork{"delay", [](NetworkT& n) { n.nodes[2]->synapses[1]->delay -= 1; }},
        BadNetwork{"synapses", [](NetworkT& n) { n.nodes[1]->synapses.clear(); }},
        BadNetwork{"source", [](NetworkT& n) { n.nodes[1]->synapses[0]->source = 1; }},
        BadNetwork{"source", [](NetworkT& n) { n.nodes[1]->synapses[0]->source = 4000000000U; }},
        BadNetwork{"kind",
                   [](NetworkT& n) { n.nodes[1]->synapses[0]->kind = format::SynapseKind{9}; }},
        BadNetwork{"groups", [](NetworkT& n) { n.nodes[1]->synapses[0]->groups = 0; }},
        BadNetwork{"groups", [](NetworkT& n) { n.nodes[1]->synapses[0]->groups = 2; }},
        BadNetwork{"weights", [](NetworkT& n) { n.nodes[1]->synapses[0]->weights.pop_back(); }},
        BadNetwork{"weights", [](NetworkT& n) { n.nodes[1]->synapses[0]->weights[4] = kNaN; }},
        BadNetwork{"window",
                   [](NetworkT& n) {
                     n.nodes[1]->synapses[0]->window =
                         std::make_unique<format::Window>(3, 3, 1, 1, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"kernel",
                   [](NetworkT& n) {
                     n.nodes[1]->synapses[0]->window =
                         std::make_unique<format::Window>(-1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"dilation",
                   [](NetworkT& n) {
                     n.nodes[1]->synapses[0]->window =
                         std::make_unique<format::Window>(1, 1, 1, 1, 0, 0, 0, 0, 0, 1);
                   }},
        BadNetwork{"padding",
                   [](NetworkT& n) {
                     n.nodes[1]->synapses[0]->window = std::make_unique<format::Window>(
                         1, 1, 1, 1, 2000000000, 0, 2000000000, 0, 1, 1);
                   }},
        BadNetwork{"average",
                   [](NetworkT& n) {
                     n.nodes[3]->synapses[0]->average =
                         std::make_unique<format::Window>(5, 5, 1, 1, 0, 0, 0, 0, 1, 1);
                   }},
        BadNetwork{"average window is too large",
                   [](NetworkT& n) {
                     // The mean is padded and has 16,384 x 16,384 members at 16,384 positions and
                     // more.
                     n.nodes[3]->synapses[0]->average = std::make_unique<format::Window>(
                         16384, 16384, 1, 1, 8190, 8190, 16383, 16383, 1, 1);
                   }},
        BadNetwork{"channel_offset",
                   [](NetworkT& n) { n.nodes[2]->synapses[1]->channel_offset = 3; }},
        BadNetwork{"channel_offset",
                   [](NetworkT& n) { n.nodes[2]->synapses[1]->channel_offset = -2000000000; }},
        BadNetwork{"identity", [](NetworkT& n) { n.nodes[2]->synapses[1]->weights.push_back(1); }},
        BadNetwork{"kind",
                   [](NetworkT& n) {
                     n.nodes[2]->kind = format::NodeKind::Readout;
                     n.nodes[2]->thresholds.clear();
                   }},
        BadNetwork{"source: a readout",
                   [](NetworkT& n) {
                     n.answer = format::AnswerKind::Numbers;
                     n.labels.clear();
                     n.nodes.push_back(std::make_unique<format::NodeT>(*n.nodes[3]));
                     n.nodes[4]->synapses[0]->source = 3;
                   }},
        BadNetwork{"answer", [](NetworkT& n) { n.answer = static_cast<format::AnswerKind>(2); }},
        BadNetwork{"labels", [](NetworkT& n) { n.answer = format::AnswerKind::Numbers; }},
        BadNetwork{"output_shape", [](NetworkT& n) { n.nodes[3]->output_shape = {3}; }},
        BadNetwork{"output_shape", [](NetworkT& n) { n.nodes[3]->output_shape = {4, 0}; }},
        BadNetwork{"output_shape",
                   [](NetworkT& n) { n.nodes[3]->output_shape = {1U << 31, 1U << 31, 4}; }},
        BadNetwork{"output_shape", [](NetworkT& n) { n.nodes[2]->output_shape = {4}; }},
        BadNetwork{"output_order", [](NetworkT& n) { n.nodes[3]->output_order = {0, 1, 2, 3}; }},
        BadNetwork{"output_order", [](NetworkT& n) {
                     n.nodes[3]->output_shape = {4};
                     n.nodes[3]->output_order = {0, 1, 2, 4};
                   }}));

// Checks that the loader applies every limit, names it in the message, and lets it be raised.
TEST(NetworkLimitsTest, AreKeptAndCanBeRaised) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(Sound());
  const auto load = [&](const NetworkLimits& limits) {
    return format::NetworkFile::FromBytes({bytes.data(), bytes.size()}, "net", limits).status();
  };
  // Encoder 48 + 48; layer 48 + 48; pooled 48 + 12; readout 4 + 4.
  constexpr uint64_t kNeurons = 260;
  // 1x1 from 3 to 3 channels at 16 positions, twice; a shortcut of 3 channels at 16 positions; a
  // mean of 4 members of 3 channels at one position, and 4 x 3 weights.
  constexpr uint64_t kSynapses = 144 + 144 + 48 + 12 + 12;
  const uint32_t timesteps = Sound().code->timesteps;
  EXPECT_TRUE(load({kNeurons, kSynapses, 4, timesteps}).ok());
  const struct {
    NetworkLimits limits;
    std::string name;
  } cases[] = {{{kNeurons - 1, kSynapses, 4, timesteps}, "neurons"},
               {{kNeurons, kSynapses - 1, 4, timesteps}, "synapses"},
               {{kNeurons, kSynapses, 3, timesteps}, "layers"},
               {{kNeurons, kSynapses, 4, timesteps - 1}, "timesteps"}};
  for (const auto& c : cases) {
    const Status status = load(c.limits);
    EXPECT_EQ(status.code(), StatusCode::kBadModel);
    EXPECT_NE(status.message().find("raise the limit \"" + c.name + "\""), std::string::npos)
        << status.message();
  }
}

// Loads a file of a kilobyte that asks for more than any machine has.
TEST(NetworkLimitsTest, ASmallFileCannotAskForEverything) {
  NetworkT network = oracle::ChainNetwork(1, 4, 1.5F, 0);
  for (size_t i = 0; i < 2; ++i) {
    *network.nodes[i]->extent = {1, 8192, 8192};
    *network.nodes[i]->potential = {1, 8192, 8192};
  }
  network.preprocessing->mean = {0};
  network.preprocessing->stddev = {1};
  network.preprocessing->resize = 8192;
  network.nodes[1]->bias = {0};
  format::SynapsesT& s = *network.nodes[1]->synapses[0];
  s.kind = format::SynapseKind::Identity;
  s.weights = {1};
  const Status status = LoadStatus(network);
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  EXPECT_NE(status.message().find("neurons"), std::string::npos) << status.message();
}

// Loads damaged bytes that are not a sound FlatBuffer, and files of other formats.
TEST(NetworkFileTest, RefusesEveryKindOfBrokenBuffer) {
  const flatbuffers::DetachedBuffer buffer = format::SerializeNetwork(Sound());
  const std::vector<uint8_t> sound(buffer.data(), buffer.data() + buffer.size());
  const auto put = [&](size_t at, uint32_t value) {
    std::vector<uint8_t> bytes = sound;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes;
  };
  const auto offset_of = [&](const void* field) {
    return static_cast<size_t>(static_cast<const uint8_t*>(field) - buffer.data());
  };
  const format::Network& network = *format::GetNetwork(buffer.data());
  uint32_t root = 0;
  std::memcpy(&root, sound.data(), sizeof root);
  const std::vector<std::pair<std::vector<uint8_t>, const char*>> cases = {
      {put(0, 0), "damaged"},
      {put(0, 0xFFFFFFFF), "damaged"},
      {put(0, static_cast<uint32_t>(sound.size())), "damaged"},
      {put(0, static_cast<uint32_t>(sound.size() - 1)), "damaged"},
      {put(0, root + 1), "damaged"},
      {put(4, 0x4E535343 + 1), "CSSN"},
      {put(root, 0), "damaged"},           // the root's vtable is the root itself
      {put(root, 0x7FFFFFFF), "damaged"},  // or lies before the file
      {put(root, 0x80000001), "damaged"},  // or behind it
      // Lists that are longer than the file, or whose elements lie elsewhere.
      {put(offset_of(network.nodes()), 0xFFFFFFFF), "damaged"},
      {put(offset_of(network.nodes()), 1U << 28), "damaged"},
      {put(offset_of(network.nodes()) + 4, 0x7FFFFFF0), "damaged"},
      {put(offset_of(network.labels()), 0x40000000), "damaged"},
      {put(offset_of(network.labels()) + 4, 3), "damaged"},
      {put(offset_of(network.nodes()->Get(1)->name()), 0x7FFFFFFF), "damaged"},
      {put(offset_of(network.nodes()->Get(1)->bias()), 0x3FFFFFFF), "damaged"},
      {put(offset_of(network.nodes()->Get(1)->thresholds()), 0x3FFFFFFF), "damaged"},
      {put(offset_of(network.nodes()->Get(1)->synapses()), 0x3FFFFFFF), "damaged"},
      {put(offset_of(network.nodes()->Get(1)->synapses()->Get(0)->weights()), 0x3FFFFFFF),
       "damaged"},
      {put(offset_of(network.preprocessing()->mean()), 0x3FFFFFFF), "damaged"},
      {std::vector<uint8_t>(sound.begin(), sound.begin() + 7), "CSSN"},
      {std::vector<uint8_t>(sound.begin(), sound.begin() + 8), "damaged"},
      {std::vector<uint8_t>(8, 0), "CSSN"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const Status status = format::NetworkFile::FromBytes(cases[i].first, "net").status();
    EXPECT_EQ(status.code(), StatusCode::kBadModel) << i;
    EXPECT_NE(status.message().find(cases[i].second), std::string::npos)
        << i << ": " << status.message();
  }
}

// Checks that a missing table or list counts as damage and is not a null pointer.
TEST(NetworkFileTest, RefusesMissingParts) {
  const flatbuffers::DetachedBuffer whole = format::SerializeNetwork(Sound());
  const std::unique_ptr<NetworkT> sound = format::UnPackNetwork(whole.data());
  for (int missing = 0; missing < 6; ++missing) {
    flatbuffers::FlatBufferBuilder builder;
    const auto code = format::Code::Pack(builder, sound->code.get());
    const auto preprocessing = format::Preprocessing::Pack(builder, sound->preprocessing.get());
    std::vector<flatbuffers::Offset<format::Node>> nodes;
    for (const auto& node : sound->nodes) nodes.push_back(format::Node::Pack(builder, node.get()));
    const auto node_list = builder.CreateVector(nodes);
    const auto labels = builder.CreateVectorOfStrings(sound->labels);
    const auto origin = format::Origin::Pack(builder, sound->origin.get());
    // Finish() of the generated builder would assert that the part is there.
    const flatbuffers::uoffset_t table = builder.StartTable();
    if (missing != 0) {
      builder.AddElement<uint32_t>(format::Network::VT_FORMAT_VERSION, format::kFormatVersion, 0);
    }
    if (missing != 1) builder.AddOffset(format::Network::VT_CODE, code);
    if (missing != 2) builder.AddOffset(format::Network::VT_PREPROCESSING, preprocessing);
    if (missing != 3) builder.AddOffset(format::Network::VT_NODES, node_list);
    if (missing != 4) builder.AddOffset(format::Network::VT_LABELS, labels);
    if (missing != 5) builder.AddOffset(format::Network::VT_ORIGIN, origin);
    builder.Finish(flatbuffers::Offset<format::Network>(builder.EndTable(table)),
                   format::NetworkIdentifier());
    const Status status =
        format::NetworkFile::FromBytes({builder.GetBufferPointer(), builder.GetSize()}, "net")
            .status();
    EXPECT_EQ(status.code(), StatusCode::kBadModel) << missing;
    EXPECT_NE(status.message().find(missing == 0 ? "version 0" : "damaged"), std::string::npos)
        << missing << ": " << status.message();
  }
}

TEST(NetworkFileTest, RefusesWhatIsNoNetwork) {
  const std::vector<uint8_t> garbage(100, 0x41);
  const Status status = format::NetworkFile::FromBytes(garbage, "junk").status();
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  EXPECT_NE(status.message().find("CSSN"), std::string::npos) << status.message();
  EXPECT_EQ(format::NetworkFile::FromBytes({}, "none").status().code(), StatusCode::kBadModel);
}

TEST(NetworkFileTest, RefusesEveryTruncation) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(Sound());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Result<format::NetworkFile> file =
        format::NetworkFile::FromBytes({bytes.data(), size}, "short");
    // A cut in the padding at the end of the file is no damage.
    if (size + 64 < bytes.size()) {
      EXPECT_FALSE(file.ok()) << size;
    }
  }
}

}  // namespace
}  // namespace cssrun
