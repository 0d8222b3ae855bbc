// Sessions of many threads on one network: shared_network [SESSIONS] [RUNS]
//
// Each thread runs the same images in another order, so many times; every answer must be the one
// that a single thread got. Built with the preset tsan, it looks for races.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

int main(int argc, char** argv) {
  using namespace cssrun;
  const unsigned long sessions = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 8;
  const unsigned long runs = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10000;
  const format::NetworkT description = oracle::RandomNetwork(7, {.placed_means = true});
  const flatbuffers::DetachedBuffer bytes = SerializeNetwork(description);
  std::vector<std::vector<uint8_t>> images;
  for (uint32_t i = 0; i < 8; ++i) images.push_back(oracle::RandomPixels(description, i));
  std::atomic<unsigned long> wrong = 0;
  for (const EngineKind engine : {EngineKind::kInteger, EngineKind::kFloat}) {
    const auto loaded = Network::FromBytes({bytes.data(), bytes.size()}, "net", engine);
    if (!loaded.ok()) return 1;
    const std::shared_ptr<const Network>& network = loaded.value();
    std::vector<std::vector<float>> expected;
    for (const std::vector<uint8_t>& image : images) {
      Answer answer;
      if (!Session(network).Run(image, answer).ok()) return 1;
      expected.push_back(answer.logits);
    }
    std::vector<std::thread> threads;
    for (unsigned long t = 0; t < sessions; ++t) {
      threads.emplace_back([&, t] {
        Session session(network);
        Answer answer;
        for (unsigned long i = 0; i < runs; ++i) {
          const size_t image = (i * (2 * t + 1) + t) % images.size();
          if (!session.Run(images[image], answer).ok() || answer.logits != expected[image]) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::printf("%lu sessions, %lu runs each on each engine: %lu wrong answers\n", sessions, runs,
              wrong.load());
  return wrong == 0 ? 0 : 1;
}
