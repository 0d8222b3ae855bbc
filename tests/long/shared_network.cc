// Runs sessions of many threads on one network, then streams: shared_network [SESSIONS] [RUNS]
//
// Each thread runs the same images in another order, RUNS times. Every answer must be the one that
// a single session got. Built with the preset tsan, the program looks for races.
#include <atomic>
#include <cstdio>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "cssrun/cssrun.h"
#include "tests/long/workload.h"

namespace {

using namespace cssrun;

// The logits of each image, from one session.
std::vector<std::vector<float>> ExpectedOf(const std::shared_ptr<const Network>& network,
                                           const std::vector<std::vector<uint8_t>>& images) {
  std::vector<std::vector<float>> expected;
  for (const std::vector<uint8_t>& image : images) {
    Answer answer;
    long_runs::Require(Session(network).Run(image, answer).ok(), "it runs");
    expected.push_back(answer.logits);
  }
  return expected;
}

// Returns how many answers of `count` streams on one network are wrong.
unsigned long RunStreams(unsigned long count, unsigned long runs) {
  const long_runs::Workload workload = long_runs::MakeWorkload(8, true);
  const auto& frames = workload.images;
  const std::shared_ptr<const Network> network = workload.Load(EngineKind::kInteger);
  const std::vector<std::vector<float>> expected = ExpectedOf(network, frames);
  std::atomic<unsigned long> wrong = 0;
  std::vector<std::thread> threads;
  for (unsigned long t = 0; t < count; ++t) {
    threads.emplace_back([&, t] {
      Result<Stream> stream = Stream::Create(network, {.threads = t % 2 == 0 ? 1U : 2U});
      long_runs::Require(stream.ok(), "the network runs as a stream");
      StreamAnswer answer;
      for (unsigned long i = 0; i < runs; ++i) {
        const size_t frame = (i * (2 * t + 1) + t) % frames.size();
        const std::span<const uint8_t> pixels = frames[frame];
        if (!stream.value().Next(pixels, answer).ok() || answer.logits != expected[frame]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<size_t>(argc));
  const unsigned long sessions = long_runs::Argument(arguments, 1, 8);
  const unsigned long runs = long_runs::Argument(arguments, 2, 10000);
  const long_runs::Workload workload = long_runs::MakeWorkload(8);
  const auto& images = workload.images;
  std::atomic<unsigned long> wrong = 0;
  for (const EngineKind engine : long_runs::kEngines) {
    const std::shared_ptr<const Network> network = workload.Load(engine);
    const std::vector<std::vector<float>> expected = ExpectedOf(network, images);
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
  wrong += RunStreams(sessions, runs);
  std::printf(
      "%lu sessions, %lu runs each on each engine, and as many of streams: %lu wrong answers\n",
      sessions, runs, wrong.load());
  return wrong == 0 ? 0 : 1;
}
