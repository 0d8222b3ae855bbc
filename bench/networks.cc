// Compares whole networks with the ANN: cssrun's engine, oneDNN in float and in 8 bits, and other
// programs run the same pictures by turns, so that a noisy machine slows all alike. Prints one JSON
// object.
//
//   bench_networks MODEL.onnx NET.fb IMAGES [--calibration FOLDER] [--opponent NAME=COMMAND]...
//
// With N threads, latency is the time of one image that all threads share, and throughput has one
// image on each thread (and for the ANN one copy of it on each thread).
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/instruction_set.h"
#include "bench/networks/contender.h"
#include "bench/networks/opponent.h"
#include "bench/or_exit.h"
#include "converter/convert.h"
#include "cssrun/cssrun.h"
#include "runtime/seconds_since.h"
#include "tools/args.h"

namespace cssrun::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model;
  std::string network;
  std::string images;
  size_t most = 1000;
  unsigned threads = 1;
  size_t batch = 16;
  double seconds = 5;
  std::string calibration;
  std::vector<std::string> opponents;
  std::string simd;
};

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

constexpr ExitOnError OrExit{"bench_networks"};

// Measures the cost of getting ready: seconds until the first answer, and the largest memory.
Json Measure(const std::function<void()>& load_and_run) {
  int ends[2];
  if (pipe(ends) != 0) OrExit.Exit(Status::Io("no pipe"));
  const pid_t child = fork();
  if (child == 0) {
    const Clock::time_point start = Clock::now();
    load_and_run();
    struct rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    const double figures[] = {internal::SecondsSince(start),
                              static_cast<double>(usage.ru_maxrss) / 1024};
    _exit(write(ends[1], figures, sizeof(figures)) == sizeof(figures) ? 0 : 1);
  }
  close(ends[1]);
  double figures[2] = {};
  const bool read_all = read(ends[0], figures, sizeof(figures)) == sizeof(figures);
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  if (!read_all) OrExit.Exit(Status::Io("loading failed"));
  return {{"first_answer_seconds", figures[0]}, {"peak_mib", figures[1]}};
}

// Measured before this process itself holds any memory.
Json MeasureLoading(const Arguments& arguments) {
  const Json snn = Measure([&] {
    const auto network = OrExit(Network::Load(arguments.network));
    const InputFormat& input = network->input();
    Session session(network);
    Answer answer;
    const std::vector<uint8_t> grey(size_t{input.channels} * input.height * input.width, 128);
    OrExit(session.Run(grey, answer));
  });
  const Json dense = Measure([&] {
    const converter::Model model = OrExit(converter::LoadModel(arguments.model));
    const auto network = OrExit(CreateDense(model, 1, arguments.threads));
    const size_t pixels = size_t{model.input.channels} * model.input.height * model.input.width;
    const std::vector<float> grey(pixels, 0.0F);
    std::vector<float> logits(model.classes);
    OrExit(network->Run(grey, logits, {}, {}));
  });
  return {{"snn", snn}, {"dense", dense}};
}

double MeanSynops(const std::shared_ptr<const Network>& network, const Pictures& pictures) {
  constexpr size_t kEnough = 200;
  const size_t count = std::min(pictures.count(), kEnough);
  Session session(network, {.statistics = true});
  Answer answer;
  double synops = 0;
  for (size_t i = 0; i < count; ++i) {
    OrExit(session.Run(pictures.set.pixels[i], answer));
    for (const LayerStatistics& layer : answer.layers) synops += static_cast<double>(layer.synops);
  }
  return synops / static_cast<double>(count);
}

// A turn runs about as many images as take us 50 ms, with the same number for each thread.
void RunRounds(const Arguments& arguments, std::vector<Contender>& contenders) {
  constexpr size_t kMostImages = 64;
  double one = OrExit(contenders.front().turn(0, 1));
  for (size_t i = 1; i < 5; ++i) one = std::min(one, OrExit(contenders.front().turn(i, 1)));
  const size_t turn =
      std::clamp<size_t>(static_cast<size_t>(0.05 / one), 1, kMostImages) * arguments.threads;
  for (Contender& contender : contenders) OrExit(contender.turn(0, turn));  // warm
  const Clock::time_point start = Clock::now();
  for (size_t round = 0; round < 3 || internal::SecondsSince(start) < arguments.seconds; ++round) {
    for (Contender& contender : contenders) {
      // OpenMP's threads go on spinning for a while after their work has ended.
      if (arguments.threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      contender.seconds_per_image.push_back(OrExit(contender.turn(round * turn, turn)) /
                                            static_cast<double>(turn));
    }
  }
}

// How many times as long as we a contender takes: the median over the rounds, and its quartiles.
Json RatioToUs(const Contender& contender, const Contender& us) {
  std::vector<double> ratios;
  for (size_t round = 0; round < us.seconds_per_image.size(); ++round) {
    ratios.push_back(contender.seconds_per_image[round] / us.seconds_per_image[round]);
  }
  return {{"median", Percentile(ratios, 0.5)},
          {"quartiles", {Percentile(ratios, 0.25), Percentile(ratios, 0.75)}}};
}

double ShareOfEqual(const std::vector<size_t>& a, const std::vector<size_t>& b) {
  size_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i] ? 1 : 0;
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

// The share of pictures whose class is known that got it; null where none is known.
Json Top1(const std::vector<size_t>& answers, const converter::ImageSet& images) {
  size_t known = 0;
  size_t right = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (images.truth[i] < 0) continue;
    ++known;
    right += images.IsRight(i, answers[i]) ? 1 : 0;
  }
  if (known == 0) return nullptr;
  return static_cast<double>(right) / static_cast<double>(known);
}

