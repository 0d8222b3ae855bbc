// Memory aligned for vectors. Throws when memory runs out; Highway's own function returns null
// instead, which callers forget to check.
#ifndef CSSRUN_RUNTIME_ALIGNED_H_
#define CSSRUN_RUNTIME_ALIGNED_H_

#include <cstddef>
#include <new>

#include "hwy/aligned_allocator.h"

namespace cssrun::internal {

// `items` uninitialized elements, aligned for the widest vectors. Throws std::bad_alloc.
template <typename T>
hwy::AlignedFreeUniquePtr<T[]> AllocateAligned(size_t items) {
  hwy::AlignedFreeUniquePtr<T[]> memory = hwy::AllocateAligned<T>(items);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ALIGNED_H_
