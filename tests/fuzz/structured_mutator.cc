// libFuzzer's mutations of networks: it changes bytes, or one field in a file that is otherwise
// intact.
#include <algorithm>
#include <cstring>
#include <random>

#include "format/network_file.h"
#include "tests/fuzz/mutate_network.h"

// NOLINTBEGIN(readability-identifier-naming): libFuzzer's names
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  using namespace cssrun;
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  flatbuffers::Verifier verifier(data, size);
  if (size < 8 || !format::NetworkBufferHasIdentifier(data) ||
      !format::VerifyNetworkBuffer(verifier)) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  const auto network = format::UnPackNetwork(data);
  std::mt19937 random(seed);
  for (unsigned i = 0; i < 1 + seed / 4 % 2; ++i) fuzz::MutateNetwork(random, *network);
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(*network);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}
// NOLINTEND(readability-identifier-naming)
