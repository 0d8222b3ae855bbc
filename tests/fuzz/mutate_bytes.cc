#include "tests/fuzz/mutate_bytes.h"

#include <algorithm>
#include <cstring>

namespace cssrun::fuzz {
namespace {

size_t Below(std::mt19937& random, size_t bound) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(random);
}

// Returns some neighbouring bytes.
std::vector<uint8_t> PartOf(std::mt19937& random, const std::vector<uint8_t>& bytes) {
  if (bytes.empty()) return {};
  const size_t first = Below(random, bytes.size());
  const size_t size = 1 + Below(random, std::min<size_t>(64, bytes.size() - first));
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

void Insert(std::mt19937& random, const std::vector<uint8_t>& part, std::vector<uint8_t>& bytes) {
  const size_t at = Below(random, bytes.size() + 1);
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), part.begin(), part.end());
}

void SetNumber(std::mt19937& random, std::vector<uint8_t>& bytes) {
  constexpr uint64_t kEdges[] = {0,     1,     2,          127,        128,        255,         256,
                                 32767, 65535, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, ~uint64_t{0}};
  const size_t size = std::min(size_t{1} << Below(random, 4), bytes.size());
  const uint64_t number = kEdges[Below(random, std::size(kEdges))];
  std::memcpy(bytes.data() + Below(random, bytes.size() - size + 1), &number, size);
}

void MutateOnce(std::mt19937& random, const std::vector<uint8_t>& other,
                std::vector<uint8_t>& bytes) {
  const size_t kind = Below(random, 6);
  if (bytes.empty() || kind == 0) {
    Insert(random, PartOf(random, other), bytes);
    return;
  }
  const size_t at = Below(random, bytes.size());
  switch (kind) {
    case 1:
      bytes[at] ^= static_cast<uint8_t>(1U << Below(random, 8));
      break;
    case 2:
      bytes[at] = static_cast<uint8_t>(Below(random, 256));
      break;
    case 3:
      SetNumber(random, bytes);
      break;
    case 4: {
      const size_t size = 1 + Below(random, std::min<size_t>(64, bytes.size() - at));
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
      break;
    }
    default:
      Insert(random, PartOf(random, bytes), bytes);
      break;
  }
}

}  // namespace

void MutateBytes(std::mt19937& random, const std::vector<uint8_t>& other, size_t most,
                 std::vector<uint8_t>& bytes) {
  const size_t changes = 1 + Below(random, 4);
  for (size_t i = 0; i < changes; ++i) MutateOnce(random, other, bytes);
  if (bytes.size() > most) bytes.resize(most);
}

}  // namespace cssrun::fuzz
