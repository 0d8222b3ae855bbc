// Tries every small damage to a network file: network_bytes [STRIDE]
//
// For three small networks, sets every byte to 00 and to FF, flips each of its bits, and tries
// every truncation. Each result must be refused with a clean error or run to the end, within 2
// seconds of processor time and 256 MB. With STRIDE, only every STRIDE-th damage is tried.
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "format/network_file.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/target.h"
#include "tests/oracle/random_network.h"

namespace cssrun::fuzz {
namespace {

constexpr double kLongest = 2;  // seconds
constexpr long kMostKilobytes = 256 << 10;

struct Tally {
  uint64_t refused = 0;
  uint64_t ran = 0;
  double slowest = 0;  // seconds
};

void Try(std::span<const uint8_t> bytes, Tally& tally) {
  const double start = ProcessorSeconds();
  // Uses the default limits, like a program that sets none.
  if (RunNetwork(bytes, NetworkLimits())) {
    ++tally.ran;
  } else {
    ++tally.refused;
  }
  const double elapsed = ProcessorSeconds() - start;
  tally.slowest = std::max(tally.slowest, elapsed);
  Require(elapsed < kLongest, "it takes less than 2 seconds");
}

long PeakKilobytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void DamageEveryByte(const format::NetworkT& network, size_t stride, Tally& tally) {
  const flatbuffers::DetachedBuffer buffer = format::SerializeNetwork(network);
  std::vector<uint8_t> bytes(buffer.data(), buffer.data() + buffer.size());
  Require(RunNetwork(bytes, NetworkLimits()), "the network is sound before it is damaged");
  size_t next = 0;
  const auto chosen = [&] { return next++ % stride == 0; };
  for (uint8_t& byte : bytes) {
    const uint8_t sound = byte;
    for (int way = 0; way < 10; ++way) {
      if (!chosen()) continue;
      byte = way == 8 ? 0x00 : way == 9 ? 0xFF : static_cast<uint8_t>(sound ^ (1U << way));
      Try(bytes, tally);
    }
    byte = sound;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (!chosen()) continue;
    // The copy has exactly this size, so that a sanitizer finds reads beyond it.
    Try(std::vector<uint8_t>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)),
        tally);
  }
}

}  // namespace
}  // namespace cssrun::fuzz

int main(int argc, char** argv) {
  using namespace cssrun;
  const size_t stride = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  fuzz::Require(stride > 0, "STRIDE is a number");
  fuzz::Tally tally;
  fuzz::DamageEveryByte(oracle::ChainNetwork(2, 6, 1.5F, 1), stride, tally);
  // This network has a pool, a mean and a shortcut.
  fuzz::DamageEveryByte(oracle::SmallNetwork(), stride, tally);
  // This network has direct input and settled neurons.
  format::NetworkT direct = oracle::ChainNetwork(1, 4, 2.0F, 3);
  direct.code->input = format::InputCoding::Direct;
  direct.nodes[0]->thresholds.clear();
  fuzz::DamageEveryByte(direct, stride, tally);
  const long peak = fuzz::PeakKilobytes();
  std::printf("%llu refused, %llu ran to the end; slowest %.3f s, peak %ld MB\n",
              static_cast<unsigned long long>(tally.refused),
              static_cast<unsigned long long>(tally.ran), tally.slowest, peak >> 10);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep freed memory
  fuzz::Require(peak < fuzz::kMostKilobytes, "it takes less than 256 MB");
#endif
  return 0;
}
