// Compares whole networks with the dense ANN: cssrun's engine and oneDNN in float run the same
// images by turns in one process, so that a noisy machine slows both alike. Prints one JSON object.
//
//   bench_networks MODEL.onnx NET.fb IMAGES [--threads N] [--seconds S] [--opponent COMMAND]
//
// With N threads, latency is the time of one image that all threads share, and throughput has one
// image on each thread (and for the ANN one copy of it on each thread). An opponent is a command
// whose last line of output is the milliseconds that it took for an image; it runs once in every
// round.
#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "converter/ann_run.h"
#include "converter/convert.h"
#include "converter/dense.h"
#include "cssrun/cssrun.h"
#include "hwy/targets.h"
#include "tools/args.h"
#include "tools/image_io.h"
#include "tools/image_list.h"

namespace cssrun {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model;
  std::string network;
  std::string images;
  unsigned threads = 1;
  size_t batch = 16;
  double seconds = 5;
  std::string opponent;
  std::string simd;
};

// Restricts cssrun's kernels to the instruction set of this name and those below it. oneDNN still
// uses all that the machine has.
Status UseNothingBetterThan(const std::string& name) {
  std::string names;
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;  // better ones are lower bits
    if (name == hwy::TargetName(target)) {
      hwy::DisableTargets(target - 1);
      return Status::Ok();
    }
    names += std::string(" ") + hwy::TargetName(target);
  }
  return Status::InvalidArgument("--simd " + name + ": this machine has" + names);
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

[[noreturn]] void Exit(const Status& status) {
  std::cerr << "bench_networks: " << status.message() << "\n";
  std::exit(tools::ExitCodeOf(status));
}

template <class T>
T OrExit(Result<T> result) {
  if (!result.ok()) Exit(result.status());
  return std::move(result).value();
}

void OrExit(const Status& status) {
  if (!status.ok()) Exit(status);
}

struct Images {
  std::vector<std::vector<uint8_t>> pixels;
  std::vector<std::vector<float>> normalized;

  size_t count() const { return pixels.size(); }
};

Images ReadImages(const std::string& folder, const Network& network) {
  constexpr size_t kMostPixels = 40'000'000;
  Images images;
  size_t pixels = 0;
  for (const tools::ImageFile& file :
       OrExit(tools::ListImages({folder}, network.labels(), std::cin))) {
    if (images.count() == 200 || pixels > kMostPixels) break;
    images.pixels.emplace_back();
    OrExit(tools::ReadPixels(file.path, network.input(), images.pixels.back()));
    images.normalized.emplace_back(images.pixels.back().size());
    converter::NormalizePixels(images.pixels.back(), network.input(), images.normalized.back());
    pixels += images.pixels.back().size();
  }
  return images;
}

std::unique_ptr<converter::DenseNetwork> CreateDense(const converter::Model& model, size_t batch,
                                                     int threads) {
  omp_set_num_threads(threads);
  return OrExit(converter::DenseNetwork::Create(model.graph, static_cast<int64_t>(batch)));
}

// Measures the cost of getting ready: seconds until the first answer, and the largest memory.
Json Measure(const std::function<void()>& load_and_run) {
  int ends[2];
  if (pipe(ends) != 0) Exit(Status::Io("no pipe"));
  const pid_t child = fork();
  if (child == 0) {
    const Clock::time_point start = Clock::now();
    load_and_run();
    struct rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    const double figures[] = {SecondsSince(start), static_cast<double>(usage.ru_maxrss) / 1024};
    _exit(write(ends[1], figures, sizeof(figures)) == sizeof(figures) ? 0 : 1);
  }
  double figures[2] = {};
  const bool read_all = read(ends[0], figures, sizeof(figures)) == sizeof(figures);
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);
  if (!read_all) Exit(Status::Io("loading failed"));
  return {{"first_answer_seconds", figures[0]}, {"peak_mib", figures[1]}};
}

// One way to run images. A turn runs a given number of them and returns the seconds that it took.
struct Contender {
  std::string name;
  std::function<double(size_t first, size_t count)> turn;
  std::vector<double> seconds_per_image = {};
};

Contender SnnLatency(const std::shared_ptr<const Network>& network, const Images& images,
                     unsigned threads) {
  SessionOptions options;
  options.threads = threads;
  auto session = std::make_shared<Session>(network, options);
  return {"snn", [&images, session](size_t first, size_t count) {
            Answer answer;
            const Clock::time_point start = Clock::now();
            for (size_t i = first; i < first + count; ++i) {
              OrExit(session->Run(images.pixels[i % images.count()], answer));
            }
            return SecondsSince(start);
          }};
}

