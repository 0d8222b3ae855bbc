// Runs a network's layers and prints what the model of costs expects of each, as one JSON object:
// kernel, expected and measured milliseconds of each layer; bench/cost.py makes tables of it. The
// float engine's time is expected as a whole.
//
//   bench_cost NET.fb IMAGES [--simd NAME] [--float]
#include "runtime/integer/cost.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/instruction_set.h"
#include "bench/networks/contender.h"
#include "bench/or_exit.h"
#include "cssrun/cssrun.h"
#include "runtime/integer/plan.h"
#include "runtime/network/network_access.h"
#include "runtime/seconds_since.h"
#include "tools/args.h"

namespace cssrun::bench {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string network;
  std::string images;
  std::string simd;
  double seconds = 2;
  bool in_float = false;
};

constexpr ExitOnError OrExit{"bench_cost"};

// The kernel that a layer's first synapses take.
std::string KernelOf(const internal::LayerPlan& layer) {
  if (layer.pixel_synapses > 0) return "pixels";
  if (layer.synapses.empty()) return "input";
  return std::string(layer.synapses.front().kernel.name);
}

// The least of each layer's times, and of the whole: whatever else the machine does only adds.
struct Times {
  std::vector<double> layers;
  double all = std::numeric_limits<double>::infinity();
};

Times Measure(const std::shared_ptr<const Network>& network, const Pictures& pictures,
              double seconds) {
  using Clock = std::chrono::steady_clock;
  Session plain(network);
  SessionOptions options;
  options.profile = true;
  Session profiled(network, options);
  Answer answer;
  Times times;
  times.layers.assign(network->layers().size(), std::numeric_limits<double>::infinity());
  const Clock::time_point start = Clock::now();
  for (size_t i = 0; i < 10 || internal::SecondsSince(start) < seconds; ++i) {
    const std::vector<uint8_t>& pixels = pictures.set.pixels[i % pictures.count()];
    const Clock::time_point begin = Clock::now();
    OrExit(plain.Run(pixels, answer));
    times.all = std::min(times.all, internal::SecondsSince(begin));
    OrExit(profiled.Run(pixels, answer));
    for (size_t layer = 0; layer < times.layers.size(); ++layer) {
      times.layers[layer] = std::min(times.layers[layer], answer.layers[layer].seconds);
    }
  }
  return times;
}

Json LayersOf(const internal::LoadedNetwork& network, const Times& times) {
  const internal::IntegerPlan plan = internal::DescribePlan(network);
  const std::vector<double> expected = internal::ExpectedLayerMilliseconds(network);
  Json layers = Json::array();
  for (size_t layer = 0; layer < expected.size(); ++layer) {
    layers.push_back({{"kernel", KernelOf(plan.layers[layer])},
                      {"expected_ms", expected[layer]},
                      {"measured_ms", times.layers[layer] * 1e3}});
  }
  return layers;
}

int Run(int argc, char** argv) {
  CLI::App app("What a network should take, and takes.", "bench_cost");
  Arguments arguments;
  app.add_option("NET", arguments.network, "converted network")->required();
  app.add_option("IMAGES", arguments.images, "folder of images")->required();
  app.add_option("--seconds", arguments.seconds, "how long (2)");
  app.add_option("--simd", arguments.simd, "the best instruction set that cssrun may use");
  app.add_flag("--float", arguments.in_float, "the float engine");
  tools::Prepare(app, "  bench_cost net.fb images/ --simd AVX2");
  if (const auto exit = tools::Parse(app, argc, argv); exit.has_value()) return *exit;
  if (!arguments.simd.empty()) OrExit(UseNothingBetterThan(arguments.simd));
  const EngineKind engine = arguments.in_float ? EngineKind::kFloat : EngineKind::kInteger;
  const auto network = OrExit(Network::Load(arguments.network, engine));
  if (network->engine() != engine) {
    OrExit.Exit(
        Status::InvalidArgument(arguments.network + ": only floats can run it; give --float"));
  }
  const Pictures pictures = OrExit(ReadPictures(arguments.images, *network, 100));
  const internal::LoadedNetwork& loaded = internal::Loaded(*network);
  const Times times = Measure(network, pictures, arguments.seconds);
  Json json;
  json["simd"] = SimdTarget();
  json["expected_ms"] = internal::ExpectedMilliseconds(loaded);
  json["measured_ms"] = times.all * 1e3;
  json["layers"] = arguments.in_float ? Json::array() : LayersOf(loaded, times);
  std::cout << json.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace cssrun::bench

int main(int argc, char** argv) {
  try {
    return cssrun::bench::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench_cost: " << error.what() << "\n";
    return 1;
  }
}
