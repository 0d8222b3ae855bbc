// Files of which weights are read when they are asked for.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/session.h"
#include "format/network_file.h"
#include "format/read_skeleton.h"
#include "format/validate.h"
#include "tests/oracle/random_network.h"
#include "tests/temporary_folder.h"

namespace cssrun {
namespace {

using format::Kept;
using format::NetworkFile;
using format::NetworkT;
using format::Synapses;

constexpr size_t kWide = 2;  // the node with 36,864 weights

NetworkT Wide() { return oracle::WideNetwork(4, 64, 64, 1); }

class LeftOutWeightsTest : public testing::Test {
 protected:
  void Write(const NetworkT& network) {
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
    bytes_.assign(bytes.data(), bytes.data() + bytes.size());
    Write(bytes_);
  }
  void Write(const std::vector<uint8_t>& bytes) const {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "net.fb";
  std::vector<uint8_t> bytes_;
};

const Synapses& WideSynapses(const NetworkFile& file) {
  return *file.network().nodes()->Get(kWide)->synapses()->Get(0);
}

TEST_F(LeftOutWeightsTest, AreReadWhenTheyAreAskedFor) {
  const NetworkT network = Wide();
  Write(network);
  const Result<NetworkFile> file = NetworkFile::Open(path_, {}, Kept::kAllButWeights);
  ASSERT_TRUE(file.ok()) << file.status().message();
  const std::vector<float>& expected = network.nodes[kWide]->synapses[0]->weights;
  ASSERT_GE(expected.size() * sizeof(float), format::kFewWeightBytes);
  const Synapses& synapses = WideSynapses(file.value());
  ASSERT_EQ(synapses.weights()->size(), expected.size());
  // All but the first and the last page are left out.
  size_t zeros = 0;
  for (const float weight : *synapses.weights()) zeros += weight == 0 ? 1 : 0;
  EXPECT_GE(zeros, expected.size() - 2 * 4096 / sizeof(float));
  const format::Weights weights = file.value().WeightsOf(synapses);
  EXPECT_TRUE(std::ranges::equal(weights.numbers, expected));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weights.numbers.data()) % 64, 0U);
  // Few weights are there.
  const Synapses& few = *file.value().network().nodes()->Get(1)->synapses()->Get(0);
  EXPECT_EQ(file.value().WeightsOf(few).numbers.data(), few.weights()->data());
}

// A page that is looked at becomes part of the process, zeros or not. Here it would end it.
TEST_F(LeftOutWeightsTest, NobodyLooksAtTheirPages) {
  constexpr uintptr_t kPage = 4096;
  Write(Wide());
  const Result<format::Descriptor> file = format::OpenFile(path_);
  ASSERT_TRUE(file.ok());
  const Result<format::FileBytes> skeleton =
      format::ReadSkeleton(file.value().get(), path_, bytes_.size());
  ASSERT_TRUE(skeleton.ok());
  const std::span<const uint8_t> bytes = skeleton.value().bytes();
  const format::Network& network = *format::GetNetwork(bytes.data());
  const auto& weights = *network.nodes()->Get(kWide)->synapses()->Get(0)->weights();
  const auto first = (reinterpret_cast<uintptr_t>(weights.data()) + kPage - 1) / kPage * kPage;
  const auto last = reinterpret_cast<uintptr_t>(weights.data() + weights.size()) / kPage * kPage;
  ASSERT_GE(last - first, 30 * kPage);
  ASSERT_EQ(mprotect(reinterpret_cast<void*>(first), last - first, PROT_NONE), 0);
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  EXPECT_TRUE(format::VerifyNetworkBuffer(verifier));
  const Status status = format::ValidateNetwork(network, {}, Kept::kAllButWeights);
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(LeftOutWeightsTest, MustBeFinite) {
  for (const size_t at : {0, 20'000, 36'863}) {
    NetworkT network = Wide();
    network.nodes[kWide]->synapses[0]->weights[at] = std::numeric_limits<float>::quiet_NaN();
    Write(network);
    const Status lazy = NetworkFile::Open(path_, {}, Kept::kAllButWeights).status();
    EXPECT_EQ(lazy.code(), StatusCode::kBadModel);
    EXPECT_EQ(lazy.message(), NetworkFile::Open(path_).status().message());
  }
}

TEST_F(LeftOutWeightsTest, AFileThatChangesMeanwhileIsAnError) {
  Write(Wide());
  const auto why = [](const NetworkFile& file) -> std::string {
    try {
      file.WeightsOf(WideSynapses(file));
    } catch (const format::WeightsFailed& failed) {
      EXPECT_EQ(failed.status().code(), StatusCode::kIo);
      return failed.status().message();
    }
    return "";
  };
  const Result<NetworkFile> file = NetworkFile::Open(path_, {}, Kept::kAllButWeights);
  ASSERT_TRUE(file.ok());
  const auto begin = reinterpret_cast<const uint8_t*>(WideSynapses(file.value()).weights()->data());
  const auto* root = reinterpret_cast<const uint8_t*>(&file.value().network());
  const auto where = std::search(bytes_.begin(), bytes_.end(), begin, begin + 256) - bytes_.begin();
  ASSERT_LT(root, begin);
  std::vector<uint8_t> changed = bytes_;
  std::fill_n(changed.begin() + where + 40'000, 4, uint8_t{0xFF});  // no number
  Write(changed);
  EXPECT_EQ(why(file.value()), path_ + ": changed while it was read");
  std::filesystem::resize_file(path_, static_cast<size_t>(where) + 50'000);
  EXPECT_EQ(why(file.value()), path_ + ": became shorter while it was read");
}

Result<Answer> AnswerOf(const Result<std::shared_ptr<const Network>>& network,
                        const std::vector<uint8_t>& pixels) {
  if (!network.ok()) return network.status();
  Session session(network.value());
  Answer answer;
  if (Status status = session.Run(pixels, answer); !status.ok()) return status;
  return answer;
}

TEST_F(LeftOutWeightsTest, ANetworkAnswersTheSame) {
  const NetworkT network = Wide();
  Write(network);
  const std::vector<uint8_t> pixels = oracle::RandomPixels(network, 1);
  for (const EngineKind engine : {EngineKind::kInteger, EngineKind::kFloat}) {
    LoadOptions options;
    options.engine = engine;
    const auto lazy = AnswerOf(Network::Load(path_, options), pixels);
    const auto whole = AnswerOf(Network::FromBytes(bytes_, "net", options), pixels);
    ASSERT_TRUE(lazy.ok() && whole.ok());
    EXPECT_EQ(lazy.value().logits, whole.value().logits);
  }
}

// Offsets are followed before anybody has verified them. Where damage leads into weights, zeros are
// verified in their place, so a few files are judged otherwise than as a whole.
TEST_F(LeftOutWeightsTest, DamagedFilesAreRefusedOrRun) {
  constexpr size_t kDamages = 300;
  const NetworkT network = Wide();
  Write(network);
  const std::vector<uint8_t> pixels = oracle::RandomPixels(network, 1);
  std::mt19937 generator(1);
  std::uniform_int_distribution<size_t> near_the_start(0, 2047);  // where tables and offsets are
  std::uniform_int_distribution<size_t> anywhere(0, bytes_.size() - 1);
  size_t refused = 0;
  size_t otherwise = 0;
  for (size_t i = 0; i < kDamages; ++i) {
    std::vector<uint8_t> damaged = bytes_;
    for (size_t k = 0; k < 1 + i % 3; ++k) {
      damaged[i % 4 == 0 ? anywhere(generator) : near_the_start(generator)] ^=
          static_cast<uint8_t>(1 + generator() % 255);
    }
    if (i % 5 == 0) damaged.resize(anywhere(generator) + 1);
    Write(damaged);
    const auto lazy = AnswerOf(Network::Load(path_), pixels);
    const auto whole = AnswerOf(Network::FromBytes(damaged, path_), pixels);
    if (!lazy.ok()) {
      ++refused;
      EXPECT_EQ(lazy.status().code(), StatusCode::kBadModel) << lazy.status().message();
      EXPECT_EQ(lazy.status().message().find(path_ + ": "), 0U) << lazy.status().message();
    }
    const bool same = lazy.ok() && whole.ok() ? lazy.value().logits == whole.value().logits
                                              : lazy.ok() == whole.ok();
    otherwise += same ? 0 : 1;
  }
  EXPECT_GE(refused, kDamages / 4);
  EXPECT_LE(otherwise, kDamages / 50);
}

}  // namespace
}  // namespace cssrun