Contender SnnThroughput(const std::shared_ptr<const Network>& network, const Images& images,
                        unsigned threads) {
  auto sessions = std::make_shared<std::vector<Session>>();
  for (unsigned i = 0; i < threads; ++i) sessions->emplace_back(network);
  return {"snn_throughput", [&images, sessions](size_t first, size_t count) {
            const Clock::time_point start = Clock::now();
            std::vector<std::thread> running;
            for (size_t t = 0; t < sessions->size(); ++t) {
              running.emplace_back([&, t] {
                Answer answer;
                for (size_t i = first + t; i < first + count; i += sessions->size()) {
                  OrExit((*sessions)[t].Run(images.pixels[i % images.count()], answer));
                }
              });
            }
            for (std::thread& thread : running) thread.join();
            return SecondsSince(start);
          }};
}

Contender DenseLatency(const converter::Model& model, const Images& images, size_t batch,
                       unsigned threads) {
  std::shared_ptr<converter::DenseNetwork> dense =
      CreateDense(model, batch, static_cast<int>(threads));
  const std::string name = batch == 1 ? "dense" : "dense_batch" + std::to_string(batch);
  return {name, [&images, &model, dense, batch, threads](size_t first, size_t count) {
            omp_set_num_threads(static_cast<int>(threads));
            std::vector<float> packed;
            std::vector<float> logits(batch * model.classes);
            double seconds = 0;
            size_t done = 0;
            for (; done < count; done += batch) {
              packed.clear();
              for (size_t i = 0; i < batch; ++i) {
                const auto& image = images.normalized[(first + done + i) % images.count()];
                packed.insert(packed.end(), image.begin(), image.end());
              }
              const Clock::time_point start = Clock::now();
              OrExit(dense->Run(packed, logits, {}, {}));
              seconds += SecondsSince(start);
            }
            return seconds * static_cast<double>(count) / static_cast<double>(done);
          }};
}

Contender DenseThroughput(const converter::Model& model, const Images& images, unsigned threads) {
  auto copies = std::make_shared<std::vector<std::unique_ptr<converter::DenseNetwork>>>();
  for (unsigned i = 0; i < threads; ++i) copies->push_back(CreateDense(model, 1, 1));
  return {"dense_throughput", [&images, &model, copies](size_t first, size_t count) {
            const Clock::time_point start = Clock::now();
            std::vector<std::thread> running;
            for (size_t t = 0; t < copies->size(); ++t) {
              running.emplace_back([&, t] {
                omp_set_num_threads(1);
                std::vector<float> logits(model.classes);
                for (size_t i = first + t; i < first + count; i += copies->size()) {
                  OrExit((*copies)[t]->Run(images.normalized[i % images.count()], logits, {}, {}));
                }
              });
            }
            for (std::thread& thread : running) thread.join();
            return SecondsSince(start);
          }};
}

Contender Opponent(const std::string& command) {
  return {"opponent", [command](size_t, size_t count) {
            FILE* pipe = popen(command.c_str(), "r");
            if (pipe == nullptr) Exit(Status::Io(command + ": cannot run"));
            std::string last;
            char line[4096];
            while (std::fgets(line, sizeof(line), pipe) != nullptr) last = line;
            const int status = pclose(pipe);
            char* end = nullptr;
            const double milliseconds = std::strtod(last.c_str(), &end);
            if (status != 0 || end == last.c_str() || !(milliseconds > 0)) {
              Exit(Status::InvalidArgument(
                  command + ": its last line is not a number of milliseconds an image"));
            }
            return milliseconds / 1e3 * static_cast<double>(count);
          }};
}

