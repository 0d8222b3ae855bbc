// Tries random structured mutants of networks: network_mutants COUNT [SEED]
//
// Each mutant is a random network with one to four changed fields. It must be refused with a clean
// error or run, within 2 seconds of processor time.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "format/network_file.h"
#include "tests/fuzz/mutate_network.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/target.h"
#include "tests/oracle/random_network.h"

namespace cssrun::fuzz {
namespace {

format::NetworkT BaseNetwork(uint32_t number) {
  switch (number % 4) {
    case 0:
      return oracle::ChainNetwork(1 + number / 4 % 3, 1 + number / 12 % 8, 1.5F, number / 4 % 4);
    case 1:
      return oracle::RandomNetwork(number, {.placed_means = true});
    case 2:
      return oracle::RandomNetwork(number, {.direct = true});
    default:
      return oracle::RandomNetwork(number, {.spread = number % 8 == 3});
  }
}

}  // namespace
}  // namespace cssrun::fuzz

int main(int argc, char** argv) {
  using namespace cssrun;
  fuzz::Require(argc > 1, "usage: network_mutants COUNT [SEED]");
  const unsigned long count = std::strtoul(argv[1], nullptr, 10);
  const unsigned long seed = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  constexpr uint32_t kBases = 64;
  constexpr int kMutantsOfABase = 64;
  std::mt19937 random(static_cast<uint32_t>(seed));
  unsigned long ran = 0;
  flatbuffers::DetachedBuffer base;
  double slowest = 0;
  for (unsigned long i = 0; i < count; ++i) {
    if (i % kMutantsOfABase == 0)
      base = format::SerializeNetwork(fuzz::BaseNetwork(random() % kBases));
    const std::unique_ptr<format::NetworkT> network = format::UnPackNetwork(base.data());
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      fuzz::MutateNetwork(random, *network);
    }
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(*network);
    const double start = fuzz::ProcessorSeconds();
    if (fuzz::RunNetwork({bytes.data(), bytes.size()}, fuzz::kSmall)) ++ran;
    const double elapsed = fuzz::ProcessorSeconds() - start;
    slowest = std::max(slowest, elapsed);
    fuzz::Require(elapsed < 2, "it takes less than 2 seconds");
  }
  std::printf("%lu mutants: %lu ran, %lu refused; slowest %.3f s\n", count, ran, count - ran,
              slowest);
  return ran == 0 || ran == count ? 1 : 0;
}
