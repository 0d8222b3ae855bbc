// Compares whole networks with the ANN: cssrun's engine, oneDNN in float and in 8 bits, and other
// programs run the same pictures by turns, so that a noisy machine slows all alike. Prints a JSON
// object, for several numbers of threads an array of them, or a table of rows.
//
//   bench_networks MODEL.onnx NET.fb IMAGES [--threads 1,2,4] [--format json|jsonl|csv|md]
//                  [--calibration FOLDER] [--opponent NAME=COMMAND]...
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
#include "bench/networks/environment.h"
#include "bench/networks/opponent.h"
#include "bench/networks/results.h"
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
  std::vector<unsigned> threads = {1};
  size_t batch = 16;
  double seconds = 5;
  size_t rounds = 0;  // 0: as many as the seconds allow
  std::string format = "json";
  std::string calibration;
  std::vector<std::string> opponents;
  std::string simd;
};

constexpr ExitOnError OrExit{"bench_networks"};

// Measures the cost of getting ready: seconds until the first answer, and the largest memory.
Json MeasureChild(const std::function<void()>& load_and_run) {
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
  const Json snn = MeasureChild([&] {
    const auto network = OrExit(Network::Load(arguments.network));
    const InputFormat& input = network->input();
    Session session(network);
    Answer answer;
    const std::vector<uint8_t> grey(size_t{input.channels} * input.height * input.width, 128);
    OrExit(session.Run(grey, answer));
  });
  const Json dense = MeasureChild([&] {
    const converter::Model model = OrExit(converter::LoadModel(arguments.model));
    const auto network = OrExit(CreateDense(model, 1, arguments.threads.front()));
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
void RunRounds(const Arguments& arguments, unsigned threads, std::vector<Contender>& contenders) {
  constexpr size_t kMostImages = 64;
  double one = OrExit(contenders.front().turn(0, 1));
  for (size_t i = 1; i < 5; ++i) one = std::min(one, OrExit(contenders.front().turn(i, 1)));
  const size_t turn = std::clamp<size_t>(static_cast<size_t>(0.05 / one), 1, kMostImages) * threads;
  for (Contender& contender : contenders) OrExit(contender.turn(0, turn));  // warm
  const Clock::time_point start = Clock::now();
  const auto more = [&](size_t round) {
    if (arguments.rounds > 0) return round < arguments.rounds;
    return round < 3 || internal::SecondsSince(start) < arguments.seconds;
  };
  for (size_t round = 0; more(round); ++round) {
    for (Contender& contender : contenders) {
      // OpenMP's threads go on spinning for a while after their work has ended.
      if (threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      contender.seconds_per_image.push_back(OrExit(contender.turn(round * turn, turn)) /
                                            static_cast<double>(turn));
    }
  }
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
  app.add_option("--threads", arguments.threads, "for all; several: one after another (1)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--batch", arguments.batch,
                 "a dense contender that takes so many at a time (16; 1: none)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--seconds", arguments.seconds, "how long, for each number of threads (5)");
  app.add_option("--rounds", arguments.rounds,
                 "how many times each contender has its turn, instead of --seconds")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option(
         "--format", arguments.format,
         "json, or a row for each contender and number of threads: jsonl and csv with every "
         "round's time, md")
      ->check(CLI::IsMember({"json", "jsonl", "csv", "md"}).description(""));
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

// What all numbers of threads share.
struct Material {
  const converter::Model& model;
  const std::shared_ptr<const Network>& network;
  const Pictures& pictures;
  const PictureFile& pictures_file;
  const std::optional<Pictures>& calibration;
  const std::optional<PictureFile>& calibration_file;
};

// Starts everybody. Adds to `load` what other programs take, and to `not_run` who could not, and
// why.
std::vector<Contender> MakeContenders(const Arguments& arguments, unsigned threads,
                                      const Material& material, Json& load, Json& not_run) {
  const auto& [model, network, pictures, pictures_file, calibration, calibration_file] = material;
  std::vector<Contender> contenders;
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
  return contenders;
}

Json ValueOr(const Json& object, const char* key, const std::string& name) {
  return object[key].contains(name) ? object[key][name] : Json();
}

// The object of one number of threads, and a row for each contender, which ends with `environment`.
Json Measure(const Arguments& arguments, unsigned threads, const Material& material,
             const Json& environment, Json load, std::vector<Json>& rows) {
  Json not_run;
  std::vector<Contender> contenders = MakeContenders(arguments, threads, material, load, not_run);
  Json json;
  json["threads"] = threads;
  json["synops_per_image"] = MeanSynops(material.network, material.pictures);
  json["macs_per_image"] = material.network->macs_per_image();
  AddAccuracy(contenders, material.pictures, json);
  RunRounds(arguments, threads, contenders);
  const double ours = Percentile(contenders.front().seconds_per_image, 0.5);
  json["rounds"] = contenders.front().seconds_per_image.size();
  json["gsyops_per_second"] = json["synops_per_image"].get<double>() / ours / 1e9;
  for (const Contender& contender : contenders) {
    const std::string& name = contender.name;
    Json times = Times(contender.seconds_per_image);
    const Json ratio = RatioToUs(contender, contenders.front());
    json["ms_per_image"][name] = times["median_ms"];
    json["images_per_second"][name] = times["images_per_second"];
    json["ratio_to_snn"][name] = ratio;
    json["times_ms"][name] = times["times_ms"];
    Json row = {{"name", name}, {"threads", threads}};
    row.update(times);
    row["ratio_to_snn"] = ratio["median"];
    row["ratio_quartiles"] = ratio["quartiles"];
    row["top1"] = ValueOr(json, "top1", name);
    row["agreement"] = ValueOr(json, "agreement", name);
    row["pictures"] = json["pictures"];
    row.update(environment);
    rows.push_back(std::move(row));
  }
  json["load"] = load;
  if (!not_run.is_null()) json["not_run"] = not_run;
  json["environment"] = environment;
  return json;
}

int Run(int argc, char** argv) {
  CLI::App app("A converted network against its ANN, turn by turn.", "bench_networks");
  Arguments arguments;
  if (const auto exit = tools::Parse(AddOptions(app, arguments), argc, argv); exit.has_value()) {
    return *exit;
  }
  if (!arguments.simd.empty()) OrExit(UseNothingBetterThan(arguments.simd));
  const Json load = MeasureLoading(arguments);

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
  const Material material = {model,         network,     pictures,
                             pictures_file, calibration, calibration_file};
  const Json environment = {{"simd_target", SimdTarget()},
                            {"cpu", ProcessorName()},
                            {"commit", Commit()},
                            {"model", arguments.model},
                            {"model_crc32", OrExit(Crc32OfFile(arguments.model))},
                            {"network", arguments.network},
                            {"network_crc32", OrExit(Crc32OfFile(arguments.network))}};

  Json all = Json::array();
  std::vector<Json> rows;
  for (const unsigned threads : arguments.threads) {
    all.push_back(Measure(arguments, threads, material, environment, load, rows));
  }
  if (arguments.format == "json") {
    std::cout << (all.size() == 1 ? all[0] : all).dump(2) << "\n";
  } else {
    std::cout << (arguments.format == "csv"     ? CsvTable(rows)
                  : arguments.format == "jsonl" ? JsonLines(rows)
                                                : MarkdownTable(rows));
  }
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
