// Times streams over the frames of a clip beside full runs of the same frames: each passes the clip
// in its turn, as it would run alone with a camera, and all take their turns in every round, so
// that a noisy machine slows all alike. Prints a table.
//
//   bench_streams NET.fb CLIP [--hold N]... [--dead-zone X]... [--opponent NAME=COMMAND]
//
// CLIP is a folder of pictures, in the order of their names. Without a dead zone, the logits of
// every frame are compared with the full run of the picture as it is held. The clip runs forwards
// and backwards, so that no frame but the first is a cut.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/networks/contender.h"
#include "bench/networks/opponent.h"
#include "cssrun/cssrun.h"
#include "fmt/format.h"
#include "runtime/seconds_since.h"
#include "tests/runtime/hold.h"
#include "tools/args.h"
#include "tools/image_io.h"
#include "tools/image_list.h"

namespace cssrun::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Frame = std::vector<uint8_t>;

struct Arguments {
  std::string network;
  std::string clip;
  std::vector<unsigned> holds = {0};
  std::vector<double> dead_zones = {0};
  std::string opponent;
  unsigned threads = 1;
  unsigned rounds = 2;
  bool profile = false;
  bool alone = false;  // for profilers: no full runs, and nothing is compared with them
};

struct Times {
  std::vector<double> ms;
  void Add(double seconds) { ms.push_back(seconds * 1e3); }
  double mean() const {
    double sum = 0;
    for (const double one : ms) sum += one;
    return sum / static_cast<double>(ms.size());
  }
  double quantile(double share) const {
    std::vector<double> sorted = ms;
    std::ranges::sort(sorted);
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<size_t>(std::lround(share * last))];
  }
};

struct Contest {
  StreamOptions options;
  std::optional<Stream> stream;
  size_t channels = 1;
  Frame held;  // the picture that the stream works with; empty before the first frame
  Times times;
  std::map<const Frame*, double> least_ms;  // of all rounds
  double changed = 0;                       // of the frames that were compared with the one before
  size_t whole = 0;                         // the others
  size_t frames = 0;
  size_t same_bits = 0;
  size_t same_class = 0;
  double error = 0;  // of logits, as a share of the largest
  std::vector<double> layer_seconds, layer_changed, layer_touched;

  void Note(const StreamAnswer& answer) {
    if (answer.whole) {
      ++whole;
    } else {
      changed += answer.changed_share();
    }
    layer_seconds.resize(answer.layers.size());
    layer_changed.resize(answer.layers.size());
    layer_touched.resize(answer.layers.size());
    for (size_t i = 0; i < answer.layers.size(); ++i) {
      const StreamLayer& layer = answer.layers[i];
      layer_seconds[i] += layer.seconds;
      if (layer.neurons == 0) continue;
      const auto neurons = static_cast<double>(layer.neurons);
      layer_touched[i] += static_cast<double>(layer.touched) / neurons;
      layer_changed[i] += static_cast<double>(layer.changed) / neurons;
    }
  }
};

double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(double{a[i]} - double{b[i]}));
    largest = std::max(largest, std::abs(double{b[i]}));
  }
  return largest > 0 ? difference / largest : difference;
}

Result<std::vector<Frame>> ReadClip(const std::string& folder, const InputFormat& format) {
  auto files = tools::ListImages({folder}, {}, std::cin);
  if (!files.ok()) return files.status();
  std::vector<Frame> frames;
  for (const tools::ImageFile& file : files.value()) {
    if (Status status = tools::ReadPixels(file.path, format, frames.emplace_back()); !status.ok()) {
      return status;
    }
  }
  if (frames.size() < 2) return Status::InvalidArgument(folder + ": fewer than two pictures");
  return frames;
}

Pictures Normalized(const std::vector<Frame>& frames, const InputFormat& format) {
  Pictures pictures;
  const size_t positions = size_t{format.height} * format.width;
  for (const Frame& frame : frames) {
    std::vector<float>& planar = pictures.normalized.emplace_back(frame.size());
    for (size_t i = 0; i < frame.size(); ++i) {
      const size_t c = i % format.channels;
      planar[c * positions + i / format.channels] =
          (static_cast<float>(frame[i]) / 255.0F - format.mean[c]) / format.stddev[c];
    }
  }
  return pictures;
}

