#include "runtime/aligned.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <new>
#include <vector>

namespace cssrun::internal {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

uintptr_t AddressOf(const void* memory) { return reinterpret_cast<uintptr_t>(memory); }

TEST(AlignedTest, EverySizeIsAlignedForVectorsAndWritable) {
  for (const size_t bytes : {size_t{1}, size_t{4096}, kHugePage - 4096, kHugePage - 1, kHugePage,
                             kHugePage + 1, 3 * kHugePage - 5}) {
    const auto memory = AllocateAligned<uint8_t>(bytes);
    EXPECT_EQ(AddressOf(memory.get()) % 64, 0u) << bytes;
    memory[0] = 1;
    memory[bytes - 1] = 2;
    std::vector<uint8_t, RoomAllocator<uint8_t>> rooms(bytes, 3);
    EXPECT_EQ(rooms.back(), 3) << bytes;
  }
}

TEST(AlignedTest, LargeRoomsBeginAtAHugePage) {
  for (const size_t bytes : {kHugePage, kHugePage + 1, 5 * kHugePage}) {
    std::vector<uint8_t, RoomAllocator<uint8_t>> rooms(bytes);
    EXPECT_EQ(AddressOf(rooms.data()) % kHugePage, 0u) << bytes;
  }
}

TEST(AlignedTest, SizesThatNoMachineHasAreRefused) {
  constexpr size_t kMost = std::numeric_limits<size_t>::max();
  for (const size_t bytes : {kMost, kMost - kHugePage + 1, kMost - kHugePage, kMost / 2 + 1}) {
    EXPECT_EQ(AllocateRoom(bytes), nullptr) << bytes;
  }
  EXPECT_THROW(AllocateAligned<float>(kMost / 2), std::bad_alloc);
  EXPECT_THROW(RoomAllocator<float>().allocate(kMost / 2), std::bad_alloc);
}

}  // namespace
}  // namespace cssrun::internal
