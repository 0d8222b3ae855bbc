// The shapes that each kernel is compared with its plain twin on, and that its benchmark runs:
// those of real networks, borders and corners written by hand, and many drawn at random from seeds
// that never change. `ShapesTest` says what all of them together must contain.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_CASES_SHAPES_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_CASES_SHAPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network_generated.h"
#include "runtime/integer/kernels/weights.h"

namespace cssrun::internal {

// Synapses from one source to one layer, and the pool above the layer's map.
struct ConvolutionShape {
  const char* network = nullptr;  // a network that has it: benchmarks run those
  format::Extent source;
  uint32_t targets = 0;  // channels
  format::Window window;
  std::optional<format::Window> mean;
  int32_t spread_y =
      1;  // positions of the window's view from one mean or source position to the next
  int32_t spread_x = 1;
  std::optional<format::Window> pool;
  uint32_t groups = 1;
  int32_t channel_offset = 0;  // of identities: target channel less source channel
  bool image = false;          // the source has the layout of an image: up to 4 lanes
  WeightWidth width = WeightWidth::kNarrow;
  int largest_weight = 0;      // 0: the largest of the width
  uint32_t guard_columns = 0;  // before the map, beyond what the kernel asks for
};

// Without pads at the end, which decide the number of positions alone.
format::Window Square(int32_t kernel, int32_t stride, int32_t pad, int32_t dilation = 1);

std::string Describe(const ConvolutionShape& shape);

std::vector<ConvolutionShape> TileGatherShapes();
std::vector<ConvolutionShape> RowScatterShapes();
std::vector<ConvolutionShape> DepthwiseShapes();
std::vector<ConvolutionShape> LevelConvShapes();
// Of long trains: groups, and maps of fewer channels than a tile.
std::vector<ConvolutionShape> GroupedLevelShapes();
std::vector<ConvolutionShape> LevelDepthwiseShapes();
std::vector<ConvolutionShape> EventShortcutShapes();
std::vector<ConvolutionShape> LevelShortcutShapes();

// A layer of neurons.
struct NeuronShape {
  const char* network = nullptr;
  format::Extent map;
  std::optional<format::Window> pool;
  uint32_t guard_columns = 0;
};

std::string Describe(const NeuronShape& shape);
std::vector<NeuronShape> NeuronShapes();

// A readout: `targets` logits at one position.
std::vector<ConvolutionShape> ReadoutShapes();

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_CASES_SHAPES_H_
