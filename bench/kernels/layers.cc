// Runs layers with the shapes of real networks as the integer engine runs them, on T = 8 steps of
// random spikes, and reports synaptic operations a second. BM_Naive beside them scatters the same
// events one by one to float membranes, BM_Together
// runs several images at a time.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <variant>
#include <vector>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "kernels/layer_shapes.h"
#include "kernels/report.h"
#include "runtime/aligned.h"
#include "runtime/integer/step.h"
#include "runtime/network/network_access.h"

namespace cssrun::internal {
namespace {

constexpr uint32_t kTimesteps = 8;

std::unique_ptr<format::NodeT> Node(format::NodeKind kind, const format::Extent& extent) {
  auto node = std::make_unique<format::NodeT>();
  node->name = "node";
  node->kind = kind;
  node->extent = std::make_unique<format::Extent>(extent);
  node->potential = std::make_unique<format::Extent>(extent);
  node->amplitude = 1;
  node->thresholds.assign(kind == format::NodeKind::Readout ? 0 : kTimesteps, 0.5F);
  if (kind != format::NodeKind::Encoder) node->bias.assign(extent.channels(), 0.01F);
  return node;
}

std::unique_ptr<format::SynapsesT> Convolution(uint32_t source, const format::Extent& from,
                                               const format::Extent& to,
                                               const format::Window& window) {
  std::mt19937 generator(source);
  auto synapses = std::make_unique<format::SynapsesT>();
  synapses->source = source;
  synapses->window = std::make_unique<format::Window>(window);
  const double fan_in = static_cast<double>(window.kernel_y()) * window.kernel_x() *
                        static_cast<double>(from.channels());
  synapses->weights.resize(static_cast<size_t>(fan_in) * to.channels());
  std::normal_distribution<float> normal(0, 1 / static_cast<float>(std::sqrt(fan_in)));
  for (float& weight : synapses->weights) weight = normal(generator);
  return synapses;
}

// Describes a network of an encoder, the layer and a readout.
format::NetworkT Describe(const LayerShape& shape) {
  format::NetworkT network;
  network.format_version = 2;
  network.code = std::make_unique<format::CodeT>();
  network.code->timesteps = kTimesteps;
  network.code->beta = 2;
  network.code->silent_steps = 1;
  network.preprocessing = std::make_unique<format::PreprocessingT>();
  network.preprocessing->resize = shape.side;
  network.preprocessing->mean.assign(shape.sources, 0.5F);
  network.preprocessing->stddev.assign(shape.sources, 0.25F);
  network.origin = std::make_unique<format::OriginT>();
  const format::Extent source(shape.sources, shape.side, shape.side);
  const format::Extent target(shape.targets, shape.side, shape.side);
  const format::Extent logits(10, 1, 1);
  const auto kernel = static_cast<int32_t>(shape.kernel);
  const auto side = static_cast<int32_t>(shape.side);
  const int32_t pad = kernel / 2;
  network.nodes.push_back(Node(format::NodeKind::Encoder, source));
  network.nodes.push_back(Node(format::NodeKind::Neurons, target));
  network.nodes.back()->rectify = true;
  network.nodes.back()->offset = 1;
  network.nodes.back()->synapses.push_back(Convolution(
      0, source, target, format::Window(kernel, kernel, 1, 1, pad, pad, pad, pad, 1, 1)));
  network.nodes.push_back(Node(format::NodeKind::Readout, logits));
  network.nodes.back()->offset = 1;
  network.nodes.back()->synapses.push_back(
      Convolution(1, target, logits, format::Window(side, side, 1, 1, 0, 0, 0, 0, 1, 1)));
  return network;
}

// The number of words of spikes, too many for a branch predictor to learn by heart. If the same T
// frames are repeated, it learns them, and a layer seems up to twice as fast as it is.
constexpr size_t kWordsToForget = 1 << 16;
constexpr size_t kManyImages = 64;

// Holds the layer with its state, and T frames of random spikes for each of many images.
struct Work {
  // What changes while an image runs.
  struct State {
    hwy::AlignedFreeUniquePtr<int16_t[]> membranes;
    hwy::AlignedFreeUniquePtr<int16_t[]> sent;
    std::optional<SpikeFrame> spikes;
  };

