// The level of a settled neuron straight from its potential, without the digits in between.
//
// A train of signed digits carries its potential rounded to a whole number, the level, and that is
// all that level kernels read. Where the thresholds make it so, and those of the converter do, the
// level is one addition, shift and clamp, and the number of spikes follows from the level:
//
//     level = clamp((z + offset) >> fraction, least, most)
//
// The digits themselves are then written only when somebody looks at them.
#ifndef CSSRUN_RUNTIME_INTEGER_NEURONS_LEVEL_RULE_H_
#define CSSRUN_RUNTIME_INTEGER_NEURONS_LEVEL_RULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace cssrun::internal {

struct SettledNeurons;

struct LevelRule {
  // What is added to a potential if zero is added with it.
  int offset_to_byte() const { return offset + (zero << fraction); }
  uint8_t most_byte() const { return static_cast<uint8_t>(most + zero); }
  // Whether the lowest level is the byte 0. Then potentials of 16 bits need no clamp but one from
  // above, to most_byte(): with offset_to_byte() added, saturating, and shifted, they saturate to
  // bytes.
  bool saturates() const {
    return least + zero == 0 && offset_to_byte() <= 32767 && 32767 >> fraction >= most + zero;
  }
  // Whether levels take all of a byte, as those of 8 steps, and need no clamp at all.
  bool fills_byte() const { return saturates() && most_byte() == 255; }

  int16_t offset = 0;    // in settled units, 0 or more
  int16_t fraction = 0;  // bits of an amplitude in settled units
  int16_t least = 0;
  int16_t most = 0;
  uint8_t zero = 0;                      // the byte of level 0
  std::array<uint8_t, 256> spikes = {};  // by byte, level + zero: the spikes of the train
};

// The lowest and the highest level that a neuron may go on to send, where a stream has a dead zone:
// of those within
//
//     |z - level 2^fraction| <= limit
//
// They are written together with the level, by its rule but with other offsets, and what was sent
// last is compared with them later:
//
//     | levels of some rows | the lowest ones | the highest ones |
//     |<------ apart ------>|<---- apart ---->|
struct LevelBounds {
  bool empty() const { return apart == 0; }
  int16_t LowestOffset(int fraction) const {
    return static_cast<int16_t>((1 << fraction) - 1 - limit);
  }
  int16_t HighestOffset() const { return limit; }

  size_t apart = 0;   // bytes; 0: there is no dead zone
  int16_t limit = 0;  // in settled units, see dead_zone.h
};

// What makes the digits of a layer, besides the neurons' thresholds and limits.
struct TrainShape {
  uint32_t timesteps = 0;
  bool rectify = false;
  bool negative_spikes = true;
  uint8_t zero = 0;

  bool operator==(const TrainShape&) const = default;
};

// The rule that gives the level and the number of spikes that WriteDigits() gives, for all 65,536
// potentials: each is tried. Nothing where the thresholds allow none.
std::optional<LevelRule> FindLevelRule(const SettledNeurons& neurons, const TrainShape& shape);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_LEVEL_RULE_H_