// Top-1 of everybody and agreement with the ANN in float.
void AddAccuracy(const std::vector<Contender>& contenders, const Pictures& pictures, Json& json) {
  std::map<std::string, std::vector<size_t>> answers;
  for (const Contender& contender : contenders) {
    if (contender.answer) answers[contender.name] = OrExit(contender.answer());
  }
  json["pictures"] = pictures.count();
  for (const Contender& contender : contenders) {
    if (!contender.answer) continue;
    const std::vector<size_t>& own = answers.at(contender.name);
    json["top1"][contender.name] = Top1(own, pictures.set);
    json["agreement"][contender.name] = ShareOfEqual(own, answers.at("dense"));
  }
}

CLI::App& AddOptions(CLI::App& app, Arguments& arguments) {
  app.add_option("MODEL", arguments.model, "ONNX model")->required();
  app.add_option("NET", arguments.network, "network converted from it")->required();
  app.add_option("IMAGES", arguments.images, "folder of images")->required();
  app.add_option("--most", arguments.most, "takes so many of the images (1000)")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--threads", arguments.threads, "for all (1)")->check(CLI::Range(1, 1024));
  app.add_option("--batch", arguments.batch,
                 "a dense contender that takes so many at a time (16; 1: none)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--seconds", arguments.seconds, "how long (5)");
  app.add_option("--calibration", arguments.calibration,
                 "a folder of other images: oneDNN runs in 8 bits, too, calibrated on them");
  app.add_option("--opponent", arguments.opponents,
                 "NAME=COMMAND: another program, see bench/networks/opponent.h; {pictures} and "
                 "{calibration} in it become files of normalized images")
      ->expected(1)
      ->take_all();
  app.add_option("--simd", arguments.simd,
                 "the best instruction set that cssrun may use, as in a summary's simd_target");
  tools::Prepare(app, "  bench_networks model.onnx net.fb images/ --threads 2");
  return app;
}

int Run(int argc, char** argv) {
  CLI::App app("A converted network against its ANN, turn by turn.", "bench_networks");
  Arguments arguments;
  if (const auto exit = tools::Parse(AddOptions(app, arguments), argc, argv); exit.has_value()) {
    return *exit;
  }
  if (!arguments.simd.empty()) OrExit(UseNothingBetterThan(arguments.simd));
  Json load = MeasureLoading(arguments);

  const converter::Model model = OrExit(converter::LoadModel(arguments.model));
  const auto network = OrExit(Network::Load(arguments.network));
  const Pictures pictures = OrExit(ReadPictures(arguments.images, *network, arguments.most));
  const PictureFile pictures_file = OrExit(PictureFile::Write(pictures));
  std::optional<Pictures> calibration;
  std::optional<PictureFile> calibration_file;
  if (!arguments.calibration.empty()) {
    calibration = OrExit(ReadPictures(arguments.calibration, *network, arguments.most));
    calibration_file.emplace(OrExit(PictureFile::Write(*calibration)));
  }

  Json not_run;
  std::vector<Contender> contenders;
  const unsigned threads = arguments.threads;
  contenders.push_back(OrExit(SnnLatency(network, pictures, threads)));
  contenders.push_back(OrExit(SnnCounting(network, pictures, threads)));
  contenders.push_back(OrExit(DenseLatency(model, pictures, 1, threads)));
  if (calibration.has_value()) {
    auto int8 = Int8Latency(model, *calibration, pictures, network->input(), threads);
    if (int8.ok()) {
      contenders.push_back(std::move(int8).value());
    } else {
      not_run["dense_int8"] = int8.status().message();
    }
  }
  if (threads == 1 && arguments.batch > 1) {
    contenders.push_back(OrExit(DenseLatency(model, pictures, arguments.batch, 1)));
  } else if (threads > 1) {
    contenders.push_back(SnnThroughput(network, pictures, threads));
    contenders.push_back(OrExit(DenseThroughput(model, pictures, threads)));
  }
  for (const std::string& option : arguments.opponents) {
    const NamedCommand named =
        OrExit(ParseOpponent(option, pictures_file.path(),
                             calibration_file.has_value() ? calibration_file->path() : ""));
    const std::shared_ptr<Opponent> opponent = OrExit(Opponent::Start(named.command));
    load[named.name]["peak_mib"] = OrExit(opponent->MemoryMib());
    contenders.push_back(ContenderOf(named.name, opponent, pictures.count()));
  }

  Json json;
  json["threads"] = threads;
  json["synops_per_image"] = MeanSynops(network, pictures);
  json["macs_per_image"] = network->macs_per_image();
  AddAccuracy(contenders, pictures, json);
  RunRounds(arguments, contenders);
  const double ours = Percentile(contenders.front().seconds_per_image, 0.5);
  json["rounds"] = contenders.front().seconds_per_image.size();
  json["gsyops_per_second"] = json["synops_per_image"].get<double>() / ours / 1e9;
  for (const Contender& contender : contenders) {
    const double median = Percentile(contender.seconds_per_image, 0.5);
    json["ms_per_image"][contender.name] = median * 1e3;
    json["images_per_second"][contender.name] = 1 / median;
    json["ratio_to_snn"][contender.name] = RatioToUs(contender, contenders.front());
  }
  json["load"] = load;
  if (!not_run.is_null()) json["not_run"] = not_run;
  std::cout << json.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace cssrun::bench

int main(int argc, char** argv) {
  try {
    return cssrun::bench::Run(argc, argv);
  } catch (const std::exception& error) {  // images and JSON may be more than memory holds
    std::cerr << "bench_networks: " << error.what() << "\n";
    return 1;
  }
}
