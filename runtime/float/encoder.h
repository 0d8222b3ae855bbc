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

// Encodes one image step by step: M = a / (theta beta^T); at each step M *= beta, a spike where |M|
// reaches the threshold, and the spike's weight leaves M. Always signed: normalized pixels are.
class Encoder {
 public:
  explicit Encoder(const LoadedNetwork& network);

  // Begins an image. Does not allocate.
  void SetImage(const Input& image);
  // The spikes of step `index`; call with 0, 1, ... T-1.
  void Step(uint32_t index, EventFrame& events);

 private:
  const LoadedNetwork& network_;
  // The starting potential of every pixel value: normalization and the division at once.
  std::vector<std::array<float, 256>> starting_potential_;  // per channel
  double scale_ = 1;
  std::vector<float> potential_;    // [position][channel]
  std::vector<uint16_t> negative_;  // of one position
};

// The same from spikes of one step, sorted.
void WriteSpikes(std::span<const CodedSpike> spikes, EventFrame& events);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_ENCODER_H_