// Passes the clip through a stream. The first frame of all is not timed.
Status RunContest(Session* session, const std::vector<const Frame*>& clip, Contest& contest) {
  std::vector<StreamAnswer> answers(clip.size());
  for (size_t i = 0; i < clip.size(); ++i) {
    const bool timed = contest.frames++ > 0;
    const Clock::time_point start = Clock::now();
    if (Status status = contest.stream->Next(*clip[i], answers[i]); !status.ok()) return status;
    const double seconds = internal::SecondsSince(start);
    if (!timed) continue;
    contest.times.Add(seconds);
    contest.Note(answers[i]);
    double& least = contest.least_ms[clip[i]];
    least = least == 0 ? seconds * 1e3 : std::min(least, seconds * 1e3);
  }
  if (session == nullptr) return Status::Ok();
  for (size_t i = 0; i < clip.size(); ++i) {
    Hold(contest.options.hold, contest.channels, *clip[i], contest.held);
    Answer full;
    if (Status status = session->Run(contest.held, full); !status.ok()) return status;
    contest.same_bits += answers[i].logits == full.logits ? 1 : 0;
    contest.same_class += answers[i].best() == full.best() ? 1 : 0;
    contest.error = std::max(contest.error, LargestDifference(answers[i].logits, full.logits));
  }
  return Status::Ok();
}

void PrintLayers(const Network& network, const Contest& contest) {
  const auto frames = static_cast<double>(contest.times.ms.size());
  for (size_t i = 0; i < contest.layer_seconds.size(); ++i) {
    fmt::print("  {:<40} {:8.3f} ms {:6.2f} % changed {:6.2f} % computed\n",
               network.layers()[i].name, contest.layer_seconds[i] * 1e3 / frames,
               contest.layer_changed[i] * 100 / frames, contest.layer_touched[i] * 100 / frames);
  }
}

