// The layers that BM_Layer and the programs it is compared with run: convolutions with stride 1
// that keep the map's size, as arguments {side, source channels, target channels, kernel}.
#ifndef CSSRUN_BENCH_KERNELS_LAYER_SHAPES_H_
#define CSSRUN_BENCH_KERNELS_LAYER_SHAPES_H_

#include <benchmark/benchmark.h>

#include <cstdint>

namespace cssrun::internal {

struct LayerShape {
  uint32_t side, sources, targets, kernel;

  explicit LayerShape(const benchmark::State& state)
      : side(static_cast<uint32_t>(state.range(0))),
        sources(static_cast<uint32_t>(state.range(1))),
        targets(static_cast<uint32_t>(state.range(2))),
        kernel(static_cast<uint32_t>(state.range(3))) {}
};

// Layers of ResNet-20, of VGG and ResNet on 32 x 32 pixels, and of a bottleneck of ResNet-50.
inline constexpr int64_t kLayerShapes[][4] = {{32, 16, 16, 3},  {16, 32, 32, 3},   {8, 64, 64, 3},
                                              {32, 64, 64, 3},  {16, 128, 128, 3}, {8, 256, 256, 3},
                                              {4, 512, 512, 3}, {14, 256, 64, 1}};

}  // namespace cssrun::internal

#endif  // CSSRUN_BENCH_KERNELS_LAYER_SHAPES_H_
