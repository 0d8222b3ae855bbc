// Tests the ways to load a network, and the messages that the library logs meanwhile.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "hwy/aligned_allocator.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

using Loaded = Result<std::shared_ptr<const Network>>;

struct Line {
  LogLevel level;
  std::string text;
};

class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    description_ = oracle::ChainNetwork(2, 6, 1.5F, 1);
    const flatbuffers::DetachedBuffer buffer = format::SerializeNetwork(description_);
    bytes_.assign(buffer.data(), buffer.data() + buffer.size());
    file_ = std::tmpfile();
    ASSERT_NE(file_, nullptr);
    ASSERT_EQ(std::fwrite(bytes_.data(), 1, bytes_.size(), file_), bytes_.size());
    ASSERT_EQ(std::fflush(file_), 0);
  }
  void TearDown() override { (void)std::fclose(file_); }

  std::vector<float> Logits(const Loaded& network) const {
    EXPECT_TRUE(network.ok()) << network.status().message();
    Answer answer;
    EXPECT_TRUE(Session(network.value()).Run(oracle::RandomPixels(description_, 1), answer).ok());
    return answer.logits;
  }

  format::NetworkT description_;
  std::vector<uint8_t> bytes_;
  std::FILE* file_ = nullptr;
};

TEST_F(LoadTest, MemoryWhereverItBegins) {
  const std::vector<float> expected = Logits(Network::FromBytes(bytes_, "memory"));
  const auto room = hwy::AllocateAligned<uint8_t>(bytes_.size() + 64);
  for (const size_t offset : {0U, 1U, 4U, 63U}) {
    std::memcpy(room.get() + offset, bytes_.data(), bytes_.size());
    const Loaded network = Network::FromBytes({room.get() + offset, bytes_.size()}, "memory");
    // The network must not need these bytes any more.
    std::memset(room.get(), 0xEE, bytes_.size() + 64);
    EXPECT_EQ(Logits(network), expected);
  }
}

TEST_F(LoadTest, ADescriptorFromItsBeginning) {
  const std::vector<float> expected = Logits(Network::FromBytes(bytes_, "memory"));
  const int descriptor = fileno(file_);
  const off_t position = lseek(descriptor, 0, SEEK_CUR);
  EXPECT_GT(position, 0);
  EXPECT_EQ(Logits(Network::FromDescriptor(descriptor, "file")), expected);
  EXPECT_EQ(lseek(descriptor, 0, SEEK_CUR), position);
}

TEST_F(LoadTest, DescriptorsThatAreNoNetwork) {
  const Status closed = Network::FromDescriptor(-1, "closed").status();
  EXPECT_EQ(closed.code(), StatusCode::kIo);
  EXPECT_EQ(closed.message().rfind("closed: ", 0), 0U) << closed.message();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(Network::FromDescriptor(ends[0], "pipe").status().code(), StatusCode::kIo);
  close(ends[0]);
  close(ends[1]);
  ASSERT_EQ(ftruncate(fileno(file_), 20), 0);
  EXPECT_EQ(Network::FromDescriptor(fileno(file_), "short").status().code(), StatusCode::kBadModel);
}

TEST_F(LoadTest, TheLogSaysWhatRunsAndWhy) {
  std::vector<Line> lines;
  LoadOptions options;
  options.log = [&](LogLevel level, std::string_view text) {
    lines.push_back({level, std::string(text)});
  };
  ASSERT_TRUE(Network::FromBytes(bytes_, "net", options).ok());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].level, LogLevel::kInformation);
  EXPECT_EQ(lines[0].text.rfind("net: 4 layers", 0), 0U) << lines[0].text;
  EXPECT_NE(lines[1].text.find("integers"), std::string::npos) << lines[1].text;

  // The integer engine does not support this many timesteps.
  const format::NetworkT many = oracle::ChainNetwork(1, 70, 1.1F, 0);
  const flatbuffers::DetachedBuffer buffer = format::SerializeNetwork(many);
  lines.clear();
  const Loaded network = Network::FromBytes({buffer.data(), buffer.size()}, "many", options);
  ASSERT_TRUE(network.ok()) << network.status().message();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].level, LogLevel::kWarning);
  EXPECT_NE(lines[1].text.find(network.value()->why_float()), std::string::npos) << lines[1].text;

  options.engine = EngineKind::kFloat;
  lines.clear();
  ASSERT_TRUE(Network::FromBytes(bytes_, "net", options).ok());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].level, LogLevel::kInformation);
  EXPECT_NE(lines[1].text.find("float"), std::string::npos) << lines[1].text;
}

}  // namespace
}  // namespace cssrun
