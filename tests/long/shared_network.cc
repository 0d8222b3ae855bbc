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

// Runs run(t) on `count` threads.
template <class Run>
void OnThreads(unsigned long count, const Run& run) {
  std::vector<std::thread> threads;
  for (unsigned long t = 0; t < count; ++t) threads.emplace_back([&run, t] { run(t); });
  for (std::thread& thread : threads) thread.join();
}

// Run `count` sessions or streams on one network. Return how many answers are wrong.
unsigned long RunSessions(unsigned long count, unsigned long runs,
                          const long_runs::Workload& workload, EngineKind engine) {
  const auto& images = workload.images;
  const std::shared_ptr<const Network> network = workload.Load(engine);
  const std::vector<std::vector<float>> expected = ExpectedOf(network, images);
  std::atomic<unsigned long> wrong = 0;
  OnThreads(count, [&](unsigned long t) {
    Session session(network);
    Answer answer;
    for (unsigned long i = 0; i < runs; ++i) {
      const size_t image = (i * (2 * t + 1) + t) % images.size();
      if (!session.Run(images[image], answer).ok() || answer.logits != expected[image]) ++wrong;
    }
  });
  return wrong;
}

unsigned long RunStreams(unsigned long count, unsigned long runs,
                         const long_runs::Workload& workload) {
  const auto& frames = workload.images;
  const std::shared_ptr<const Network> network = workload.Load(EngineKind::kInteger);
  const std::vector<std::vector<float>> expected = ExpectedOf(network, frames);
  std::atomic<unsigned long> wrong = 0;
  OnThreads(count, [&](unsigned long t) {
    Result<Stream> stream = Stream::Create(network, {.threads = t % 2 == 0 ? 1U : 2U});
    long_runs::Require(stream.ok(), "the network runs as a stream");
    StreamAnswer answer;
    for (unsigned long i = 0; i < runs; ++i) {
      const size_t frame = (i * (2 * t + 1) + t) % frames.size();
      const std::span<const uint8_t> pixels = frames[frame];
      if (!stream.value().Next(pixels, answer).ok() || answer.logits != expected[frame]) ++wrong;
    }
  });
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<size_t>(argc));
  const unsigned long sessions = long_runs::Argument(arguments, 1, 8);
  const unsigned long runs = long_runs::Argument(arguments, 2, 10000);
  using long_runs::NetworkDraw;
  unsigned long wrong = 0;
  for (const NetworkDraw draw : {NetworkDraw::kAnyCode, NetworkDraw::kWinograd}) {
    const long_runs::Workload workload = long_runs::MakeWorkload(8, draw);
    for (const EngineKind engine : long_runs::kEngines) {
      wrong += RunSessions(sessions, runs, workload, engine);
    }
  }
  for (const NetworkDraw draw : {NetworkDraw::kSettled, NetworkDraw::kWinograd}) {
    wrong += RunStreams(sessions, runs, long_runs::MakeWorkload(8, draw));
  }
  std::printf(
      "%lu sessions, %lu runs each of two networks on each engine, and as many of streams: "
      "%lu wrong answers\n",
      sessions, runs, wrong);
  return wrong == 0 ? 0 : 1;
}
