// A network in integers, laid out for the kernels; immutable.
//
// Every target channel has a scale s: one amplitude theta is s units when it arrives, and
// u = s beta^L units, a whole number, when the neuron fires. Weights are w s rounded to 8 or 11
// bits; membranes are 16-bit and saturate at kHeadroom amplitudes or more. Nothing is multiplied in
// event layers: beta 1.5 and 2 are shifts and additions.
#ifndef CSSRUN_RUNTIME_INTEGER_NETWORK_H_
#define CSSRUN_RUNTIME_INTEGER_NETWORK_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "runtime/float/float_network.h"
#include "runtime/geometry/reach.h"
#include "runtime/integer/encoder/encoder.h"
#include "runtime/integer/kernels/fan_out.h"
#include "runtime/integer/kernels/list.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/neurons/event_neurons.h"
#include "runtime/integer/neurons/settled.h"
#include "runtime/integer/pixels/whole_pixels.h"
#include "runtime/integer/readout/readout.h"

namespace cssrun::internal {

// Synapses of one layer from one source.
struct IntegerSynapses {
  uint32_t source = 0;  // layer index
  FanOut fan_out;
  Reach reach;
  Kernel kernel;
  // Units per amplitude by target channel, for a level kernel whose sums join in float; empty:
  // those of the layer.
  std::vector<double> scales;
};

using IntegerNeurons = std::variant<EventNeurons, SettledNeurons>;

struct IntegerLayer {
  bool rectify = false;
  MembraneLayout membranes;
  LayerPools pools;
  std::vector<double> scales;  // by target channel, units per amplitude
  hwy::AlignedFreeUniquePtr<int16_t[]>
      start;  // membranes before the first input, by parameter lane
  // What an amplitude of pixels adds at each step, in units (settled: in all steps, in settled
  // units), by parameter lane; null if no pixels arrive.
  hwy::AlignedFreeUniquePtr<float[]> pixel_scale;
  IntegerNeurons neurons;
  std::vector<IntegerSynapses> synapses;
  // How many blocks a part must keep together. 1: each block may do all of its steps before the
  // next one begins, so that its weights stay near the core.
  uint32_t blocks_together = 1;
  uint64_t work = 0;  // synapses of all membranes

  // For a settled layer whose only source is the image: how it sums pixels that are bytes.
  std::optional<LevelConv> pixel_conv;

  // For a settled layer whose levels are read, and whose thresholds allow it.
  std::optional<LevelRule> level_rule;

  const SettledNeurons* settled() const { return std::get_if<SettledNeurons>(&neurons); }
  // A settled layer that takes all of its input in the last step; nothing happens before.
  bool idle_until_last_step() const {
    return settled() != nullptr && settled()->sums != SettledSums::kEvents;
  }
};

// A readout of a vector of logits, with its own layout.
struct VectorReadout {
  uint32_t logit_stride = 0;
  std::vector<ReadoutSynapses> synapses;
};
// A map, or a vector that does not fit VectorReadout, takes the float engine's layout.
using IntegerReadout = std::variant<VectorReadout, FloatLayer>;

struct IntegerNetwork {
  std::vector<IntegerLayer> layers;  // by layer index; those of encoder and readouts are empty
  std::vector<LaneLayout> layouts;   // by layer index, of the spikes that leave it
  std::vector<LevelLayout> level_layouts;  // by layer index, of the same as levels
  EncoderTable encoder;                    // empty with direct input
  std::optional<WholePixels> pixels;       // where a layer has a pixel_conv
  LevelLayout pixel_layout;                // of the image as bytes; lanes are layouts[0]
  std::vector<IntegerReadout> readouts;    // of the last layers, one for each output
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_NETWORK_H_
