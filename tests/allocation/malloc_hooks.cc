#include "tests/allocation/malloc_hooks.h"

#include <cerrno>
#include <cstdlib>
#include <limits>

namespace cssrun {

std::atomic<uint64_t> allocations = 0;
std::atomic<int64_t> held = 0;
std::atomic<uint64_t> largest = 0;
std::atomic<uint64_t> fail_from = std::numeric_limits<uint64_t>::max();

}  // namespace cssrun

#if CSSRUN_COUNTS_ALLOCATIONS
namespace {

bool MayAllocate() {
  ++cssrun::allocations;
  uint64_t left = cssrun::fail_from;
  if (left == std::numeric_limits<uint64_t>::max()) return true;
  if (left == 0) return false;
  --cssrun::fail_from;
  return true;
}

void* Counted(void* memory) {
  if (memory != nullptr) ++cssrun::held;
  return memory;
}

}  // namespace

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): glibc's names
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* memory);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(size_t size) {
  if (size > cssrun::largest) cssrun::largest = size;
  return MayAllocate() ? Counted(__libc_malloc(size)) : nullptr;
}
void* calloc(size_t count, size_t size) {
  return MayAllocate() ? Counted(__libc_calloc(count, size)) : nullptr;
}
void* realloc(void* old, size_t size) {
  if (!MayAllocate()) return nullptr;
  void* memory = __libc_realloc(old, size);
  return old == nullptr ? Counted(memory) : memory;
}
void* aligned_alloc(size_t alignment, size_t size) {
  return MayAllocate() ? Counted(__libc_memalign(alignment, size)) : nullptr;
}
int posix_memalign(void** result, size_t alignment, size_t size) {
  *result = MayAllocate() ? Counted(__libc_memalign(alignment, size)) : nullptr;
  return *result == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  if (memory != nullptr) --cssrun::held;
  __libc_free(memory);
}
}
#endif
