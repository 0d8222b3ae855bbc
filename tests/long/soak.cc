// Watches memory and descriptors over a long time: soak [INFERENCES] [CYCLES] [EVENTS]
//
// Runs INFERENCES images on one session of each engine and as many frames of a stream, feeds EVENTS
// events to a session that takes them, then loads and unloads a network CYCLES times. After a
// warm-up of a tenth, resident memory grows by less than 1 MiB and the number of open descriptors
// does not change.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/write_atomically.h"
#include "tests/long/workload.h"
#include "tests/oracle/event_parts.h"

namespace {

using namespace cssrun;
using long_runs::Require;

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

// Events in bursts and silences, a thousand at a time; their answer is read, and every hundredth
// time the stream is saved and continued.
void SoakEvents(unsigned long events) {
  constexpr uint32_t kAtOnce = 1000;
  const flatbuffers::DetachedBuffer file = format::SerializeNetwork(oracle::SmallEventNetwork());
  const auto network = Network::FromBytes({file.data(), file.size()}, "events");
  Require(network.ok(), "the network loads");
  Result<EventSession> session = EventSession::Create(network.value());
  Require(session.ok(), "the network takes events");
  std::vector<TimedEvent> batch;
  std::vector<float> logits;
  std::vector<uint8_t> state;
  uint32_t random = 1;
  Soak("thousands of events", events / kAtOnce, [&](unsigned long i) {
    uint64_t step = session.value().now();
    batch.clear();
    for (uint32_t k = 0; k < kAtOnce; ++k) {
      random = random * 1664525U + 1013904223U;
      if (random >> 29U == 0) step += random >> 20U & 0x7FU;
      batch.push_back({step, random >> 8U & 0x1FU, 1});
    }
    Require(session.value().Feed(batch, step + 1).ok(), "it runs");
    session.value().ReadLogits(logits);
    if (i % 100 > 0) return;
    session.value().Save(state);
    Require(session.value().Restore(state).ok(), "it continues");
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<size_t>(argc));
  const unsigned long inferences = long_runs::Argument(arguments, 1, 100000);
  const unsigned long cycles = long_runs::Argument(arguments, 2, 10000);
  const unsigned long events = long_runs::Argument(arguments, 3, 100'000'000);
  const long_runs::Workload workload =
      long_runs::MakeWorkload(16, long_runs::NetworkDraw::kAnyCode);
  const std::span<const uint8_t> bytes = workload.bytes();
  const auto& images = workload.images;

  for (const EngineKind engine : long_runs::kEngines) {
    Session session(workload.Load(engine));
    Answer answer;
    const auto run = [&](unsigned long i) {
      Require(session.Run(images[i % images.size()], answer).ok(), "it runs");
    };
    Soak(engine == EngineKind::kInteger ? "integer inferences" : "float inferences", inferences,
         run);
  }

  const long_runs::Workload clip = long_runs::MakeWorkload(16, long_runs::NetworkDraw::kSettled);
  Result<Stream> stream = Stream::Create(clip.Load(EngineKind::kInteger));
  Require(stream.ok(), "the network runs as a stream");
  StreamAnswer frame;
  Soak("frames of a stream", inferences, [&](unsigned long i) {
    const std::span<const uint8_t> pixels = clip.images[i % clip.images.size()];
    Require(stream.value().Next(pixels, frame).ok(), "it runs");
  });

  SoakEvents(events);

  const std::string path =
      (std::filesystem::temp_directory_path() / ("soak" + std::to_string(getpid()) + ".fb"))
          .string();
  Require(format::WriteFileAtomically(path, bytes).ok(), "the file can be written");
  Soak("loads and unloads", cycles, [&](unsigned long i) {
    const auto network = Network::Load(path, long_runs::kEngines[i % 2]);
    Require(network.ok(), "the network loads");
    Answer answer;
    Require(Session(network.value()).Run(images[0], answer).ok(), "it runs");
    // A refused file must not leak anything either.
    Require(!Network::FromBytes(bytes.first(bytes.size() / 2), "half").ok(), "half is refused");
    Require(!Network::Load("/no/such/file").ok(), "no file is refused");
  });
  std::filesystem::remove(path);
  return 0;
}
