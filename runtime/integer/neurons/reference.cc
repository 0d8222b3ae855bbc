#include "runtime/integer/neurons/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {
namespace {

// The quotient rounded down; the divisor is a power of two.
int64_t DividedDown(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1 : quotient;
}

// beta * v, saturating after each addition.
int16_t Grown(const NeuronStep& step, int16_t v) {
  if (step.growth.beta == 2.0F) return Saturated(int64_t{v} + v);
  if (step.growth.beta == 1.5F) {
    return Saturated(v + DividedDown(v + (step.round_up ? 1 : 0), 2));
  }
  // A share of 1/32768, halves rounded up.
  int16_t sum = Saturated(DividedDown(int64_t{v} * step.growth.fraction + 16384, 32768));
  for (int i = 0; i < step.growth.whole; ++i) AddSaturating(v, sum);
  return sum;
}

// Where the parameters of a channel lie.
size_t ParameterOf(const MembraneLayout& layout, size_t channel) {
  const size_t lanes = layout.lanes.lanes;
  return channel / lanes * kLineLanes + channel % lanes;
}

int16_t BiasOf(const NeuronStep& step, size_t channel) {
  return step.biases == nullptr ? int16_t{0} : step.biases[ParameterOf(*step.layout, channel)];
}

// Writes a neuron's spike and returns what it takes off, with its sign.
int SendSpike(const NeuronStep& step, size_t spike_row, size_t neuron, size_t channel,
              int16_t membrane, int16_t sent) {
  const size_t parameter = ParameterOf(*step.layout, channel);
  const int threshold = step.firing->thresholds[parameter];
  int drive = membrane;
  if (step.rectify) drive = std::max<int>(drive, Saturated(-int64_t{sent}));
  const bool up = drive > threshold;
  const bool down = step.negative_spikes && drive < -threshold;
  uint64_t& word = step.firing->spikes->Row(spike_row)[neuron / kLineLanes];
  const uint64_t positive = uint64_t{1} << neuron % kLineLanes;
  const uint64_t negative = positive << kLineLanes;
  word &= ~(positive | negative);
  if (up) word |= positive;
  if (down) word |= negative;
  const int unit = step.firing->unit[parameter];
  return up ? unit : down ? -unit : 0;
}

void GrowRowReference(const NeuronStep& step, size_t row) {
  const MembraneLayout& layout = *step.layout;
  const PartChannels channels(layout, step.part);
  for (size_t column = 0; column < layout.columns; ++column) {
    for (size_t c = channels.first; c < channels.last; ++c) {
      int16_t& membrane = step.membranes[MembraneAt(layout, row, column, c)];
      membrane = Grown(step, membrane);
      AddSaturating(BiasOf(step, c), membrane);
    }
  }
}

// Lanes of a row's last word that have no neuron are silent.
void SilenceRest(const NeuronStep& step, size_t spike_row, size_t neurons) {
  for (size_t i = neurons; i < RoundUpToLines(neurons); ++i) {
    uint64_t& word = step.firing->spikes->Row(spike_row)[i / kLineLanes];
    word &= ~((uint64_t{1} | uint64_t{1} << kLineLanes) << i % kLineLanes);
  }
}

// All members of each pool lose what the pool sends; pools of one member are neurons without a
// pool.
void FireReference(const NeuronStep& step, size_t pool_row) {
  const MembraneLayout& layout = *step.layout;
  const LayerPools& pools = *step.pools;
  const PartChannels channels(layout, step.part);
  const size_t neurons = pools.columns * layout.lanes.stride();
  const size_t sent_row = pools.pooled() ? neurons : RoundUpToLines(neurons);
  for (size_t column = 0; column < pools.columns; ++column) {
    for (size_t c = channels.first; c < channels.last; ++c) {
      std::vector<int16_t*> members;
      for (size_t y = 0; y < pools.y.members; ++y) {
        for (size_t x = 0; x < pools.x.members; ++x) {
          members.push_back(&step.membranes[MembraneAt(layout, pool_row * pools.y.stride + y,
                                                       column * pools.x.stride + x, c)]);
        }
      }
      int16_t largest = *members.front();
      for (const int16_t* member : members) largest = std::max(largest, *member);
      const size_t neuron = NeuronAt(layout.lanes, column, c);
      int16_t none = 0;
      int16_t& sent = step.rectify ? step.sent[pool_row * sent_row + neuron] : none;
      const int lost = SendSpike(step, pool_row, neuron, c, largest, sent);
      for (int16_t* member : members) AddSaturating(-lost, *member);
      AddSaturating(lost, sent);
      sent = Grown(step, sent);
    }
  }
  SilenceRest(step, pool_row, neurons);
}

}  // namespace

