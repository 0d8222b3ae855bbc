// Layers of the shapes of real networks in the integer engine, T = 8 steps of random spikes, in
// synaptic operations a second. Beside them, in the same run:
// - Roofline: a loop that only loads and adds 16-bit lanes from the first-level cache;
// - Naive: the same events one by one, scattered to float membranes;
// - Dense: oneDNN's float convolution of the dense layer, in multiply-accumulates a second.
#include "runtime/integer/kernels.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "roofline.h"
#include "runtime/network/network_access.h"
#ifdef CSSRUN_HAVE_DENSE
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace cssrun::internal {
namespace {

constexpr uint32_t kTimesteps = 8;

struct Shape {
  uint32_t side, sources, targets, kernel;

  explicit Shape(const benchmark::State& state)
      : side(static_cast<uint32_t>(state.range(0))),
        sources(static_cast<uint32_t>(state.range(1))),
        targets(static_cast<uint32_t>(state.range(2))),
        kernel(static_cast<uint32_t>(state.range(3))) {}
};

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

// Encoder, the layer, a readout.
format::NetworkT Describe(const Shape& shape) {
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

// So many words of spikes that a branch predictor cannot learn them by heart: with T frames over
// and over it does, and a layer seems up to twice as fast as it is.
constexpr size_t kWordsToForget = 1 << 16;
constexpr size_t kManyImages = 64;

// The layer with its state, and T frames of random spikes for each of many images.
struct Work {
  Work(const benchmark::State& state, size_t most_images) : shape(state) {
    const flatbuffers::DetachedBuffer bytes = SerializeNetwork(Describe(shape));
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
            frames[t].Row(y)[number / kChunkLanes] |=
                uint64_t{1} << (number % kChunkLanes + (negative(generator) ? kChunkLanes : 0));
            ++frames[t].counts[y];
          }
        }
      }
    }
    const size_t lanes = layer->layout.blocks * layer->block_lanes() + kChunkLanes;
    membranes = hwy::AllocateAligned<int16_t>(lanes);
    std::fill_n(membranes.get(), lanes, int16_t{0});
    const size_t row = shape.side * layer->layout.stride() + kChunkLanes;
    sent = hwy::AllocateAligned<int16_t>(shape.side * row);
    std::fill_n(sent.get(), shape.side * row, int16_t{0});
    spikes.emplace(shape.side, shape.side * layer->layout.stride());
    Reserve(layer->synapses[0], lists);
  }

  // Of the next image.
  uint64_t RunAllSteps() {
    image = (image + 1) % images;
    uint64_t synops = 0;
    for (uint32_t block = 0; block < layer->layout.blocks; block += layer->blocks_together) {
      synops += RunAllSteps({.last_row = layer->rows,
                             .first_block = block,
                             .last_block = block + layer->blocks_together});
    }
    return synops;
  }

  uint64_t RunAllSteps(const LayerPart& part) {
    uint64_t synops = 0;
    for (uint32_t t = 0; t < kTimesteps; ++t) {
      const SpikeFrame* input = &frames[image * kTimesteps + t];
      LayerStep step;
      step.layer = layer;
      step.part = part;
      step.inputs = &input;
      step.lists = &lists;
      step.membranes = membranes.get();
      step.sent = sent.get();
      step.spikes = &*spikes;
      step.thresholds = layer->thresholds.get() + size_t{t} * layer->parameter_lanes();
      step.biases = layer->biases.get();
      step.growth = Growth::Of(2);
      RunLayerStep(step);
      synops += step.synops;
    }
    return synops;
  }

  Shape shape;
  std::shared_ptr<const Network> network;
  const IntegerLayer* layer = nullptr;
  size_t images = 0;
  size_t image = 0;
  std::vector<SpikeFrame> frames;  // [image][t]
  hwy::AlignedFreeUniquePtr<int16_t[]> membranes;
  hwy::AlignedFreeUniquePtr<int16_t[]> sent;
  std::optional<SpikeFrame> spikes;
  SpikeLists lists;
};

void Report(benchmark::State& state, double operations) {
  state.counters["SyOP/s"] = benchmark::Counter(
      operations * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void BM_Roofline(benchmark::State& state) {
  double lanes = 0;
  for (auto _ : state) lanes = static_cast<double>(LoadAndAddLanes());
  Report(state, lanes);
}

// What bounds a tile: its table's distance from the core, and lists whose ends cannot be predicted.
// Arguments: KiB of the table, rows of a list on average, whether their number varies by a half.
void BM_Rows(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0)) * 1024 / (64 * sizeof(int16_t));
  const auto length = static_cast<uint32_t>(state.range(1));
  auto table = hwy::AllocateAligned<int16_t>(rows * 64);
  std::fill_n(table.get(), rows * 64, int16_t{1});
  std::mt19937 generator(1);
  std::uniform_int_distribution<uint32_t> row(0, static_cast<uint32_t>(rows - 1));
  std::uniform_int_distribution<uint32_t> spread(length / 2, length + length / 2);
  std::vector<uint16_t> numbers;
  std::vector<uint32_t> bounds = {0};
  while (numbers.size() < (1 << 18)) {
    const uint32_t count = (state.range(2) != 0 ? spread(generator) : length) / 4 * 4;
    for (uint32_t i = 0; i < count; ++i) numbers.push_back(static_cast<uint16_t>(row(generator)));
    bounds.push_back(static_cast<uint32_t>(numbers.size()));
  }
  double lanes = 0;
  for (auto _ : state) {
    lanes = static_cast<double>(AddRowsOfTable({table.get(), rows * 64}, numbers, bounds));
  }
  Report(state, lanes);
}

