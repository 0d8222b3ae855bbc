// Runs sessions of many threads on one network: shared_network [SESSIONS] [RUNS]
//
// Each thread runs the same images in another order, RUNS times. Every answer must be the one that
// a single thread got. Built with the preset tsan, the program looks for races.
#include <atomic>
#include <cstdio>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "cssrun/cssrun.h"
#include "tests/long/workload.h"

int main(int argc, char** argv) {
  using namespace cssrun;
  const std::span arguments(argv, static_cast<size_t>(argc));
  const unsigned long sessions = long_runs::Argument(arguments, 1, 8);
  const unsigned long runs = long_runs::Argument(arguments, 2, 10000);
  const long_runs::Workload workload = long_runs::MakeWorkload(8);
  const auto& images = workload.images;
  std::atomic<unsigned long> wrong = 0;
  for (const EngineKind engine : long_runs::kEngines) {
    const std::shared_ptr<const Network> network = workload.Load(engine);
    std::vector<std::vector<float>> expected;
    for (const std::vector<uint8_t>& image : images) {
      Answer answer;
      long_runs::Require(Session(network).Run(image, answer).ok(), "it runs");
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