void FireRowReference(const NeuronStep& step, size_t row) {
  const LayerPools& pools = *step.pools;
  if (!step.firing.has_value()) {
    GrowRowReference(step, row);
    return;
  }
  const size_t pool = row / pools.y.stride;
  const size_t member = row % pools.y.stride;
  if (pool >= pools.rows || member >= pools.y.members) {  // of no pool
    GrowRowReference(step, row);
    return;
  }
  // A pool fires with the last of its members, before any of them grows.
  if (member + 1 < pools.y.members) return;
  FireReference(step, pool);
  for (size_t y = 0; y < pools.y.members; ++y) GrowRowReference(step, pool * pools.y.stride + y);
}

void AddPixelsReference(const PixelPotentials& pixels, const MembraneLayout& layout,
                        const LayerPart& part, float beta, int16_t* membranes) {
  const PartChannels channels(layout, part);
  const size_t lanes = layout.lanes.lanes;
  for (size_t row = part.first_row; row < part.last_row; ++row) {
    for (size_t column = 0; column < layout.columns; ++column) {
      for (size_t c = channels.first; c < channels.last; ++c) {
        const size_t at = layout.MapRowAt(c / lanes, row) + column * lanes + c % lanes;
        const float wanted = beta * pixels.carry[at] + pixels.potentials[at];
        const double whole = std::nearbyint(std::clamp(static_cast<double>(wanted), -1e9, 1e9));
        const int16_t added = Saturated(static_cast<int64_t>(whole));
        pixels.carry[at] = std::clamp(wanted - static_cast<float>(added), -1.0F, 1.0F);
        AddSaturating(added, membranes[MembraneAt(layout, row, column, c)]);
      }
    }
  }
}

int16_t PotentialReference(const SettledRow& settled, const PotentialInputs& inputs, float sum,
                           size_t column, size_t channel, const float* joined_scale) {
  const MembraneLayout& layout = *settled.layout;
  const size_t lanes = layout.lanes.lanes;
  const size_t parameter = ParameterOf(layout, channel);
  const bool joins = joined_scale != nullptr;
  float z = sum * (joins ? joined_scale[parameter] : settled.neurons->scale[parameter]);
  const auto add_floats = [&] {
    z += inputs.floats[channel / lanes * inputs.block_floats + column * lanes + channel % lanes];
  };
  if (joins) add_floats();
  z += settled.neurons->bias[parameter];
  if (!joins && inputs.floats != nullptr) add_floats();
  for (size_t s = 0; s < inputs.shortcut_count; ++s) {
    const AlignedShortcut& shortcut = inputs.shortcuts[s];
    const int level = shortcut.levels[NeuronAt(layout.lanes, column, channel)] - shortcut.zero;
    z += static_cast<float>(level) * shortcut.weight;
  }
  const auto exact = static_cast<double>(z);
  const double rounded = settled.rectify ? std::trunc(exact) : std::floor(exact);
  return Saturated(static_cast<int64_t>(std::clamp(rounded, -1e9, 1e9)));
}

void RoundPotentialsReference(const SettledRow& settled, const PotentialInputs& inputs,
                              size_t row) {
  const MembraneLayout& layout = *settled.layout;
  const bool has_sums = settled.neurons->sums != SettledSums::kNone;
  for (size_t column = 0; column < layout.columns; ++column) {
    for (size_t c = 0; c < layout.lanes.stride(); ++c) {
      int16_t& membrane = settled.membranes[MembraneAt(layout, row, column, c)];
      const float sum = has_sums ? static_cast<float>(membrane) : 0.0F;
      membrane = PotentialReference(settled, inputs, sum, column, c);
    }
  }
}

