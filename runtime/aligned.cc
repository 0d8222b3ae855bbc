#include "runtime/aligned.h"

#include <cstdlib>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace cssrun::internal {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;  // of x86-64, and of ARM with pages of 4 KiB

}  // namespace

void* AllocateRoom(size_t bytes) {
  if (bytes < kHugePage) return std::malloc(bytes);
  if (bytes > SIZE_MAX - kHugePage) return nullptr;
  void* room = std::aligned_alloc(kHugePage, (bytes + kHugePage - 1) / kHugePage * kHugePage);
#ifdef MADV_HUGEPAGE
  // Without the part of a page at the end, which would occupy a whole one. No harm if it fails.
  if (room != nullptr) madvise(room, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return room;
}

}  // namespace cssrun::internal
