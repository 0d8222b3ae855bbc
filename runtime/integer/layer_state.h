// What changes while an image runs, of one layer.
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
  // What pixels bring that are not coded in spikes: to event neurons at each step, in units; to
  // settled neurons in all steps, in settled units, and shortcuts that are not aligned are added.
  // [block][row][map lanes]; of the readout by logit. Null where neither exists.
  hwy::AlignedFreeUniquePtr<float[]> floats;
  hwy::AlignedFreeUniquePtr<float[]> carry;  // of event neurons: what rounding has kept back
  // By direct synapses: the image as they see it, and room for its means.
  std::vector<std::span<const float>> images;
  std::vector<std::vector<float>> image_rooms;
};

// Allocates all that a layer needs but spikes; `layer` is its index. Throws std::bad_alloc.
LayerState MakeLayerState(const LoadedNetwork& network, size_t layer);
// By layer: settled, and nobody reads single spikes of it where only `recorded` layers are looked
// at (by layer, too) and no logits before the last step.
std::vector<bool> LayersOfLevelsAlone(const LoadedNetwork& network,
                                      const std::vector<bool>& recorded);
// Allocates the spikes of a layer that sends some and has no room for them yet. Layers that send
// levels alone need none: T bits and signs a neuron, 20 MiB of a ResNet-50. Throws std::bad_alloc.
void MakeSpikes(const LoadedNetwork& network, size_t layer, LayerState& state);

// Floats of one row of the map, [column][channel], that StartPart() needs room for.
size_t PixelRowSize(const Layer& layer);

// Brings a part of a layer of neurons to where it is before the first input. `pixel_row`: room of
// this thread. `columns`: of membranes, those that are needed; null: all.
void StartPart(const LoadedNetwork& network, size_t layer, const LayerPart& part,
               std::span<float> pixel_row, LayerState& state, const RowRanges* columns = nullptr);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAYER_STATE_H_
