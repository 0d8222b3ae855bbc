// The event kernel on the layer shapes of real networks, at several event rates, in synaptic
// operations a second; beside it, in the same run, the same work event by event.
#include "runtime/float/kernels.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "format/network_file.h"

namespace cssrun::internal {
namespace {

struct Shape {
  int64_t side, sources, targets, kernel;
};

// Arguments of a benchmark: side, source channels, target channels, kernel, events in a thousand.
Shape ShapeOf(const benchmark::State& state) {
  return {state.range(0), state.range(1), state.range(2), state.range(3)};
}

// A layer with random weights and a frame of random events.
struct Work {
  explicit Work(const benchmark::State& state)
      : shape(ShapeOf(state)),
        frame(static_cast<uint64_t>(shape.side * shape.side),
              static_cast<uint64_t>(shape.sources)) {
    std::mt19937 generator(1);
    const auto side = static_cast<uint32_t>(shape.side);
    const format::Extent source(static_cast<uint32_t>(shape.sources), side, side);
    const format::Extent target(static_cast<uint32_t>(shape.targets), side, side);
    const auto kernel = static_cast<int32_t>(shape.kernel);
    const int32_t pad = kernel / 2;
    const format::Window window(kernel, kernel, 1, 1, pad, pad, pad, pad, 1, 1);
    weights.resize(static_cast<size_t>(shape.targets * shape.sources * kernel * kernel));
    for (float& weight : weights) weight = std::normal_distribution<float>()(generator);

    flatbuffers::FlatBufferBuilder builder;
    const auto packed = builder.CreateVector(weights);
    builder.Finish(format::CreateSynapses(builder, 0, 0, format::SynapseKind::Convolution, nullptr,
                                          &window, 1, 0, packed));
    layout = LayOutSynapses(*flatbuffers::GetRoot<format::Synapses>(builder.GetBufferPointer()),
                            source, target);
    membranes = hwy::AllocateAligned<float>(size());
    std::fill_n(membranes.get(), size(), 0.0F);

    std::bernoulli_distribution fires(static_cast<double>(state.range(4)) / 1000);
    std::bernoulli_distribution positive(0.6);
    uint32_t count = 0;
    for (size_t position = 0; position < layout.fan_out.size(); ++position) {
      std::vector<uint16_t> negative;
      for (int64_t c = 0; c < shape.sources; ++c) {
        if (!fires(generator)) continue;
        if (positive(generator)) {
          frame.channels[count++] = static_cast<uint16_t>(c);
        } else {
          negative.push_back(static_cast<uint16_t>(c));
        }
      }
      frame.bounds[2 * position + 1] = count;
      for (const uint16_t c : negative) frame.channels[count++] = c;
      frame.bounds[2 * position + 2] = count;
      synops += frame.count(position) * layout.fan_out[position];
    }
  }

  size_t size() const {
    return static_cast<size_t>(shape.side * shape.side) * layout.blocks.stride();
  }

  Shape shape;
  EventFrame frame;
  std::vector<float> weights;
  SynapseLayout layout;
  hwy::AlignedFreeUniquePtr<float[]> membranes;
  uint64_t synops = 0;
};

void Report(benchmark::State& state, uint64_t synops) {
  state.counters["SyOP/s"] =
      benchmark::Counter(static_cast<double>(synops) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void BM_Accumulate(benchmark::State& state) {
  Work work(state);
  TapScratch scratch;
  for (auto _ : state) {
    Accumulate(work.layout, work.frame, scratch, work.membranes.get());
    benchmark::ClobberMemory();
  }
  Report(state, work.synops);
}

// Every event adds its rows to the membranes of all positions that see it.
void BM_EventByEvent(benchmark::State& state) {
  Work work(state);
  const Shape& s = work.shape;
  const int64_t pad = s.kernel / 2;
  const size_t row_stride = static_cast<size_t>(s.kernel) * work.layout.blocks.size;
  for (auto _ : state) {
    for (int64_t position = 0; position < s.side * s.side; ++position) {
      const uint32_t* bounds = &work.frame.bounds[static_cast<size_t>(2 * position)];
      for (uint32_t e = bounds[0]; e < bounds[2]; ++e) {
        const size_t channel = work.frame.channels[e];
        const float sign = e < bounds[1] ? 1.0F : -1.0F;
        for (int64_t ky = 0; ky < s.kernel; ++ky) {
          const int64_t y = position / s.side + pad - ky;
          if (y < 0 || y >= s.side) continue;
          for (int64_t kx = 0; kx < s.kernel; ++kx) {
            const int64_t x = position % s.side + pad - kx;
            if (x < 0 || x >= s.side) continue;
            float* membrane = work.membranes.get() +
                              static_cast<size_t>(y * s.side + x) * work.layout.blocks.stride();
            for (size_t block = 0; block < work.layout.blocks.count; ++block) {
              const float* row =
                  work.layout.weights.get() +
                  ((block * static_cast<size_t>(s.kernel) + static_cast<size_t>(ky)) *
                       static_cast<size_t>(s.sources) +
                   channel) *
                      row_stride +
                  static_cast<size_t>(kx) * work.layout.blocks.size;
              for (size_t i = 0; i < work.layout.blocks.size; ++i) *membrane++ += sign * row[i];
            }
          }
        }
      }
    }
    benchmark::ClobberMemory();
  }
  Report(state, work.synops);
}

void LayerShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"side", "from", "to", "kernel", "permille"});
  for (const int64_t permille : {50, 120, 250}) {
    benchmark->Args({32, 16, 16, 3, permille});
    benchmark->Args({16, 32, 32, 3, permille});
    benchmark->Args({8, 64, 64, 3, permille});
    benchmark->Args({16, 128, 128, 3, permille});
    benchmark->Args({8, 256, 256, 3, permille});
    benchmark->Args({4, 512, 512, 3, permille});
    benchmark->Args({14, 256, 64, 1, permille});
  }
  benchmark->Args({1, 4096, 4096, 1, 100});
}

BENCHMARK(BM_Accumulate)->Apply(LayerShapes);
BENCHMARK(BM_EventByEvent)->Apply(LayerShapes);

}  // namespace
}  // namespace cssrun::internal
