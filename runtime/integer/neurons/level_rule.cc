#include "runtime/integer/neurons/level_rule.h"

#include <algorithm>
#include <limits>

#include "runtime/assert.h"
#include "runtime/integer/neurons/settled.h"
#include "runtime/neuron/settled.h"

namespace cssrun::internal {
namespace {

constexpr int kLowest = std::numeric_limits<int16_t>::min();
constexpr int kHighest = std::numeric_limits<int16_t>::max();

struct Train {
  int level = 0;
  int spikes = 0;
};

// The greedy digits of one potential, as WriteDigits() takes them.
Train TrainOf(const SettledNeurons& neurons, const TrainShape& shape, int potential) {
  int rest = std::clamp<int>(potential, neurons.lowest, neurons.highest);
  if (shape.rectify) rest = std::max(rest, 0);
  Train train;
  for (uint32_t k = 0; k < shape.timesteps; ++k) {
    const int weight = 1 << (shape.timesteps - 1 - k);
    const int unit = weight << SettledFraction(shape.timesteps);
    const bool may_be_negative = shape.negative_spikes && !(shape.rectify && k == 0);
    if (rest > neurons.thresholds[k]) {
      rest -= unit;
      train.level += weight;
      ++train.spikes;
    } else if (may_be_negative && rest < -neurons.thresholds[k] - 1) {
      rest += unit;
      train.level -= weight;
      ++train.spikes;
    }
  }
  return train;
}

}  // namespace

std::optional<LevelRule> FindLevelRule(const SettledNeurons& neurons, const TrainShape& shape) {
  CSSRUN_ASSERT(shape.timesteps >= 1 && shape.timesteps <= kLongestSettledTrain);
  CSSRUN_ASSERT(neurons.thresholds.size() == shape.timesteps);
  LevelRule rule;
  rule.zero = shape.zero;
  rule.fraction = static_cast<int16_t>(SettledFraction(shape.timesteps));
  // The last step rounds to one level more where the rest exceeds its threshold.
  const int offset = (1 << rule.fraction) - 1 - neurons.thresholds[shape.timesteps - 1];
  if (offset < 0 || offset > kHighest) return std::nullopt;
  rule.offset = static_cast<int16_t>(offset);
  rule.least = static_cast<int16_t>(TrainOf(neurons, shape, kLowest).level);
  rule.most = static_cast<int16_t>(TrainOf(neurons, shape, kHighest).level);
  if (rule.least + shape.zero < 0 || rule.most + shape.zero > 255) return std::nullopt;
  std::array<bool, 256> known = {};
  for (int potential = kLowest; potential <= kHighest; ++potential) {
    const Train train = TrainOf(neurons, shape, potential);
    const int reached = std::min(potential + offset, kHighest) >> rule.fraction;
    if (train.level != std::clamp<int>(reached, rule.least, rule.most)) return std::nullopt;
    const auto byte = static_cast<size_t>(train.level + shape.zero);
    if (known[byte] && rule.spikes[byte] != train.spikes) return std::nullopt;
    known[byte] = true;
    rule.spikes[byte] = static_cast<uint8_t>(train.spikes);
  }
  return rule;
}

}  // namespace cssrun::internal
