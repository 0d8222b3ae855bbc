// After the first image a session allocates nothing. A program of its own, since it counts every
// call of malloc.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define CSSRUN_COUNTS_ALLOCATIONS 0
#else
#define CSSRUN_COUNTS_ALLOCATIONS 1
#endif

namespace {
std::atomic<uint64_t> allocations = 0;
}

#if CSSRUN_COUNTS_ALLOCATIONS
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): glibc's names
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, size_t alignment, size_t size) {
  ++allocations;
  *result = __libc_memalign(alignment, size);
  return *result == nullptr ? 12 : 0;
}
}
#endif

namespace cssrun {
namespace {

class AllocationTest : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot be counted here";
  }
};

std::shared_ptr<const Network> Load(const format::NetworkT& description, EngineKind engine) {
  const flatbuffers::DetachedBuffer bytes = SerializeNetwork(description);
  auto network = Network::FromBytes({bytes.data(), bytes.size()}, "random", engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

uint64_t AllocationsAfterTheFirst(const format::NetworkT& description, EngineKind engine,
                                  const SessionOptions& options) {
  const std::shared_ptr<const Network> network = Load(description, engine);
  Session session(network, options);
  Answer answer;
  std::vector<std::vector<uint8_t>> images;
  for (uint32_t i = 0; i < 4; ++i) images.push_back(oracle::RandomPixels(description, i));
  EXPECT_TRUE(session.Run(images[0], answer).ok());
  const uint64_t before = allocations;
  for (const std::vector<uint8_t>& pixels : images) EXPECT_TRUE(session.Run(pixels, answer).ok());
  return allocations - before;
}

TEST_P(AllocationTest, TheCounterCounts) {
  const uint64_t before = allocations;
  const std::unique_ptr<std::vector<int>> vector = std::make_unique<std::vector<int>>(1000);
  EXPECT_GE(allocations - before, 2U);
}

TEST_P(AllocationTest, NoneAfterTheFirstImage) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    const format::NetworkT description = oracle::RandomNetwork(seed);
    EXPECT_EQ(AllocationsAfterTheFirst(description, GetParam(), {}), 0U);
    SessionOptions options;
    options.early_exit_margin = 0.1;
    EXPECT_EQ(AllocationsAfterTheFirst(description, GetParam(), options), 0U);
    options = {};
    options.keep_readings = true;
    EXPECT_EQ(AllocationsAfterTheFirst(description, GetParam(), options), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, AllocationTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
