// The encoder (Theorem 3): pixels to spikes, all T steps at once.
//
// An 8-bit pixel has one of 256 values, so the trains of all values of a channel are computed at
// load time. At each image, every pixel's train is looked up and kept as two 16-bit masks (one for
// each sign), sixteen steps at a time; a step takes one bit of each.
#ifndef CSSRUN_RUNTIME_INTEGER_ENCODER_ENCODER_H_
#define CSSRUN_RUNTIME_INTEGER_ENCODER_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "network_generated.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

// The spike train of every pixel value: bit i is spike index i.
struct EncoderTable {
  std::vector<uint64_t> positive;  // [channel][256]
  std::vector<uint64_t> negative;
};

// Trains have 64 steps at most. Empty for networks that take pixels directly.
EncoderTable MakeEncoderTable(const format::Network& network);

// One step of a row of neurons, a multiple of 32: bit `bit` of their masks.
void EncodeRow(const uint16_t* positive, const uint16_t* negative, size_t neurons, uint32_t bit,
               size_t row, SpikeFrame& spikes);

// Computes the levels of a layer from its spikes of all T steps, for layers that are not settled
// themselves.
void FillLevels(std::span<const SpikeFrame> steps, LevelFrame& levels);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_ENCODER_ENCODER_H_
