// libFuzzer's mutations of what a NIR file holds: it changes bytes, or one thing in a tree that is
// otherwise intact.
#include <algorithm>
#include <optional>
#include <random>

#include "converter/nir/hdf5_tree.h"
#include "tests/fuzz/mutate_tree.h"

// NOLINTBEGIN(readability-identifier-naming): libFuzzer's names
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  using namespace cssrun;
  if (seed % 16 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::optional<converter::Hdf5Group> root = converter::UnpackHdf5({data, size});
  if (!root.has_value()) return LLVMFuzzerMutate(data, size, max_size);
  std::mt19937 random(seed);
  for (unsigned i = 0; i < 1 + seed / 16 % 3; ++i) fuzz::MutateTree(random, *root);
  const std::vector<uint8_t> bytes = converter::PackHdf5(*root);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}
// NOLINTEND(readability-identifier-naming)