  // `together`: images that share one pass over the weights.
  Work(const benchmark::State& state, size_t most_images, size_t together = 1) : shape(state) {
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(Describe(shape));
    auto loaded = Network::FromBytes({bytes.data(), bytes.size()}, "bench");
    if (!loaded.ok() || loaded.value()->engine() != EngineKind::kInteger) std::abort();
    network = loaded.value();
    layer = &internal::Loaded(*network).integers().layers[1];
    const size_t stride = LaneLayout::ForImage(shape.sources).stride();
    std::mt19937 generator(1);
    std::bernoulli_distribution fires(static_cast<double>(state.range(4)) / 1000);
    std::bernoulli_distribution negative(0.35);
    const size_t words = size_t{kTimesteps} * shape.side * (shape.side * stride + 31) / 32;
    images = std::min(most_images, std::max<size_t>(4, kWordsToForget / words));
    for (size_t t = 0; t < images * kTimesteps; ++t) {
      frames.emplace_back(shape.side, shape.side * stride);
      for (size_t y = 0; y < shape.side; ++y) {
        for (size_t x = 0; x < shape.side; ++x) {
          for (size_t c = 0; c < shape.sources; ++c) {
            if (!fires(generator)) continue;
            const size_t number = x * stride + c;
            frames[t].Row(y)[number / kLineLanes] |=
                uint64_t{1} << (number % kLineLanes + (negative(generator) ? kLineLanes : 0));
            ++frames[t].counts[y];
          }
        }
      }
    }
    const size_t lanes = layer->membranes.size() + kLineLanes;
    const size_t neurons = shape.side * layer->membranes.lanes.stride();
    const size_t row = RoundUpToLines(neurons);
    for (size_t i = 0; i < together; ++i) {
      State& one = states.emplace_back();
      one.membranes = AllocateAligned<int16_t>(lanes);
      std::fill_n(one.membranes.get(), lanes, int16_t{0});
      one.sent = AllocateAligned<int16_t>(shape.side * row);
      std::fill_n(one.sent.get(), shape.side * row, int16_t{0});
      one.spikes.emplace(shape.side, neurons);
    }
    if (const auto* gather = std::get_if<TileGather>(&layer->synapses[0].kernel)) {
      Reserve(*gather, lists);
    }
  }

  // Runs all steps of the next image, or of several: each block of channels for all of them, so
  // that its weights are read once.
  uint64_t RunAllSteps() {
    image = (image + states.size()) % images;
    uint64_t synops = 0;
    const uint32_t blocks = layer->membranes.lanes.blocks;
    for (uint32_t block = 0; block < blocks; block += layer->blocks_together) {
      const LayerPart part{.first_row = 0,
                           .last_row = layer->membranes.rows,
                           .first_block = block,
                           .last_block = block + layer->blocks_together};
      for (size_t i = 0; i < states.size(); ++i) {
        synops += RunAllSteps(part, (image + i) % images, states[i]);
      }
    }
    return synops;
  }

  uint64_t RunAllSteps(const LayerPart& part, size_t of_image, State& one) {
    const auto& parameters = std::get<EventNeurons>(layer->neurons);
    uint64_t synops = 0;
    for (uint32_t t = 0; t < kTimesteps; ++t) {
      const SynapseInput input{&frames[of_image * kTimesteps + t], nullptr, {}, &lists};
      EventStep step;
      step.layer = layer;
      step.inputs = {&input, 1};
      step.neurons.layout = &layer->membranes;
      step.neurons.pools = &layer->pools;
      step.neurons.rectify = layer->rectify;
      step.neurons.growth = Growth::Of(2);
      step.neurons.part = part;
      step.neurons.membranes = one.membranes.get();
      step.neurons.sent = one.sent.get();
      step.neurons.firing = {
          &*one.spikes, parameters.unit.get(),
          parameters.thresholds.get() + size_t{t} * layer->membranes.parameter_lanes()};
      step.neurons.biases = parameters.biases.get();
      synops += RunEventStep(step);
    }
    return synops;
  }