// With firing: all that a layer does.
void RunLayers(benchmark::State& state, size_t most_images) {
  Work work(state, most_images);
  uint64_t synops = 0;
  for (auto _ : state) {
    synops += work.RunAllSteps();
    benchmark::ClobberMemory();
  }
  Report(state, static_cast<double>(synops) / static_cast<double>(state.iterations()));
}

void BM_Layer(benchmark::State& state) { RunLayers(state, kManyImages); }

// One image over and over: the branch predictor knows where every loop ends, and what is missing to
// the speed of BM_Layer is what mispredictions cost.
void BM_Foreseen(benchmark::State& state) { RunLayers(state, 1); }

// Every event adds its rows to the membranes of all positions that see it. Without firing.
void BM_Naive(benchmark::State& state) {
  Work work(state, kManyImages);
  const Shape& s = work.shape;
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
            const size_t number = w * kChunkLanes + bit % kChunkLanes;
            const auto x = static_cast<int64_t>(number / stride);
            const float sign = bit < kChunkLanes ? 1.0F : -1.0F;
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

#ifdef CSSRUN_HAVE_DENSE
void BM_Dense(benchmark::State& state) {
  using dnnl::memory;
  const Shape s(state);
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::dim side = s.side;
  const memory::dim kernel = s.kernel;
  const memory::dim pad = kernel / 2;
  const auto any = [](const memory::dims& dims) {
    return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
  };
  const dnnl::convolution_forward::desc description(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      any({1, s.sources, side, side}), any({s.targets, s.sources, kernel, kernel}),
      any({1, s.targets, side, side}), {1, 1}, {pad, pad}, {pad, pad});
  const dnnl::convolution_forward::primitive_desc chosen(description, engine);
  memory source(chosen.src_desc(), engine);
  memory weights(chosen.weights_desc(), engine);
  memory target(chosen.dst_desc(), engine);
  for (memory* m : {&source, &weights, &target}) {
    auto* values = static_cast<float*>(m->get_data_handle());
    std::fill_n(values, m->get_desc().get_size() / sizeof(float), 0.01F);
  }
  const dnnl::convolution_forward convolution(chosen);
  for (auto _ : state) {
    convolution.execute(
        stream, {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, target}});
    stream.wait();
  }
  state.counters["MAC/s"] =
      benchmark::Counter(static_cast<double>(side * side * kernel * kernel) * s.sources *
                             s.targets * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}
#endif

constexpr int64_t kShapes[][4] = {{32, 16, 16, 3},  {16, 32, 32, 3},   {8, 64, 64, 3},
                                  {32, 64, 64, 3},  {16, 128, 128, 3}, {8, 256, 256, 3},
                                  {4, 512, 512, 3}, {14, 256, 64, 1}};

void LayerShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"side", "from", "to", "kernel", "permille"});
  for (const auto& shape : kShapes) {
    for (const int64_t permille : {50, 120, 250}) {
      benchmark->Args({shape[0], shape[1], shape[2], shape[3], permille});
    }
  }
  benchmark->Args({1, 4096, 4096, 1, 100});
  // How time grows with the rate: bench/growth.py.
  for (const int64_t permille : {10, 20, 100, 160, 350, 500}) {
    benchmark->Args({16, 128, 128, 3, permille});
  }
}

void DenseShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"side", "from", "to", "kernel"});
  for (const auto& shape : kShapes) benchmark->Args({shape[0], shape[1], shape[2], shape[3]});
  benchmark->Args({1, 4096, 4096, 1});
}

BENCHMARK(BM_Roofline);
BENCHMARK(BM_Rows)
    ->ArgNames({"KiB", "rows", "varying"})
    ->ArgsProduct({{16, 32, 74, 148, 296, 592, 1184}, {64}, {0, 1}})
    ->ArgsProduct({{32}, {8, 16, 32, 128}, {0, 1}});
BENCHMARK(BM_Layer)->Apply(LayerShapes);
BENCHMARK(BM_Foreseen)->Apply(LayerShapes);
BENCHMARK(BM_Naive)->Apply(LayerShapes);
#ifdef CSSRUN_HAVE_DENSE
BENCHMARK(BM_Dense)->Apply(DenseShapes);
#endif

}  // namespace
}  // namespace cssrun::internal
