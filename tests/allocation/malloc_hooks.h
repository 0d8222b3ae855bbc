// Replaces malloc in this program with one that counts and can be told to fail.
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

extern std::atomic<uint64_t> allocations;  // since the program started
extern std::atomic<int64_t> held;          // bytes that are allocated and not yet freed
extern std::atomic<uint64_t> largest;      // bytes of the largest single malloc
extern std::atomic<uint64_t>
    fail_from;  // this many more allocations succeed, and all later ones fail

}  // namespace cssrun

#endif  // CSSRUN_TESTS_ALLOCATION_MALLOC_HOOKS_H_
