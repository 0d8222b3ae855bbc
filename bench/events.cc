// Times a network that takes events on a recording, beside dense runs of each step of the same
// neurons in oneDNN, in float and in 8 bits, by turns, so that a noisy machine slows all alike.
//
//   bench_events NET.fb RECORDING.bin [STEP_US]... [--thin N]
//
// NET is a chain of layers that do not leak (see opponents/dense_steps.h). RECORDING is N-MNIST's:
// five bytes an event. Prints a line for each length of a step, 1,000 and 100 microseconds where
// none is given: the median over rounds, and the ratios of medians; then the same of the fastest
// round of each, which other work on the machine disturbs least. --thin keeps one event of N,
// --repeat has each N times in a row: the curve against the rate of events.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bench/opponents/dense_steps.h"
#include "bench/or_exit.h"
#include "cssrun/cssrun.h"
#include "fmt/format.h"
#include "format/network_file.h"

namespace cssrun::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr ExitOnError kOrExit = {"bench_events"};

struct Event {
  uint64_t microseconds = 0;
  uint32_t address = 0;
};

std::vector<Event> ReadEvents(const std::string& path, const InputFormat& input) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<Event> events;
  for (size_t i = 0; i + 5 <= bytes.size(); i += 5) {
    const uint32_t x = bytes[i];
    const uint32_t y = bytes[i + 1];
    if (x >= input.width || y >= input.height) continue;
    const uint32_t polarity = bytes[i + 2] >> 7U;
    events.push_back({(bytes[i + 2] & 0x7FU) << 16U | bytes[i + 3] << 8U | bytes[i + 4],
                      (polarity * input.height + y) * input.width + x});
  }
  return events;
}

template <class Run>
double Seconds(Run run) {
  const Clock::time_point start = Clock::now();
  run();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void RunDense(DenseSteps& dense, const std::vector<TimedEvent>& events, uint64_t steps) {
  dense.Reset();
  size_t next = 0;
  for (uint64_t step = 0; step < steps; ++step) {
    const size_t first = next;
    while (next < events.size() && events[next].step == step) ++next;
    dense.Step(std::span(events).subspan(first, next - first));
  }
}

// The times of the rounds of one contender.
struct Times {
  double Median() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  double Fastest() const { return *std::min_element(seconds.begin(), seconds.end()); }

  std::vector<double> seconds;
};

template <class T>
size_t Best(const std::vector<T>& counts) {
  return static_cast<size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

void Measure(const std::shared_ptr<const Network>& network, DenseSteps& floats, DenseSteps& bytes,
             const std::vector<Event>& recording, uint64_t step_us, size_t rounds) {
  std::vector<TimedEvent> events;
  for (const Event& event : recording) {
    events.push_back({event.microseconds / step_us, event.address, 1});
  }
  const uint64_t steps = events.back().step + 1;
  EventSession session = kOrExit(EventSession::Create(network));
  Times ours;
  Times of_floats;
  Times of_bytes;
  for (size_t round = 0; round < rounds; ++round) {
    ours.seconds.push_back(Seconds([&] {
      session.Reset();
      if (!session.Feed(events, steps).ok()) std::exit(1);
    }));
    of_floats.seconds.push_back(Seconds([&] { RunDense(floats, events, steps); }));
    of_bytes.seconds.push_back(Seconds([&] { RunDense(bytes, events, steps); }));
  }
  std::vector<float> logits;
  session.ReadLogits(logits);
  const auto count = static_cast<double>(events.size());
  fmt::print(
      "{:>7} us {:>6} steps {:>8} events: {:>8.2f} ms, {:>6.2f} us an event; float {:>6.1f} "
      "times as long, int8 {:>6.1f}; fastest {:>8.2f} ms, {:>6.2f} us an event; float {:>6.1f} "
      "times, {:.1f} ms, int8 {:>6.1f} (class {}, {}, {}; {:.0f}, {}, {} spikes)\n",
      step_us, steps, events.size(), ours.Median() * 1e3, ours.Median() * 1e6 / count,
      of_floats.Median() / ours.Median(), of_bytes.Median() / ours.Median(), ours.Fastest() * 1e3,
      ours.Fastest() * 1e6 / count, of_floats.Fastest() / ours.Fastest(), of_floats.Fastest() * 1e3,
      of_bytes.Fastest() / ours.Fastest(), BestClass(logits), Best(floats.Counts()),
      Best(bytes.Counts()), logits[BestClass(logits)], floats.Counts()[Best(floats.Counts())],
      bytes.Counts()[Best(bytes.Counts())]);
}

int Run(const std::vector<std::string>& words) {
  omp_set_num_threads(1);
  std::vector<uint64_t> steps;
  size_t thin = 1;
  size_t repeat = 1;
  size_t rounds = 11;
  for (size_t i = 2; i < words.size(); ++i) {
    const auto next = [&] { return std::stoul(words.at(++i)); };
    if (words[i] == "--thin") {
      thin = next();
    } else if (words[i] == "--repeat") {
      repeat = next();
    } else if (words[i] == "--rounds") {
      rounds = next();
    } else {
      steps.push_back(std::stoul(words[i]));
    }
  }
  if (steps.empty()) steps = {1000, 100};
  const auto file = kOrExit(format::NetworkFile::Open(words[0]));
  const auto network = kOrExit(Network::Load(words[0]));
  DenseSteps floats = kOrExit(DenseSteps::Make(*file.network().events(), false));
  DenseSteps bytes = kOrExit(DenseSteps::Make(*file.network().events(), true));
  const std::vector<Event> all = ReadEvents(words[1], network->input());
  std::vector<Event> recording;
  for (size_t i = 0; i < all.size(); i += thin) recording.insert(recording.end(), repeat, all[i]);
  if (recording.empty()) {
    fmt::print(stderr, "{}: no events\n", words[1]);
    return 4;
  }
  for (const uint64_t step_us : steps) {
    Measure(network, floats, bytes, recording, step_us, rounds);
  }
  return 0;
}

}  // namespace
}  // namespace cssrun::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr,
               "usage: bench_events NET.fb RECORDING.bin [STEP_US]... [--thin N] "
               "[--repeat N] [--rounds N]\n");
    return 2;
  }
  return cssrun::bench::Run({argv + 1, argv + argc});
}