void PoolPotentialsReference(const MembraneLayout& layout, const LayerPools& pools,
                             const int16_t* membranes, size_t pool_row, int16_t* largest) {
  const WindowAxis& y = pools.windows->y;
  const WindowAxis& x = pools.windows->x;
  const MembraneLayout pooled = PooledRowLayout(layout, pools);
  for (size_t c = 0; c < layout.lanes.stride(); ++c) {
    for (size_t column = 0; column < pools.columns; ++column) {
      int16_t& top = largest[MembraneAt(pooled, 0, column, c)];
      top = std::numeric_limits<int16_t>::min();
      for (int64_t ky = 0; ky < y.kernel; ++ky) {
        for (int64_t kx = 0; kx < x.kernel; ++kx) {
          const int64_t row_seen = y.SourceOf(static_cast<int64_t>(pool_row), ky);
          const int64_t column_seen = x.SourceOf(static_cast<int64_t>(column), kx);
          if (row_seen < 0 || row_seen >= layout.rows) continue;
          if (column_seen < 0 || column_seen >= layout.columns) continue;
          top = std::max(top, membranes[MembraneAt(layout, static_cast<size_t>(row_seen),
                                                   static_cast<size_t>(column_seen), c)]);
        }
      }
    }
  }
}

void WriteDigitsReference(const SettledRow& settled, const DigitsTarget& target, size_t row,
                          size_t spike_row) {
  const MembraneLayout& layout = *settled.layout;
  const size_t neurons = target.columns * layout.lanes.stride();
  for (uint32_t k = 0; k < target.timesteps; ++k) {
    std::fill_n(target.spikes[k]->Row(spike_row), target.spikes[k]->words_per_row, uint64_t{0});
  }
  if (target.levels != nullptr) {
    std::fill_n(target.levels->Row(spike_row), RoundUpToLines(neurons), target.levels->layout.zero);
  }
  const int amplitude = 1 << SettledFraction(target.timesteps);
  for (size_t column = 0; column < target.columns; ++column) {
    for (size_t c = 0; c < layout.lanes.stride(); ++c) {
      const size_t neuron = NeuronAt(layout.lanes, column, c);
      int rest = settled.membranes[MembraneAt(layout, row, column, c)];
      rest = std::clamp<int>(rest, settled.neurons->lowest, settled.neurons->highest);
      if (settled.rectify) rest = std::max(rest, 0);
      int level = 0;
      for (uint32_t k = 0; k < target.timesteps; ++k) {
        const int weight = 1 << (target.timesteps - 1 - k);
        const int reached = settled.neurons->thresholds[k] + 1;
        uint64_t& word = target.spikes[k]->Row(spike_row)[neuron / kLineLanes];
        const uint64_t bit = uint64_t{1} << neuron % kLineLanes;
        // Potentials are rounded down, so what is above -reached may have been rounded to it.
        const bool may_be_negative = target.negative_spikes && !(settled.rectify && k == 0);
        if (rest >= reached) {
          word |= bit;
          rest -= weight * amplitude;
          level += weight;
        } else if (may_be_negative && rest < -reached) {
          word |= bit << kLineLanes;
          rest += weight * amplitude;
          level -= weight;
        }
      }
      if (target.levels != nullptr) {
        target.levels->Row(spike_row)[neuron] =
            static_cast<uint8_t>(std::clamp(level + target.levels->layout.zero, 0, 255));
      }
    }
  }
}

uint8_t LevelReference(const LevelRule& rule, int16_t potential) {
  const double level = std::floor((potential + rule.offset) / std::exp2(rule.fraction));
  return static_cast<uint8_t>(std::clamp<double>(level, rule.least, rule.most) + rule.zero);
}

void WriteLevelsReference(const SettledRow& settled, const LevelsTarget& target, size_t row,
                          size_t level_row) {
  const MembraneLayout& layout = *settled.layout;
  const LevelRule& rule = *target.rule;
  uint8_t* levels = target.levels->Row(level_row);
  std::fill_n(levels, RoundUpToLines(target.columns * layout.lanes.stride()), rule.zero);
  for (size_t column = 0; column < target.columns; ++column) {
    for (size_t c = 0; c < layout.lanes.stride(); ++c) {
      levels[NeuronAt(layout.lanes, column, c)] =
          LevelReference(rule, settled.membranes[MembraneAt(layout, row, column, c)]);
    }
  }
}

}  // namespace cssrun::internal
