// The checks that all kinds of networks share; see validate.h.
#ifndef CSSRUN_FORMAT_CHECKS_H_
#define CSSRUN_FORMAT_CHECKS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "cssrun/status.h"
#include "format/geometry.h"
#include "network_generated.h"

namespace cssrun::format {

// The limits of the format. They are far above any real network, yet low enough that no product
// below overflows 64 bits and that a small hostile file cannot demand all memory.
constexpr uint32_t kMaximumChannels = 1 << 16;  // a channel is a 16-bit number in event lists
constexpr uint32_t kMaximumSide = 1 << 14;
constexpr uint64_t kMaximumNeurons = 1 << 27;  // spike trains and membranes of the whole network
constexpr uint64_t kMaximumSynapses = uint64_t{1} << 60;

inline Status Bad(const std::string& where, const std::string& what) {
  return Status::BadModel(where + ": " + what);
}

inline Status AboveLimit(const std::string& where, const std::string& what, uint64_t value,
                         uint64_t limit) {
  return Bad(where, what + " " + std::to_string(value) + " is more than the limit of " +
                        std::to_string(limit) + "; if you trust the file, raise the limit \"" +
                        what + "\"");
}

inline bool InRange(int64_t value, int64_t low, int64_t high) {
  return low <= value && value <= high;
}

inline bool AllFinite(std::span<const float> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
}
inline bool AllFinite(const flatbuffers::Vector<float>& numbers) {
  return AllFinite(std::span(numbers.data(), numbers.size()));
}

inline std::string ToString(const Extent& e) {
  return std::to_string(e.channels()) + "x" + std::to_string(e.height()) + "x" +
         std::to_string(e.width());
}

inline Status CheckExtent(const std::string& where, const Extent& e) {
  if (!InRange(e.channels(), 1, kMaximumChannels) || !InRange(e.height(), 1, kMaximumSide) ||
      !InRange(e.width(), 1, kMaximumSide) || Neurons(e) > kMaximumNeurons) {
    return Bad(where, "size " + ToString(e) + " is out of range");
  }
  return Status::Ok();
}

inline Status CheckWindow(const std::string& where, const Window& w) {
  const auto side = [](int64_t value) { return InRange(value, 1, kMaximumSide); };
  const auto pad = [](int64_t value) {
    return InRange(value, -int64_t{kMaximumSide}, kMaximumSide);
  };
  if (!side(w.kernel_y()) || !side(w.kernel_x())) return Bad(where, "kernel is out of range");
  if (!side(w.stride_y()) || !side(w.stride_x())) return Bad(where, "stride is out of range");
  if (!side(w.dilation_y()) || !side(w.dilation_x())) return Bad(where, "dilation is out of range");
  if (!pad(w.pad_top()) || !pad(w.pad_left()) || !pad(w.pad_bottom()) || !pad(w.pad_right())) {
    return Bad(where, "padding is out of range");
  }
  return Status::Ok();
}

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_CHECKS_H_
