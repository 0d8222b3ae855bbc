// The bits of each byte as a list.
#ifndef CSSRUN_RUNTIME_BIT_LISTS_H_
#define CSSRUN_RUNTIME_BIT_LISTS_H_

#include <cstddef>
#include <cstdint>

namespace cssrun::internal {

struct BitLists {
  alignas(64) uint8_t bits[256][8] = {};  // ascending; beyond the last, zeros
  uint8_t counts[256] = {};
};

constexpr BitLists MakeBitLists() {
  BitLists lists;
  for (size_t byte = 0; byte < 256; ++byte) {
    for (uint8_t bit = 0; bit < 8; ++bit) {
      if ((byte >> bit & 1) != 0) lists.bits[byte][lists.counts[byte]++] = bit;
    }
  }
  return lists;
}

inline constexpr BitLists kBitLists = MakeBitLists();

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_BIT_LISTS_H_
