// A shape as its kernels need it: geometry, membranes, weights and scales.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_CASES_CONVOLUTION_CASE_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_CASES_CONVOLUTION_CASE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "flatbuffers/flatbuffers.h"
#include "network_generated.h"
#include "runtime/geometry/scatter_axis.h"
#include "runtime/geometry/source_view.h"
#include "runtime/integer/kernels/depthwise/depthwise.h"
#include "runtime/integer/kernels/event_shortcut/event_shortcut.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"
#include "runtime/integer/kernels/level_shortcut/level_shortcut.h"
#include "runtime/integer/kernels/row_scatter/row_scatter.h"
#include "runtime/integer/kernels/tile_gather/tile_gather.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/neurons/event_neurons.h"
#include "runtime/integer/readout/readout.h"
#include "tests/runtime/kernels/cases/shapes.h"

namespace cssrun::internal {

enum class WeightDraw : uint8_t {
  kRandom,   // zeros and halves of a unit among them
  kExtreme,  // the largest weight, of either sign
  kOneSign,  // the largest weight
  kNormal,   // of a trained layer: the largest is four times the deviation
};

struct ConvolutionCase {
  ConvolutionCase(const ConvolutionShape& shape, WeightDraw draw, uint32_t seed);

  const format::Synapses& synapses() const {
    return *flatbuffers::GetRoot<format::Synapses>(buffer.data());
  }
  std::span<const float> weights() const {
    return {synapses().weights()->data(), synapses().weights()->size()};
  }
  const format::Window& window() const { return shape.window; }
  ScaledWeights scaled() const { return {synapses().weights()->data(), scales}; }

  ConvolutionShape shape;
  LaneLayout source_lanes;
  LaneLayout target_lanes;
  flatbuffers::DetachedBuffer buffer;  // of the synapses
  std::vector<double> scales;          // by target channel
  SourceView view;
  format::Extent map;
  ScatterAxis y, x;
  LayerPools pools;
  MembraneLayout membranes;  // with room for a row scatter where the shape slides
};

// Synapses of one weight, 0.75, on their way to a layer of `scales`.
constexpr double kIdentityWeight = 0.75;
ConvolutionCase IdentityCase(const ConvolutionShape& shape);

TileGatherShape TileGatherShapeOf(const ConvolutionCase& c);
TileGather MakeTileGather(const ConvolutionCase& c);
RowScatterShape RowScatterShapeOf(const ConvolutionCase& c);
RowScatter MakeRowScatter(const ConvolutionCase& c);
Depthwise MakeDepthwise(const ConvolutionCase& c);
ShortcutShape ShortcutShapeOf(const ConvolutionCase& c);
EventShortcut MakeEventShortcut(const ConvolutionCase& c);
LevelShortcut MakeLevelShortcut(const ConvolutionCase& c);
LevelConvShape LevelConvShapeOf(const ConvolutionCase& c);
LevelDepthwiseShape LevelDepthwiseShapeOf(const ConvolutionCase& c);
// Rows of levels with as many bytes as the kernel may read.
LevelLayout LevelLayoutOf(const ConvolutionCase& c, const LevelConv& kernel);
LevelLayout LevelLayoutOf(const ConvolutionCase& c, uint32_t left, uint32_t right);
LevelLayout LevelLayoutOf(const ConvolutionCase& c);
ReadoutShape ReadoutShapeOf(const ConvolutionCase& c);

// Membranes of a layer of neurons alone.
LayerPools PoolsOf(const NeuronShape& shape);
LayerPools SettledPoolsOf(const NeuronShape& shape);
MembraneLayout MembranesOf(const NeuronShape& shape, const LayerPools& pools);

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_CASES_CONVOLUTION_CASE_H_
