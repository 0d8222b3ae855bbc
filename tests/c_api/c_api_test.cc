// Tests the C interface from C and against the C++ one. The program is linked with the shared
// library, which shows that the public symbols suffice.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/c_api/c_checks.h"
#include "tests/oracle/random_network.h"
#include "tests/temporary_folder.h"

namespace cssrun {
namespace {

class CApiTest : public testing::TestWithParam<EngineKind> {
 protected:
  std::string Write(const format::NetworkT& description) const {
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
    return folder_.Write("net.fb", {bytes.data(), bytes.size()});
  }

  const TemporaryFolder folder_;
};

TEST_P(CApiTest, CAnswersAsCppDoes) {
  const cssrun_engine engine =
      GetParam() == EngineKind::kInteger ? CSSRUN_ENGINE_INTEGER : CSSRUN_ENGINE_FLOAT;
  const format::NetworkT description = oracle::ChainNetwork(3, 8, 1.5F, 1);
  const std::string path = Write(description);
  const std::vector<uint8_t> pixels = oracle::RandomPixels(description, 1);
  const auto network = Network::Load(path, GetParam());
  ASSERT_TRUE(network.ok()) << network.status().message();
  Answer answer;
  ASSERT_TRUE(Session(network.value()).Run(pixels, answer).ok());
  std::vector<float> logits(answer.logits.size());
  const char* wrong =
      RunInC(path.c_str(), engine, pixels.data(), pixels.size(), logits.data(), logits.size());
  ASSERT_EQ(wrong, nullptr) << wrong;
  EXPECT_EQ(logits, answer.logits);
}

INSTANTIATE_TEST_SUITE_P(Engines, CApiTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

TEST(CApiMessageTest, LongMessagesAreCutBetweenCharacters) {
  for (const size_t length : {400U, 494U, 495U, 496U, 497U, 2000U}) {
    std::string name(length, 'a');
    for (int i = 0; i < 20; ++i) name += "\xE2\x82\xAC";  // three bytes each
    cssrun_network* network = nullptr;
    cssrun_status status;
    EXPECT_EQ(cssrun_network_from_memory("junkjunk", 8, name.c_str(), nullptr, &network, &status),
              CSSRUN_BAD_MODEL);
    const std::string message = status.message;
    ASSERT_LT(message.size(), sizeof status.message);
    const size_t tail = message.size() < name.size() ? message.size() - length : 60;
    if (message.size() <= length) continue;
    EXPECT_EQ(tail % 3, 0U) << message;
  }
}

}  // namespace
}  // namespace cssrun
