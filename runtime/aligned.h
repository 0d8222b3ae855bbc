// Memory aligned for vectors. Throws when memory runs out; Highway's own function returns null
// instead, which callers forget to check.
#ifndef CSSRUN_RUNTIME_ALIGNED_H_
#define CSSRUN_RUNTIME_ALIGNED_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "hwy/aligned_allocator.h"

namespace cssrun::internal {

// Memory for what every image reads or writes from end to end: weights, levels. From 2 MiB on it
// begins at a huge page, and Linux is asked to use huge pages for all of it that fills some.
// Weights that no cache holds then arrive faster, because the processor asks for data ahead only up
// to the end of a page (docs/results.md, "Against 8-bit runtimes"). Freed by std::free. Returns
// null if memory runs out.
void* AllocateRoom(size_t bytes);

// `items` uninitialized elements, aligned for the widest vectors. Throws std::bad_alloc.
template <typename T>
hwy::AlignedFreeUniquePtr<T[]> AllocateAligned(size_t items) {
  const auto allocate = [](void* /*opaque*/, size_t bytes) { return AllocateRoom(bytes); };
  hwy::AlignedFreeUniquePtr<T[]> memory =
      hwy::AllocateAligned<T>(items, allocate, nullptr, nullptr);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// The same for std::vector, without the alignment for vectors.
template <typename T>
struct RoomAllocator {
  using value_type = T;

  RoomAllocator() = default;
  template <typename U>
  RoomAllocator(const RoomAllocator<U>& /*other*/) {}  // NOLINT: converts, as allocators must

  T* allocate(size_t items) {
    void* room = items <= SIZE_MAX / sizeof(T) ? AllocateRoom(items * sizeof(T)) : nullptr;
    if (room == nullptr) throw std::bad_alloc();
    return static_cast<T*>(room);
  }
  void deallocate(T* room, size_t /*items*/) { std::free(room); }
  bool operator==(const RoomAllocator& /*other*/) const { return true; }
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ALIGNED_H_
