// The hold of a stream in plain code.
#ifndef CSSRUN_TESTS_RUNTIME_HOLD_H_
#define CSSRUN_TESTS_RUNTIME_HOLD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cssrun {

// What a stream with a hold works with: pixels of `channels` numbers that lie beside each other.
inline void Hold(unsigned hold, size_t channels, const std::vector<uint8_t>& frame,
                 std::vector<uint8_t>& held) {
  if (held.empty()) held = frame;
  for (size_t pixel = 0; pixel < frame.size(); pixel += channels) {
    bool beyond = false;
    for (size_t i = pixel; i < pixel + channels; ++i) {
      const int difference = int{frame[i]} - int{held[i]};
      if (difference > static_cast<int>(hold) || -difference > static_cast<int>(hold)) {
        beyond = true;
      }
    }
    for (size_t i = pixel; beyond && i < pixel + channels; ++i) held[i] = frame[i];
  }
}

}  // namespace cssrun

#endif  // CSSRUN_TESTS_RUNTIME_HOLD_H_
