// Makes a random network with an image and the answer of a plain run, for each engine. Tests of the
// ways to run a session compare with this answer.
#ifndef CSSRUN_TESTS_RUNTIME_RANDOM_RUN_H_
#define CSSRUN_TESTS_RUNTIME_RANDOM_RUN_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

namespace cssrun {

constexpr uint32_t kSeeds = 40;

// Expects the same answer, with the same counts of work.
inline void ExpectSame(const Answer& actual, const Answer& expected) {
  const auto synops = [](const Answer& answer) {
    uint64_t sum = 0;
    for (const LayerStatistics& layer : answer.layers) sum += layer.synops;
    return sum;
  };
  EXPECT_EQ(actual.logits, expected.logits);
  EXPECT_EQ(synops(actual), synops(expected));
  EXPECT_EQ(actual.steps, expected.steps);
  EXPECT_EQ(actual.ending, expected.ending);
}

class RandomRunTest : public testing::TestWithParam<EngineKind> {
 protected:
  void Draw(uint32_t seed, const oracle::RandomOptions& options = {}) {
    description_ = oracle::RandomNetwork(seed, options);
    pixels_ = oracle::RandomPixels(description_, seed);
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description_);
    Result<std::shared_ptr<const Network>> network =
        Network::FromBytes({bytes.data(), bytes.size()}, "random", GetParam());
    ASSERT_TRUE(network.ok()) << network.status().message();
    network_ = network.value();
    ASSERT_TRUE(Session(network_, {.statistics = true}).Run(pixels_, plain_).ok());
    EXPECT_EQ(plain_.ending, Ending::kComplete);
  }

  format::NetworkT description_;
  std::vector<uint8_t> pixels_;
  std::shared_ptr<const Network> network_;
  Answer plain_;
};

}  // namespace cssrun

#endif  // CSSRUN_TESTS_RUNTIME_RANDOM_RUN_H_
