// The level of a settled neuron directly from its potential, without the digits in between.
//
// A train of signed digits carries its potential rounded to a whole number, the level, and level
// kernels read only this. With suitable thresholds, such as the converter's, the level is an
// addition, a shift and a clamp, and the number of spikes follows from the level:
//
//     level = clamp((z + offset) >> fraction, least, most)
//
// The digits themselves are then written only if something reads them.
#ifndef CSSRUN_RUNTIME_INTEGER_NEURONS_LEVEL_RULE_H_
#define CSSRUN_RUNTIME_INTEGER_NEURONS_LEVEL_RULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace cssrun::internal {

struct SettledNeurons;

struct LevelRule {
  // The offset of a potential that also adds zero.
  int offset_to_byte() const { return offset + (zero << fraction); }
  uint8_t most_byte() const { return static_cast<uint8_t>(most + zero); }
  // Whether the lowest level is the byte 0. Then 16-bit potentials need only one clamp, from above
  // to most_byte(): with offset_to_byte() added, saturating, and then shifted, they saturate to
  // bytes by themselves.
  bool saturates() const {
    return least + zero == 0 && offset_to_byte() <= 32767 && 32767 >> fraction >= most + zero;
  }
  // Whether levels use all values of a byte, as with 8 steps, and need no clamp at all.
  bool fills_byte() const { return saturates() && most_byte() == 255; }

  int16_t offset = 0;    // in settled units, 0 or more
  int16_t fraction = 0;  // bits of an amplitude in settled units
  int16_t least = 0;
  int16_t most = 0;
  uint8_t zero = 0;                      // the byte of level 0
  std::array<uint8_t, 256> spikes = {};  // by byte, level + zero: the spikes of the train
};

// The lowest and the highest level that a neuron may keep sending in a stream with a dead zone, of
// those within
//
//     |z - level 2^fraction| <= limit
//
// They are written together with the level, by its rule but with other offsets; the level that was
// sent last is compared with them later:
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

// What determines the digits of a layer, besides the neurons' thresholds and limits.
struct TrainShape {
  uint32_t timesteps = 0;
  bool rectify = false;
  bool negative_spikes = true;
  uint8_t zero = 0;

  bool operator==(const TrainShape&) const = default;
};

// A rule with the same levels and numbers of spikes as WriteDigits() for all 65,536 potentials,
// each of which is tried. std::nullopt if the thresholds allow none.
std::optional<LevelRule> FindLevelRule(const SettledNeurons& neurons, const TrainShape& shape);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_LEVEL_RULE_H_
