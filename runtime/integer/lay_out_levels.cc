#include "runtime/integer/lay_out_levels.h"

#include <algorithm>
#include <cstddef>
#include <variant>
#include <vector>

#include "runtime/integer/connection.h"

namespace cssrun::internal {
namespace {

class LevelRows {
 public:
  LevelRows(const format::Network& network, IntegerNetwork& integers)
      : network_(network), integers_(integers), ends_(network.nodes()->size(), 0) {
    integers_.level_layouts.resize(network.nodes()->size());
  }

  // Room for what readers see: `left` bytes before the first neuron, `right` from it on.
  void AddReader(uint32_t source, uint8_t zero, uint32_t left = 0, uint32_t right = 0) {
    const uint32_t width = network_.nodes()->Get(source)->extent()->width();
    const size_t neurons = size_t{width} * integers_.layouts[source].stride();
    LevelLayout& levels = integers_.level_layouts[source];
    levels.before = std::max(levels.before, left);
    ends_[source] =
        std::max({ends_[source], static_cast<uint32_t>(RoundUpToLines(neurons)), right});
    levels.row_size = levels.before + ends_[source];
    levels.zero = zero;
  }

 private:
  const format::Network& network_;
  IntegerNetwork& integers_;
  std::vector<uint32_t> ends_;  // by layer: bytes of a row from the first neuron on
};

TrainShape ShapeOf(const format::Network& network, const IntegerNetwork& integers, size_t layer) {
  const format::Code& code = *network.code();
  return {code.timesteps(), integers.layers[layer].rectify, code.negative_spikes(),
          integers.level_layouts[layer].zero};
}

bool SameTrains(const SettledNeurons& a, const SettledNeurons& b) {
  return a.thresholds == b.thresholds && a.lowest == b.lowest && a.highest == b.highest;
}

// Most layers share the rule of another layer, which is found once.
void FindRules(const format::Network& network, IntegerNetwork& integers) {
  std::vector<size_t> tried;
  for (size_t i = 0; i < integers.layers.size(); ++i) {
    IntegerLayer& layer = integers.layers[i];
    if (layer.settled() == nullptr || integers.level_layouts[i].row_size == 0) continue;
    const TrainShape shape = ShapeOf(network, integers, i);
    const auto same = std::ranges::find_if(tried, [&](size_t other) {
      return ShapeOf(network, integers, other) == shape &&
             SameTrains(*integers.layers[other].settled(), *layer.settled());
    });
    if (same != tried.end()) {
      layer.level_rule = integers.layers[*same].level_rule;
    } else {
      layer.level_rule = FindLevelRule(*layer.settled(), shape);
      tried.push_back(i);
    }
  }
}

}  // namespace

void LayOutLevels(const format::Network& network, IntegerNetwork& integers) {
  const auto& nodes = *network.nodes();
  const auto zero_of = [&](uint32_t source) {
    return LevelZero(*nodes.Get(source), network.code()->timesteps());
  };
  LevelRows rows(network, integers);
  for (const IntegerLayer& layer : integers.layers) {
    for (const IntegerSynapses& s : layer.synapses) {
      if (!TraitsOf(s.kernel).reads_levels()) continue;
      const uint8_t zero = zero_of(s.source).value_or(0);
      if (const auto* conv = std::get_if<LevelConv>(&s.kernel)) {
        rows.AddReader(s.source, zero, conv->left, conv->right);
      } else if (const auto* depthwise = std::get_if<LevelDepthwise>(&s.kernel)) {
        rows.AddReader(s.source, zero, depthwise->left, depthwise->right);
      } else {
        rows.AddReader(s.source, zero);
      }
    }
  }
  for (const IntegerReadout& readout : integers.readouts) {
    const auto* vector = std::get_if<VectorReadout>(&readout);
    if (vector == nullptr) continue;
    for (const ReadoutSynapses& s : vector->synapses) {
      // Readouts take spikes if there are no levels.
      const std::optional<uint8_t> zero = zero_of(s.source);
      if (integers.layers[s.source].settled() != nullptr && zero.has_value()) {
        rows.AddReader(s.source, *zero);
      }
    }
  }
  FindRules(network, integers);
}

}  // namespace cssrun::internal
