// The state of one layer while an image runs.
#ifndef CSSRUN_RUNTIME_INTEGER_LAYER_STATE_H_
#define CSSRUN_RUNTIME_INTEGER_LAYER_STATE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

struct LayerState {
  hwy::AlignedFreeUniquePtr<int16_t[]> membranes;  // see MembraneLayout
  hwy::AlignedFreeUniquePtr<int16_t[]> sent;       // G, [spike row][neuron]
  size_t sent_row = 0;                             // lanes of one row of `sent`
  std::vector<SpikeFrame> spikes;                  // by spike index; empty before MakeSpikes()
  LevelFrame levels;                               // empty where nothing reads them
  std::vector<uint32_t> row_spikes;                // by row, of levels without spikes
  // The contribution of pixels that are not coded in spikes: to event neurons per step, in units;
  // to settled neurons for all steps, in settled units, plus shortcuts that are not aligned.
  // [block][row][map lanes]; for the readout by logit. Null if there is neither.
  hwy::AlignedFreeUniquePtr<float[]> floats;
  hwy::AlignedFreeUniquePtr<float[]> carry;  // of event neurons: what rounding has kept back
  // By direct synapses: the image as they see it, and room for its means.
  std::vector<std::span<const float>> images;
  std::vector<std::vector<float>> image_rooms;
};

// Allocates all that a layer needs except spikes; `layer` is its index. Throws std::bad_alloc.
LayerState MakeLayerState(const LoadedNetwork& network, size_t layer);
// By layer: whether it is settled and nothing reads its single spikes, if only `recorded` layers
// (by layer, too) are looked at, and no logits before the last step.
std::vector<bool> LayersOfLevelsAlone(const LoadedNetwork& network,
                                      const std::vector<bool>& recorded);
// Allocates the spikes of a layer that sends some and has no room for them yet. Layers that send
// levels alone need none, which saves 20 MiB in a ResNet-50. Throws std::bad_alloc.
void MakeSpikes(const LoadedNetwork& network, size_t layer, LayerState& state);

// How many floats StartPart() needs as `pixel_row`: one row of the map, [column][channel].
size_t PixelRowSize(const Layer& layer);

// Sets a part of a layer of neurons to its state before the first input. `pixel_row`: scratch of
// this thread. `columns`: the columns of membranes that are needed; null: all.
void StartPart(const LoadedNetwork& network, size_t layer, const LayerPart& part,
               std::span<float> pixel_row, LayerState& state, const RowRanges* columns = nullptr);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAYER_STATE_H_
