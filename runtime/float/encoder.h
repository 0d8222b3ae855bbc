// The CSS encoder (Theorem 3): pixels become spike trains.
#ifndef CSSRUN_RUNTIME_FLOAT_ENCODER_H_
#define CSSRUN_RUNTIME_FLOAT_ENCODER_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/engine/input.h"
#include "runtime/float/events.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Encodes one image step by step. A pixel of normalized value a starts with M = a / (theta beta^T).
// At each step M grows by beta; if |M| then reaches the threshold, the pixel sends a spike of the
// sign of M, and M loses 1 of that sign. Spikes are signed whatever Code.negative_spikes says,
// because normalized pixels are. Belongs to one thread at a time; `network` must outlive it.
class Encoder {
 public:
  explicit Encoder(const LoadedNetwork& network);

  // Begins an image of the network's size: pixels, not spikes. Does not allocate.
  void SetImage(const Input& image);
  // Overwrites `events` with the spikes of step `index`. Call it with 0, 1, ... T-1 in this order.
  void Step(uint32_t index, EventFrame& events);

 private:
  const LoadedNetwork& network_;
  // StartingPotential() of every 8-bit pixel.
  std::vector<std::array<float, 256>> starting_potential_;  // per channel
  double scale_ = 1;                                        // EncoderScale()
  std::vector<float> potential_;                            // M, [position][channel]
  std::vector<uint16_t> negative_;  // scratch: the channels of one position with a negative spike
};

// Overwrites `events` with the given spikes of one step, sorted by position and channel, in place
// of an encoder's.
void WriteSpikes(std::span<const CodedSpike> spikes, EventFrame& events);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_ENCODER_H_
