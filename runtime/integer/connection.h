// One set of synapses, with everything that decides its kernel, its scale and its layout.
#ifndef CSSRUN_RUNTIME_INTEGER_CONNECTION_H_
#define CSSRUN_RUNTIME_INTEGER_CONNECTION_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/network_file.h"
#include "network_generated.h"
#include "runtime/geometry/scatter_axis.h"
#include "runtime/geometry/source_view.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/neurons/event_neurons.h"

namespace cssrun::internal {

// The target layer, as far as it is known before scales and kernels are chosen.
struct TargetLayer {
  const format::Node* node = nullptr;
  LaneLayout lanes;
  LayerPools pools;
  uint32_t map_rows = 0;  // of the map that its membranes belong to
  uint32_t map_columns = 0;
  uint32_t timesteps = 0;  // T
  bool settled = false;
  bool wide_sums = false;  // see SumsAreWide()

  uint32_t channels() const { return node->potential()->channels(); }
};

struct Connection {
  const format::Synapses* synapses = nullptr;
  format::Weights of_file;  // of `synapses`
  format::Extent source;
  LaneLayout source_lanes;
  bool from_encoder = false;
  bool source_rectifies = false;
  std::optional<uint8_t> level_zero;  // of the source, see LevelZero()
  uint8_t largest_level_byte = 255;   // likewise
  SourceView view;
  ScatterAxis y, x;
  // Every membrane is a position of the map and reads every source position at most once.
  bool plain = false;

  // A convolution over means as one convolution over the source. Set if sums are wide and there is
  // one that reads the same positions, also at the borders.
  struct Composed {
    format::Window window;
    std::vector<float> weights;  // [target][source channel of the group][ky][kx]
  };
  std::optional<Composed> composed;

  // What a level kernel multiplies: the source, not its means.
  const format::Window& level_window() const {
    if (composed.has_value()) return composed->window;
    return *synapses->window();  // NOLINT(clang-analyzer-core.uninitialized.UndefReturn): verified
  }
  std::span<const float> level_weights() const {
    if (composed.has_value()) return composed->weights;
    return of_file.numbers;
  }

  bool identity() const { return synapses->kind() == format::SynapseKind::Identity; }
  const float* weights() const { return of_file.numbers.data(); }
  // Whether every channel goes only to itself: one weight per channel, and as many targets.
  bool depthwise() const;
};

// The layout of what an encoder or a layer of neurons sends.
LaneLayout LayoutOf(const format::Node& node, bool settled);

// The byte of level 0 of a settled layer or the encoder: see LevelFrame. Nothing where the levels
// do not fit bytes.
std::optional<uint8_t> LevelZero(const format::Node& node, uint32_t timesteps);

// No byte of such levels is larger, whatever the layer's thresholds and limits.
uint8_t LargestLevelByte(uint32_t timesteps, uint8_t zero);

TargetLayer DescribeTarget(const format::Node& node, uint32_t timesteps, bool settled,
                           bool wide_sums);

// `source_lanes`: of the layer that the synapses come from. Throws as NetworkFile::WeightsOf().
Connection Connect(const format::NetworkFile& file, const format::Synapses& synapses,
                   const LaneLayout& source_lanes, const TargetLayer& target);

// The synapses that spikes cross: all except those of pixels that are not coded in spikes.
std::vector<const format::Synapses*> SpikeSynapses(const format::Network& network,
                                                   const format::Node& node);

// Files are untrusted: a small one must not ask for much memory, or for indices beyond 32 bits.
// `laid_out`: numbers of the layout; `given`: numbers of the file that it lays out.
bool IsTooLarge(double laid_out, uint64_t given);

// Whether the windows of a node are small enough to list all members; files may name large ones.
bool WindowsFit(const format::Network& network, const format::Node& node);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_CONNECTION_H_
