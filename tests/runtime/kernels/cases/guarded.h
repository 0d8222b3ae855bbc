// An aligned array between two zones of canaries: whoever writes outside of it is found out.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_CASES_GUARDED_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_CASES_GUARDED_H_

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "runtime/aligned.h"

namespace cssrun::internal {

template <class T>
class Guarded {
 public:
  explicit Guarded(std::span<const T> values)
      : size_(values.size()), memory_(AllocateAligned<T>(size_ + 2 * kZone)) {
    std::fill_n(memory_.get(), kZone, kCanary);
    std::copy(values.begin(), values.end(), data());
    std::fill_n(data() + size_, kZone, kCanary);
  }
  Guarded(size_t size, T value) : Guarded(std::vector<T>(size, value)) {}

  T* data() { return memory_.get() + kZone; }
  const T* data() const { return memory_.get() + kZone; }
  std::span<T> values() { return {data(), size_}; }
  std::span<const T> values() const { return {data(), size_}; }

  bool intact() const {
    const T* after = memory_.get() + kZone + size_;
    const auto is_canary = [](T value) { return value == kCanary; };
    return std::all_of(memory_.get(), memory_.get() + kZone, is_canary) &&
           std::all_of(after, after + kZone, is_canary);
  }

 private:
  static constexpr size_t kZone = 256;  // whole cache lines of any type
  static constexpr T kCanary = static_cast<T>(90);

  size_t size_;
  hwy::AlignedFreeUniquePtr<T[]> memory_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_CASES_GUARDED_H_