Status Run(const Arguments& arguments) {
  auto network = Network::Load(arguments.network);
  if (!network.ok()) return network.status();
  const InputFormat& format = network.value()->input();
  auto frames = ReadClip(arguments.clip, format);
  if (!frames.ok()) return frames.status();
  SessionOptions options;
  options.threads = arguments.threads;
  Session session(network.value(), options);
  auto plain = Stream::Create(network.value(), {.threads = arguments.threads});
  if (!plain.ok()) return plain.status();
  std::vector<Contest> contests;
  for (const unsigned hold : arguments.holds) {
    for (const double dead_zone : arguments.dead_zones) {
      Contest& contest = contests.emplace_back();
      contest.options = {.threads = arguments.threads,
                         .hold = hold,
                         .dead_zone = dead_zone,
                         .profile = arguments.profile};
      auto stream = Stream::Create(network.value(), contest.options);
      if (!stream.ok()) return stream.status();
      contest.stream = std::move(stream).value();
      contest.channels = format.channels;
    }
  }
  std::shared_ptr<Opponent> opponent;
  std::optional<PictureFile> pictures;
  std::string name;
  if (!arguments.opponent.empty()) {
    const size_t equals = arguments.opponent.find('=');
    auto file = PictureFile::Write(Normalized(frames.value(), format));
    if (!file.ok()) return file.status();
    pictures.emplace(std::move(file).value());
    std::string command = arguments.opponent.substr(equals + 1);
    for (const std::string place : {"{pictures}", "{calibration}"}) {
      while (command.find(place) != std::string::npos) {
        command.replace(command.find(place), place.size(), pictures->path());
      }
    }
    auto started = Opponent::Start(command);
    if (!started.ok()) return started.status();
    opponent = started.value();
    // It is ready once it has answered.
    if (auto first = opponent->Run(0, 1); !first.ok()) return first.status();
    name = arguments.opponent.substr(0, equals);
  }
  Times full, of_opponent, still, cut;
  for (unsigned round = 0; round < arguments.rounds; ++round) {
    // Forwards, then backwards without the last frame again, and so on.
    std::vector<size_t> order;
    for (size_t i = round > 0 ? 1 : 0; i < frames.value().size(); ++i) {
      order.push_back(round % 2 == 0 ? i : frames.value().size() - 1 - i);
    }
    std::vector<const Frame*> clip;
    for (const size_t i : order) clip.push_back(&frames.value()[i]);
    for (Contest& contest : contests) {
      Session* compared = arguments.alone ? nullptr : &session;
      if (Status status = RunContest(compared, clip, contest); !status.ok()) return status;
    }
    if (arguments.alone) continue;
    for (const Frame* frame : clip) {
      Answer answer;
      const Clock::time_point start = Clock::now();
      if (Status status = session.Run(*frame, answer); !status.ok()) return status;
      full.Add(internal::SecondsSince(start));
    }
    for (const Frame* frame : clip) {
      StreamAnswer again;
      for (Times* times : {&cut, &still}) {
        if (times == &cut) plain.value().Reset();
        const Clock::time_point begin = Clock::now();
        if (Status status = plain.value().Next(*frame, again); !status.ok()) return status;
        times->Add(internal::SecondsSince(begin));
      }
    }
    // Last: what another process leaves in the caches shall slow none of ours.
    for (size_t i = 0; opponent != nullptr && i < order.size(); ++i) {
      auto seconds = opponent->Run(order[i], 1);
      if (!seconds.ok()) return seconds.status();
      of_opponent.Add(seconds.value());
    }
  }
  if (arguments.alone) {
    for (const Contest& contest : contests) {
      double sum = 0;
      for (const auto& [frame, ms] : contest.least_ms) sum += ms;
      fmt::print("hold {}, dead zone {:.2f}: {:.3f} ms, the mean of each frame's least time\n",
                 contest.options.hold, contest.options.dead_zone,
                 sum / static_cast<double>(contest.least_ms.size()));
      if (arguments.profile) PrintLayers(*network.value(), contest);
    }
    return Status::Ok();
  }
  // Ratios are of medians: what else runs on the machine prolongs some frames.
  const double base = full.quantile(0.5);
  fmt::print("full run {:.2f} ms, median {:.2f}, p99 {:.2f}\n", full.mean(), base,
             full.quantile(0.99));
  if (opponent != nullptr) {
    fmt::print("{} {:.2f} ms, median {:.2f}, p99 {:.2f}\n", name, of_opponent.mean(),
               of_opponent.quantile(0.5), of_opponent.quantile(0.99));
  }
  fmt::print("still frame {:.3f} ms, {:.2f} % of a full run; first frame {:.2f} ms, {:.2f} times\n",
             still.quantile(0.5), still.quantile(0.5) / base * 100, cut.quantile(0.5),
             cut.quantile(0.5) / base);
  fmt::print(
      "| hold | dead zone | changed % | whole % | ms | median | p99 | x full run |{} same bits | "
      "same class | logits off |\n",
      opponent != nullptr ? " x " + name + " |" : "");
  for (const Contest& contest : contests) {
    const auto count = static_cast<double>(contest.times.ms.size());
    const double median = contest.times.quantile(0.5);
    const double compared = count - static_cast<double>(contest.whole);
    fmt::print("| {} | {:.2f} | {:.1f} | {:.0f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} |",
               contest.options.hold, contest.options.dead_zone,
               compared > 0 ? contest.changed / compared * 100 : 0, (1 - compared / count) * 100,
               contest.times.mean(), median, contest.times.quantile(0.99), base / median);
    if (opponent != nullptr) fmt::print(" {:.2f} |", of_opponent.quantile(0.5) / median);
    fmt::print(" {}/{} | {}/{} | {:.1f} % |\n", contest.same_bits, contest.frames,
               contest.same_class, contest.frames, contest.error * 100);
    if (arguments.profile) PrintLayers(*network.value(), contest);
  }
  return Status::Ok();
}

}  // namespace
}  // namespace cssrun::bench

int main(int argc, char** argv) {
  using namespace cssrun::bench;
  CLI::App app("Times streams beside full runs.");
  Arguments arguments;
  app.add_option("network", arguments.network)->required();
  app.add_option("clip", arguments.clip)->required();
  app.add_option("--hold", arguments.holds);
  app.add_option("--dead-zone", arguments.dead_zones);
  app.add_option("--opponent", arguments.opponent);
  app.add_option("--threads", arguments.threads);
  app.add_option("--rounds", arguments.rounds);
  app.add_flag("--profile", arguments.profile);
  app.add_flag("--alone", arguments.alone);
  CLI11_PARSE(app, argc, argv);
  const cssrun::Status status = Run(arguments);
  if (status.ok()) return 0;
  std::cerr << "bench_streams: " << status.message() << "\n";
  return 1;
}
