// Prints, as Markdown, what share of the levels that a network's convolutions multiply is silent,
// and what a kernel could leave out at most: see bench/networks/silence.h.
//
//   bench_silence NET.fb IMAGES [--most 50]
#include "bench/networks/silence.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <map>
#include <numeric>
#include <string>
#include <variant>
#include <vector>

#include "bench/networks/contender.h"
#include "bench/or_exit.h"
#include "cssrun/cssrun.h"
#include "runtime/integer/integer_engine.h"
#include "runtime/integer/plan.h"
#include "runtime/network/network_access.h"
#include "tools/args.h"

namespace cssrun::bench {
namespace {

using internal::IntegerEngine;
using internal::LevelConv;
using internal::LoadedNetwork;

struct Arguments {
  std::string network;
  std::string images;
  size_t most = 50;
};

constexpr ExitOnError OrExit{"bench_silence"};

// A kernel of levels, and what it reads.
struct Convolution {
  std::string name;
  const LevelConv* kernel = nullptr;
  size_t source = 0;  // layer index
  format::Extent targets;
  double products = 0;
  KernelSilence as_is, ordered, single;
};

// What a layer sends.
struct Source {
  std::vector<uint64_t> sent;  // by channel: levels that are not zero
  MapSilence silence;
  std::vector<uint32_t> order;  // by rate
};

struct Analysis {
  std::vector<Convolution> convolutions;
  std::map<size_t, Source> sources;  // by layer index
};

Analysis Prepare(const LoadedNetwork& network) {
  const internal::IntegerPlan plan = internal::DescribePlan(network);
  Analysis analysis;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const internal::IntegerLayer& layer = network.integers().layers[i];
    for (size_t s = 0; s < layer.synapses.size(); ++s) {
      const auto* kernel = std::get_if<LevelConv>(&layer.synapses[s].kernel);
      if (kernel == nullptr) continue;
      Convolution& made = analysis.convolutions.emplace_back();
      made.name = network.layers[i].name;
      made.kernel = kernel;
      made.source = layer.synapses[s].source;
      made.targets = network.layers[i].potential;
      made.products = plan.layers[i].synapses[s].operations;
      analysis.sources[made.source].sent.resize(network.layers[made.source].extent.channels());
    }
  }
  return analysis;
}

LevelMap MapOf(const LoadedNetwork& network, const IntegerEngine& engine, size_t layer) {
  return {&engine.levels(layer), network.layers[layer].extent,
          network.integers().layouts[layer].stride()};
}

void CountSent(const LevelMap& map, std::vector<uint64_t>& sent) {
  for (size_t row = 0; row < map.extent.height(); ++row) {
    for (size_t column = 0; column < map.extent.width(); ++column) {
      for (size_t c = 0; c < sent.size(); ++c) sent[c] += map.silent(row, column, c) ? 0 : 1;
    }
  }
}

// Calls look(engine) after each picture.
template <class Look>
void RunAll(const LoadedNetwork& network, const Pictures& pictures, const Look& look) {
  IntegerEngine engine(network, {});
  Answer answer;
  for (const std::vector<uint8_t>& pixels : pictures.set.pixels) {
    OrExit(engine.Run({.bytes = pixels}, answer));
    look(engine);
  }
}

void Analyse(const LoadedNetwork& network, const Pictures& pictures, Analysis& analysis) {
  RunAll(network, pictures, [&](const IntegerEngine& engine) {
    for (auto& [layer, source] : analysis.sources) {
      CountSent(MapOf(network, engine, layer), source.sent);
    }
  });
  for (auto& [layer, source] : analysis.sources) source.order = OrderByRate(source.sent);
  RunAll(network, pictures, [&](const IntegerEngine& engine) {
    for (auto& [layer, source] : analysis.sources) {
      AddSilence(MapOf(network, engine, layer), source.silence);
    }
    for (Convolution& c : analysis.convolutions) {
      const LevelMap map = MapOf(network, engine, c.source);
      const std::vector<uint32_t>& order = analysis.sources.at(c.source).order;
      std::vector<uint32_t> as_is(order.size());
      std::iota(as_is.begin(), as_is.end(), 0U);
      AddSilence(*c.kernel, map, c.targets, as_is, internal::kQuad, c.as_is);
      AddSilence(*c.kernel, map, c.targets, order, internal::kQuad, c.ordered);
      AddSilence(*c.kernel, map, c.targets, as_is, 1, c.single);
    }
  });
}

using Columns = std::vector<double>;

Columns ColumnsOf(const Convolution& c, const MapSilence& map) {
  return {map.levels.value(),           c.as_is.quads.value(),
          c.ordered.quads.value(),      c.as_is.tile_quads.value(),
          c.ordered.tile_quads.value(), c.single.tile_quads.value(),
          map.positions.value(),        map.rows.value()};
}

void PrintRow(const std::string& name, double products, const Columns& columns) {
  std::cout << fmt::format("| {} | {:.1f} |", name, products * 100);
  for (const double share : columns) std::cout << fmt::format(" {:.1f} |", share * 100);
  std::cout << "\n";
}

void Print(const Analysis& analysis) {
  std::cout << "Percent:\n\n"
               "| layer | of all products | silent levels | quads | ordered | quads of a tile | "
               "ordered | in any order at most | positions | rows |\n"
               "|---|---|---|---|---|---|---|---|---|---|\n";
  double all = 0;
  for (const Convolution& c : analysis.convolutions) all += c.products;
  Columns mean;
  for (const Convolution& c : analysis.convolutions) {
    const double products = c.products / all;
    const Columns columns = ColumnsOf(c, analysis.sources.at(c.source).silence);
    mean.resize(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) mean[i] += columns[i] * products;
    PrintRow(c.name, products, columns);
  }
  PrintRow("all, by products", 1, mean);
}

int Run(int argc, char** argv) {
  CLI::App app("What of a network's levels is silent.", "bench_silence");
  Arguments arguments;
  app.add_option("NET", arguments.network, "converted network")->required();
  app.add_option("IMAGES", arguments.images, "folder of images")->required();
  app.add_option("--most", arguments.most, "takes so many of the images (50)")
      ->check(CLI::Range(1, 100'000));
  tools::Prepare(app, "  bench_silence net.fb images/");
  if (const auto exit = tools::Parse(app, argc, argv); exit.has_value()) return *exit;
  const auto network = OrExit(Network::Load(arguments.network));
  if (network->engine() != EngineKind::kInteger) {
    OrExit.Exit(Status::InvalidArgument(arguments.network +
                                        ": runs in float, without levels; name a network in "
                                        "integers"));
  }
  const LoadedNetwork& loaded = internal::Loaded(*network);
  Analysis analysis = Prepare(loaded);
  if (analysis.convolutions.empty()) {
    OrExit.Exit(Status::InvalidArgument(arguments.network +
                                        ": no layer multiplies levels; name a network with a "
                                        "settled code, such as cssconvert makes by default"));
  }
  const Pictures pictures = OrExit(ReadPictures(arguments.images, *network, arguments.most));
  Analyse(loaded, pictures, analysis);
  Print(analysis);
  return 0;
}

}  // namespace
}  // namespace cssrun::bench

int main(int argc, char** argv) {
  try {
    return cssrun::bench::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench_silence: " << error.what() << "\n";
    return 1;
  }
}