int Run(int argc, char** argv) {
  CLI::App app("A converted network against its ANN, turn by turn.", "bench_networks");
  Arguments arguments;
  app.add_option("MODEL", arguments.model, "ONNX model")->required();
  app.add_option("NET", arguments.network, "network converted from it")->required();
  app.add_option("IMAGES", arguments.images, "folder of images")->required();
  app.add_option("--threads", arguments.threads, "for both (1)")->check(CLI::Range(1, 1024));
  app.add_option("--batch", arguments.batch, "a dense contender that takes so many at a time (16)")
      ->check(CLI::Range(2, 1024));
  app.add_option("--seconds", arguments.seconds, "how long (5)");
  app.add_option("--opponent", arguments.opponent,
                 "a command that prints its milliseconds an image as its last line");
  app.add_option("--simd", arguments.simd,
                 "the best instruction set that cssrun may use, as in a summary's simd_target");
  tools::Prepare(app, "  bench_networks model.onnx net.fb images/ --threads 2");
  if (const auto exit = tools::Parse(app, argc, argv); exit.has_value()) return *exit;

  if (!arguments.simd.empty()) OrExit(UseNothingBetterThan(arguments.simd));

  // Measured before this process itself holds any memory.
  const Json snn_load = Measure([&] {
    const auto network = OrExit(Network::Load(arguments.network));
    const InputFormat& input = network->input();
    Session session(network);
    Answer answer;
    const std::vector<uint8_t> grey(size_t{input.channels} * input.height * input.width, 128);
    OrExit(session.Run(grey, answer));
  });
  const Json dense_load = Measure([&] {
    const converter::Model model = OrExit(converter::LoadModel(arguments.model));
    const auto dense = CreateDense(model, 1, static_cast<int>(arguments.threads));
    const size_t pixels = size_t{model.input.channels} * model.input.height * model.input.width;
    const std::vector<float> grey(pixels, 0.0F);
    std::vector<float> logits(model.classes);
    OrExit(dense->Run(grey, logits, {}, {}));
  });

  const converter::Model model = OrExit(converter::LoadModel(arguments.model));
  const auto network = OrExit(Network::Load(arguments.network));
  const Images images = ReadImages(arguments.images, *network);
  if (images.count() == 0) Exit(Status::InvalidArgument(arguments.images + ": no images"));
  std::vector<Contender> contenders;
  contenders.push_back(SnnLatency(network, images, arguments.threads));
  contenders.push_back(DenseLatency(model, images, 1, arguments.threads));
  if (arguments.threads == 1) {
    contenders.push_back(DenseLatency(model, images, arguments.batch, 1));
  } else {
    contenders.push_back(SnnThroughput(network, images, arguments.threads));
    contenders.push_back(DenseThroughput(model, images, arguments.threads));
  }
  if (!arguments.opponent.empty()) contenders.push_back(Opponent(arguments.opponent));

  // A turn runs about as many images as take 50 ms, in whole batches, with the same number for each
  // thread.
  double synops = 0;
  {
    Session session(network);
    Answer answer;
    OrExit(session.Run(images.pixels[0], answer));
    for (const auto& pixels : images.pixels) {
      OrExit(session.Run(pixels, answer));
      for (const LayerStatistics& layer : answer.layers) {
        synops += static_cast<double>(layer.synops) / static_cast<double>(images.count());
      }
    }
  }
  const double first_turn = contenders.front().turn(0, 1);
  const size_t unit = arguments.threads == 1 ? 1 : arguments.threads;
  const size_t turn = std::clamp<size_t>(static_cast<size_t>(0.05 / first_turn), 1, 16) * unit;
  for (Contender& contender : contenders) contender.turn(0, turn);  // warm
  const Clock::time_point start = Clock::now();
  for (size_t round = 0; round < 3 || SecondsSince(start) < arguments.seconds; ++round) {
    for (Contender& contender : contenders) {
      // OpenMP's threads go on spinning for a while after their work has ended.
      if (arguments.threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      contender.seconds_per_image.push_back(contender.turn(round * turn, turn) /
                                            static_cast<double>(turn));
    }
  }

  Json json;
  json["threads"] = arguments.threads;
  json["synops_per_image"] = synops;
  json["macs_per_image"] = network->macs_per_image();
  const double ours = Percentile(contenders.front().seconds_per_image, 0.5);
  json["gsyops_per_second"] = synops / ours / 1e9;
  for (const Contender& contender : contenders) {
    const double median = Percentile(contender.seconds_per_image, 0.5);
    json["ms_per_image"][contender.name] = median * 1e3;
    json["images_per_second"][contender.name] = 1 / median;
  }
  json["load"] = {{"snn", snn_load}, {"dense", dense_load}};
  std::cout << json.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace cssrun

int main(int argc, char** argv) {
  try {
    return cssrun::Run(argc, argv);
  } catch (const std::exception& error) {  // images and JSON may be more than memory holds
    std::cerr << "bench_networks: " << error.what() << "\n";
    return 1;
  }
}
