// Memory and descriptors over a long time: soak [INFERENCES] [CYCLES]
//
// Runs so many images on one session of each engine, then loads and unloads a network so many
// times. After a warm-up of a tenth, resident memory grows by less than 1 MiB and the number of
// open descriptors does not change.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "format/write_atomically.h"
#include "tests/oracle/random_network.h"

namespace {

using namespace cssrun;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::exit(1);
}

long ResidentKilobytes() {
  std::ifstream statm("/proc/self/statm");
  long total = 0;
  long resident = 0;
  statm >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

size_t Descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

void Soak(const char* what, unsigned long times, const std::function<void(unsigned long)>& work) {
  for (unsigned long i = 0; i < times / 10; ++i) work(i);
  const long resident = ResidentKilobytes();
  const size_t descriptors = Descriptors();
  for (unsigned long i = times / 10; i < times; ++i) work(i);
  const long grown = ResidentKilobytes() - resident;
  std::printf("%s: %lu times, memory grew by %ld KiB, %zu descriptors before and %zu after\n", what,
              times, grown, descriptors, Descriptors());
  Require(grown < 1024, "memory grows by less than 1 MiB");
  Require(descriptors == Descriptors(), "descriptors are as many as before");
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long inferences = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100000;
  const unsigned long cycles = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10000;
  const format::NetworkT description = oracle::RandomNetwork(7, {.placed_means = true});
  const flatbuffers::DetachedBuffer bytes = SerializeNetwork(description);
  std::vector<std::vector<uint8_t>> images;
  for (uint32_t i = 0; i < 16; ++i) images.push_back(oracle::RandomPixels(description, i));

  for (const EngineKind engine : {EngineKind::kInteger, EngineKind::kFloat}) {
    const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "net", engine);
    Require(network.ok(), "the network loads");
    Session session(network.value());
    Answer answer;
    const auto run = [&](unsigned long i) {
      Require(session.Run(images[i % images.size()], answer).ok(), "it runs");
    };
    Soak(engine == EngineKind::kInteger ? "integer inferences" : "float inferences", inferences,
         run);
  }

  const std::string path =
      (std::filesystem::temp_directory_path() / ("soak" + std::to_string(getpid()) + ".fb"))
          .string();
  Require(WriteFileAtomically(path, {bytes.data(), bytes.size()}).ok(), "the file can be written");
  Soak("loads and unloads", cycles, [&](unsigned long i) {
    const auto network =
        Network::Load(path, i % 2 == 0 ? EngineKind::kInteger : EngineKind::kFloat);
    Require(network.ok(), "the network loads");
    Answer answer;
    Require(Session(network.value()).Run(images[0], answer).ok(), "it runs");
    // A file that is refused must not cost anything either.
    Require(!Network::FromBytes({bytes.data(), bytes.size() / 2}, "half").ok(), "half is refused");
    Require(!Network::Load("/no/such/file").ok(), "no file is refused");
  });
  std::filesystem::remove(path);
  return 0;
}
