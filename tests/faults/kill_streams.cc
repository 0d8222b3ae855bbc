// Kills processes that run a stream of events, at random moments, and lets another one continue
// each from the state that was saved last: kill_streams [STREAMS]
//
// The process does what a program does that must survive: after every few events it writes the
// state and the number of events that are in it to one file, atomically. Whatever the moment of the
// kill, the spikes and potentials at the end are, bit for bit, those of a process that nobody
// killed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
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

constexpr size_t kEvents = 6000;
constexpr size_t kAtOnce = 200;
constexpr uint64_t kEnd = 3 * kEvents;  // steps

// What a kill must not change.
struct Outcome {
  std::vector<float> logits;
  std::vector<std::vector<double>> potentials;
  std::vector<std::vector<uint64_t>> counts;
  bool operator==(const Outcome&) const = default;
};

EventSession MakeSession() {
  const flatbuffers::DetachedBuffer file = format::SerializeNetwork(oracle::SmallEventNetwork());
  const auto network = Network::FromBytes({file.data(), file.size()}, "events");
  Require(network.ok(), "the network loads");
  return EventSession::Create(network.value()).value();
}

std::vector<TimedEvent> MakeEvents(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<TimedEvent> events;
  uint64_t step = 0;
  for (size_t i = 0; i < kEvents; ++i) {
    step += random() % 4;
    events.push_back({std::min(step, kEnd - 1), static_cast<uint32_t>(random() % 32), 1});
  }
  return events;
}

Outcome Read(const EventSession& session) {
  Outcome outcome;
  session.ReadLogits(outcome.logits);
  for (const size_t layer : {1, 2}) {
    Require(session.ReadPotentials(layer, outcome.potentials.emplace_back()).ok(), "potentials");
    Require(session.ReadCounts(layer, outcome.counts.emplace_back()).ok(), "counts");
  }
  return outcome;
}

std::vector<uint8_t> Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Continues the stream that the file holds, if there is one. Returns how many events are in it.
size_t Continue(const std::string& path, EventSession& session) {
  const std::vector<uint8_t> saved = Contents(path);
  if (saved.empty()) return 0;
  uint64_t done = 0;
  Require(saved.size() > sizeof(done), "a saved stream is whole");
  std::memcpy(&done, saved.data(), sizeof(done));
  Require(session.Restore(std::span(saved).subspan(sizeof(done))).ok(), "it continues");
  return done;
}

void Save(const std::string& path, const EventSession& session, uint64_t done) {
  std::vector<uint8_t> state;
  session.Save(state);
  std::vector<uint8_t> bytes(sizeof(done));
  std::memcpy(bytes.data(), &done, sizeof(done));
  bytes.insert(bytes.end(), state.begin(), state.end());
  Require(format::WriteFileAtomically(path, bytes).ok(), "it can be saved");
}

// Runs the stream from where the file is to its end, and saves it on the way.
void RunStream(const std::string& path, std::span<const TimedEvent> events, EventSession& session) {
  size_t done = Continue(path, session);
  while (done < events.size()) {
    size_t end = std::min(events.size(), done + kAtOnce);
    while (end < events.size() && events[end].step == events[end - 1].step) ++end;
    const uint64_t until = end < events.size() ? events[end].step : kEnd;
    Require(session.Feed(events.subspan(done, end - done), until).ok(), "it runs");
    done = end;
    Save(path, session, done);
  }
}

// Returns how often the process was killed before it came to the end.
size_t RunAndKill(const std::string& path, std::span<const TimedEvent> events,
                  std::mt19937& random) {
  for (size_t kills = 0;; ++kills) {
    const pid_t child = fork();
    Require(child >= 0, "there can be another process");
    if (child == 0) {
      EventSession session = MakeSession();
      RunStream(path, events, session);
      _exit(0);
    }
    // Longer and longer, so that a slow disk cannot keep it from coming to the end.
    usleep(static_cast<useconds_t>(random() % (2'000 + 1'000 * kills)));
    kill(child, SIGKILL);
    int end = 0;
    Require(waitpid(child, &end, 0) == child, "it ends");
    if (WIFEXITED(end)) {
      Require(WEXITSTATUS(end) == 0, "it ends well if nobody kills it");
      return kills;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long streams = long_runs::Argument({argv, static_cast<size_t>(argc)}, 1, 100);
  const auto folder =
      std::filesystem::temp_directory_path() / ("kill_streams" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::mt19937 random(1);
  size_t kills = 0;
  for (unsigned long i = 0; i < streams; ++i) {
    const std::vector<TimedEvent> events = MakeEvents(static_cast<uint32_t>(i));
    EventSession whole = MakeSession();
    Require(whole.Feed(events, kEnd).ok(), "it runs at once");
    const std::string path = folder / std::to_string(i);
    kills += RunAndKill(path, events, random);
    EventSession continued = MakeSession();
    Require(Continue(path, continued) == kEvents, "all events are in what was saved last");
    Require(Read(continued) == Read(whole), "kills change no bit");
  }
  std::filesystem::remove_all(folder);
  std::printf("%lu streams, killed %zu times: the same bits\n", streams, kills);
  Require(kills >= streams, "streams are killed on the way");
  return 0;
}
