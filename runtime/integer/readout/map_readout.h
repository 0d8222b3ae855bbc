// Readouts of maps: spikes times weights in float, one position after another.
//
// A vector of logits has its own, faster layout (readout.h). Where an output is a map, or where
// that layout does not fit (groups, means that overlap or are padded), the float engine's kernels
// sum the spikes, in the order of the float engine: the same bits on every machine.
#ifndef CSSRUN_RUNTIME_INTEGER_READOUT_MAP_READOUT_H_
#define CSSRUN_RUNTIME_INTEGER_READOUT_MAP_READOUT_H_

#include <cstdint>
#include <span>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "runtime/float/events.h"
#include "runtime/float/float_network.h"
#include "runtime/float/kernels.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

struct Layer;

// Writes the spikes of a layer of `extent` as events. `stride`: neurons from one position of a row
// to the next in the frame. `events` has room for a spike of every neuron.
void ToEvents(const SpikeFrame& spikes, const format::Extent& extent, size_t stride,
              EventFrame& events);

// A layer that map readouts read, and room for its events of one step. Readouts share the room, so
// that a small file of many readouts cannot ask for much memory.
struct MapSource {
  format::Extent extent;
  EventFrame events;
};

// The part of a readout that changes while an image runs.
class MapReadoutState {
 public:
  // All must outlive the object. Allocates all that a run needs. `sources`: by synapses.
  MapReadoutState(const Layer& layer, const FloatLayer& floats, std::vector<MapSource*> sources);

  // Adds what pixels contribute at each step: `image` as the synapses see it, by Layer::direct.
  void SetImage(std::span<const std::span<const float>> images);
  // Begins an image.
  void Reset();
  // h = beta h + bias + pixels. Call before the spikes of the same step.
  void Grow();
  // Adds one step of spikes that reach synapses number `index`; returns their SyOPs.
  uint64_t Add(size_t index, const SpikeFrame& spikes, size_t stride);
  void CopyPotentials(std::span<float> potentials) const;

 private:
  const Layer& layer_;
  const FloatLayer& floats_;
  std::vector<MapSource*> sources_;               // by synapses
  hwy::AlignedFreeUniquePtr<float[]> membranes_;  // [position][blocks.stride()]
  hwy::AlignedFreeUniquePtr<float[]> direct_;     // likewise; null without pixels
  TapScratch taps_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_READOUT_MAP_READOUT_H_