  LayerShape shape;
  std::shared_ptr<const Network> network;
  const IntegerLayer* layer = nullptr;
  size_t images = 0;
  size_t image = 0;
  std::vector<SpikeFrame> frames;  // [image][t]
  std::vector<State> states;       // of the images that run together
  SpikeLists lists;
};

// Runs layers with firing, that is, all that a layer does.
void RunLayers(benchmark::State& state, size_t most_images, size_t together = 1) {
  Work work(state, most_images, together);
  uint64_t synops = 0;
  for (auto _ : state) {
    synops += work.RunAllSteps();
    benchmark::ClobberMemory();
  }
  Report(state, static_cast<double>(synops) / static_cast<double>(state.iterations()));
}

void BM_Layer(benchmark::State& state) { RunLayers(state, kManyImages); }

// Runs the same image again and again, so that the branch predictor knows where every loop ends.
// The difference to the speed of BM_Layer is the cost of mispredictions.
void BM_Foreseen(benchmark::State& state) { RunLayers(state, 1); }

// Runs several images block by block of channels, so that they share the pass over the weights.
void BM_Together(benchmark::State& state) {
  RunLayers(state, kManyImages, static_cast<size_t>(state.range(5)));
}

// Adds the rows of every event to the membranes of all positions that it reaches, without firing.
void BM_Naive(benchmark::State& state) {
  Work work(state, kManyImages);
  const LayerShape& s = work.shape;
  uint64_t synops = 0;
  for (size_t i = 0; i < work.images; ++i) synops += work.RunAllSteps() / work.images;
  const auto pad = static_cast<int64_t>(s.kernel / 2);
  const size_t stride = LaneLayout::ForImage(s.sources).stride();
  std::vector<float> weights(size_t{s.sources} * s.kernel * s.kernel * s.targets, 0.01F);
  std::vector<float> membranes(size_t{s.side} * s.side * s.targets, 0.0F);
  for (auto _ : state) {
    work.image = (work.image + 1) % work.images;
    for (size_t t = 0; t < kTimesteps; ++t) {
      const SpikeFrame& frame = work.frames[work.image * kTimesteps + t];
      for (int64_t y = 0; y < s.side; ++y) {
        const uint64_t* words = frame.Row(static_cast<size_t>(y));
        for (size_t w = 0; w < frame.words_per_row; ++w) {
          for (uint64_t word = words[w]; word != 0; word &= word - 1) {
            const auto bit = static_cast<size_t>(std::countr_zero(word));
            const size_t number = w * kLineLanes + bit % kLineLanes;
            const auto x = static_cast<int64_t>(number / stride);
            const float sign = bit < kLineLanes ? 1.0F : -1.0F;
            const float* row = weights.data() + number % stride * s.kernel * s.kernel * s.targets;
            for (int64_t ky = 0; ky < s.kernel; ++ky) {
              for (int64_t kx = 0; kx < s.kernel; ++kx, row += s.targets) {
                const int64_t to_y = y + pad - ky;
                const int64_t to_x = x + pad - kx;
                if (to_y < 0 || to_y >= s.side || to_x < 0 || to_x >= s.side) continue;
                float* membrane =
                    membranes.data() + static_cast<size_t>(to_y * s.side + to_x) * s.targets;
                for (uint32_t i = 0; i < s.targets; ++i) membrane[i] += sign * row[i];
              }
            }
          }
        }
      }
    }
    benchmark::ClobberMemory();
  }
  Report(state, static_cast<double>(synops));
}

void LayerShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"side", "from", "to", "kernel", "permille"});
  for (const auto& shape : kLayerShapes) {
    for (const int64_t permille : {50, 120, 250}) {
      benchmark->Args({shape[0], shape[1], shape[2], shape[3], permille});
    }
  }
  benchmark->Args({1, 4096, 4096, 1, 100});
  // bench/growth.py shows with these rates how time grows with the rate.
  for (const int64_t permille : {10, 20, 100, 160, 350, 500}) {
    benchmark->Args({16, 128, 128, 3, permille});
  }
}

// Layers whose weights are more than the first-level cache holds, up to more than the second.
void TogetherShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"side", "from", "to", "kernel", "permille", "images"});
  for (const auto& shape : {kLayerShapes[4], kLayerShapes[5], kLayerShapes[6]}) {
    for (const int64_t images : {1, 2, 4}) {
      benchmark->Args({shape[0], shape[1], shape[2], shape[3], 120, images});
    }
  }
  for (const int64_t images : {1, 2, 4}) benchmark->Args({1, 4096, 4096, 1, 120, images});
}

BENCHMARK(BM_Together)->Apply(TogetherShapes);
BENCHMARK(BM_Layer)->Apply(LayerShapes);
BENCHMARK(BM_Foreseen)->Apply(LayerShapes);
BENCHMARK(BM_Naive)->Apply(LayerShapes);

}  // namespace
}  // namespace cssrun::internal
