// This program's own malloc, which counts and can be told to fail.
#ifndef CSSRUN_TESTS_ALLOCATION_MALLOC_HOOKS_H_
#define CSSRUN_TESTS_ALLOCATION_MALLOC_HOOKS_H_

#include <atomic>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define CSSRUN_COUNTS_ALLOCATIONS 0
#else
#define CSSRUN_COUNTS_ALLOCATIONS 1
#endif

namespace cssrun {

extern std::atomic<uint64_t> allocations;  // ever
extern std::atomic<int64_t> held;          // and not freed
extern std::atomic<uint64_t> largest;      // bytes of one malloc
extern std::atomic<uint64_t> fail_from;    // so many more succeed, then none does

}  // namespace cssrun

#endif  // CSSRUN_TESTS_ALLOCATION_MALLOC_HOOKS_H_
