// Finds out how many products of a LevelConv 16 bits hold.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "runtime/assert.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {
namespace {

// What the 16-bit lanes of some targets may hold at most and at least after some quads: the sums of
// the weights above and below zero, times the largest level.
class LaneSums {
 public:
  explicit LaneSums(uint32_t largest_byte)
      : most_(std::numeric_limits<int16_t>::max() / static_cast<int32_t>(largest_byte)) {}

  void Clear() { above_ = below_ = {}; }
  // Adds a quad of weights, [target][source]. Returns whether all lanes fit.
  bool Add(const int8_t* weights) {
    int32_t largest = 0;
    for (size_t i = 0; i < kLanes; ++i) {
      const int32_t first = weights[2 * i];
      const int32_t second = weights[2 * i + 1];
      above_[i] += std::max(first, 0) + std::max(second, 0);
      below_[i] -= std::min(first, 0) + std::min(second, 0);
      largest = std::max(largest, std::max(above_[i], below_[i]));
    }
    return largest <= most_;
  }

 private:
  static constexpr size_t kLanes = size_t{2} * kTileTargets;
  std::array<int32_t, kLanes> above_ = {};
  std::array<int32_t, kLanes> below_ = {};
  int32_t most_;
};

// The runs of kTileTargets targets.
class RunPlanner {
 public:
  RunPlanner(uint32_t largest_byte, std::vector<uint16_t>& runs)
      : sums_(largest_byte), alone_(largest_byte), runs_(runs), first_(runs.size()) {}

  void BeginTap() { extends_ = false; }
  void Add(const int8_t* weights) {
    alone_.Clear();
    const bool wide = !alone_.Add(weights);
    if (!wide && !sums_.Add(weights)) {
      CSSRUN_ASSERT(runs_.size() > first_);  // without sums before, it would fit
      runs_.back() |= kFullRun;
      extends_ = false;
      sums_ = alone_;
    }
    if (extends_ && wide == ((runs_.back() & kWideRun) != 0) &&
        (runs_.back() & kRunQuads) < kRunQuads) {
      ++runs_.back();
      return;
    }
    runs_.push_back(static_cast<uint16_t>(wide ? kWideRun | 1 : 1));
    extends_ = true;
  }

 private:
  LaneSums sums_;   // since the last full run
  LaneSums alone_;  // of one quad
  std::vector<uint16_t>& runs_;
  size_t first_;
  bool extends_ = false;  // the last run may take further quads of its kind
};

}  // namespace

void PlanRuns(uint32_t largest_byte, LevelConv& kernel) {
  CSSRUN_ASSERT(largest_byte >= 1 && largest_byte <= 255);
  kernel.largest_byte = largest_byte;
  kernel.smallest_weight =
      *std::min_element(kernel.weights.get(), kernel.weights.get() + kernel.size());
  const auto kernel_x = static_cast<size_t>(kernel.window.kernel_x());
  const size_t taps = kernel.taps_adjoin() ? 1 : kernel_x;
  const size_t quads = kernel.quads * kernel_x / taps;
  const size_t quad_size = size_t{kernel.targets} * kQuad;
  for (size_t target = 0; target < size_t{kernel.tiles} * kernel.targets; target += kTileTargets) {
    for (size_t plane = 0; plane < kernel.planes; ++plane) {
      RunPlanner planner(largest_byte, kernel.runs);
      const int8_t* weights = kernel.weights.get() + target / kernel.targets * kernel.tile_size() +
                              plane * kernel.plane_size() + target % kernel.targets * kQuad;
      for (size_t ky = 0; ky < kernel.kernel_rows(); ++ky) {
        kernel.first_runs.push_back(static_cast<uint32_t>(kernel.runs.size()));
        for (size_t tap = 0; tap < taps; ++tap) {
          planner.BeginTap();
          for (size_t q = 0; q < quads; ++q, weights += quad_size) planner.Add(weights);
        }
      }
    }
  }
}

}  // namespace cssrun::internal
