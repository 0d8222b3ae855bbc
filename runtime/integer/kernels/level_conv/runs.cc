// Finds out how many products of a LevelConv 16 bits hold.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "runtime/assert.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {
namespace {

// What the 16-bit lanes of a tile may hold at most and at least after some quads: the sums of the
// weights above and below zero, times the largest level.
class LaneSums {
 public:
  LaneSums(uint32_t targets, uint32_t largest_byte)
      : above_(targets * kLanes),
        below_(targets * kLanes),
        most_(std::numeric_limits<int16_t>::max() / static_cast<int32_t>(largest_byte)) {}

  void Clear() {
    std::ranges::fill(above_, 0);
    std::ranges::fill(below_, 0);
  }
  // Adds a quad of weights, [target][source]. Returns whether all lanes still fit.
  bool Add(const int8_t* weights) {
    int32_t largest = 0;
    for (size_t i = 0; i < above_.size(); ++i) {
      const int32_t first = weights[2 * i];
      const int32_t second = weights[2 * i + 1];
      above_[i] += std::max(first, 0) + std::max(second, 0);
      below_[i] -= std::min(first, 0) + std::min(second, 0);
      largest = std::max(largest, std::max(above_[i], below_[i]));
    }
    return largest <= most_;
  }

 private:
  static constexpr size_t kLanes = 2;  // of a target
  std::vector<int32_t> above_, below_;
  int32_t most_;
};

}  // namespace

void PlanRuns(uint32_t largest_byte, LevelConv& kernel) {
  CSSRUN_ASSERT(largest_byte >= 1 && largest_byte <= 255);
  LaneSums sums(kernel.targets, largest_byte);
  const bool adjoin = kernel.taps_adjoin();
  const auto kernel_x = static_cast<size_t>(kernel.window.kernel_x());
  const size_t taps = adjoin ? 1 : kernel_x;
  const size_t quads = adjoin ? kernel.quads * kernel_x : kernel.quads;
  const size_t quad_size = size_t{kernel.targets} * kQuad;
  const int8_t* weights = kernel.weights.get();
  std::vector<uint16_t>& runs = kernel.runs;
  for (size_t row = 0; row < kernel.tiles * kernel.kernel_rows(); ++row) {
    kernel.first_runs.push_back(static_cast<uint32_t>(runs.size()));
    for (size_t tap = 0; tap < taps; ++tap) {
      bool extends = false;  // the last run may take further quads of its kind
      bool wide = false;
      for (size_t q = 0; q < quads; ++q, weights += quad_size) {
        if (extends && (runs.back() & ~kWideRun) == kLongestRun) extends = false;
        if (extends && !wide && sums.Add(weights)) {
          ++runs.back();
          continue;
        }
        sums.Clear();
        const bool fits = sums.Add(weights);
        if (extends && wide && !fits) {
          ++runs.back();
          continue;
        }
        extends = true;
        wide = !fits;
        runs.push_back(static_cast<uint16_t>(wide ? kWideRun | 1 : 1));
      }
    }
  }
}

}  // namespace cssrun::internal
