#include "tests/runtime/kernels/cases/settled_case.h"

#include <algorithm>
#include <limits>
#include <random>

#include "runtime/aligned.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/random_state.h"

namespace cssrun::internal {
namespace {

SettledExtras ExtrasOf(uint32_t seed) { return {seed % 5, seed % 2 == 0, seed % 4 < 2}; }

hwy::AlignedFreeUniquePtr<float[]> Parameters(const MembraneLayout& layout, float lowest,
                                              float highest, std::mt19937& generator) {
  const std::vector<float> values =
      RandomFloats(layout.parameter_lanes(), lowest, highest, generator);
  auto parameters = AllocateAligned<float>(values.size());
  const size_t lanes = layout.lanes.lanes;
  for (size_t i = 0; i < values.size(); ++i) {
    parameters[i] = values[i / kLineLanes * kLineLanes + i % lanes];
  }
  return parameters;
}

}  // namespace

SettledCase::SettledCase(const NeuronShape& shape, uint32_t seed)
    : SettledCase(MembranesOf(shape, SettledPoolsOf(shape)), SettledPoolsOf(shape), ExtrasOf(seed),
                  seed) {
  if (seed % 7 == 0) neurons.sums = SettledSums::kNone;
}

SettledCase::SettledCase(const MembraneLayout& membrane_layout, const LayerPools& layer_pools,
                         const SettledExtras& extras, uint32_t seed)
    : layout(membrane_layout), pools(layer_pools), rectify(extras.rectify) {
  std::mt19937 generator(seed);
  // In settled units; with a large scale, potentials saturate.
  const float largest_scale = seed % 6 == 5 ? 90.0F : 1.3F;
  neurons.scale = Parameters(layout, 0.01F, largest_scale, generator);
  neurons.bias = Parameters(layout, -2000, 2000, generator);
  membranes = RandomMembranes(layout, -32768, 32767, generator);
  for (size_t i = 0; i < membranes.size(); i += 9) {  // marks of what lies outside
    membranes[i] = std::numeric_limits<int16_t>::min();
  }
  if (extras.floats) {
    floats = RandomFloats(layout.map_size(), -9000, 9000, generator);
  }
  const size_t neurons_of_row = size_t{layout.columns} * layout.lanes.stride();
  LevelLayout levels;
  levels.before = 32;
  levels.zero = 64;
  levels.row_size = levels.before + static_cast<uint32_t>(RoundUpToLines(neurons_of_row));
  const format::Extent all(layout.lanes.stride(), layout.rows, layout.columns);
  for (uint32_t s = 0; s < extras.shortcuts; ++s) {
    shortcuts.push_back(RandomLevels(all, layout.lanes, levels, 800, -63, 63, generator));
  }
  SetTimesteps(5);
}

void SettledCase::SetTimesteps(uint32_t timesteps, double threshold) {
  neurons.thresholds.clear();
  for (uint32_t k = 0; k < timesteps; ++k) {
    const double share = k + 1 < timesteps ? threshold : 0.5;
    const int amplitude = 1 << SettledFraction(timesteps);
    const int weight = 1 << (timesteps - 1 - k);
    neurons.thresholds.push_back(static_cast<int16_t>(share * weight * amplitude) - 1);
  }
}

void SettledCase::SetLimits(int lowest, int highest) {
  const auto timesteps = static_cast<uint32_t>(neurons.thresholds.size());
  const int amplitude = 1 << SettledFraction(timesteps);
  const int most = (1 << timesteps) - 1;
  neurons.lowest = static_cast<int16_t>(std::max(lowest, -most) * amplitude);
  neurons.highest = static_cast<int16_t>(std::min(highest, most) * amplitude);
}

PotentialInputs SettledCase::inputs(size_t row) const {
  PotentialInputs inputs;
  if (!floats.empty()) {
    inputs.floats = floats.data() + layout.MapRowAt(0, row);
    inputs.block_floats = size_t{layout.rows} * layout.map_lanes();
  }
  constexpr float kWeights[kMostAlignedShortcuts] = {511.7F, -300.3F, 77.1F, 0.3F};
  for (const LevelFrame& levels : shortcuts) {
    inputs.shortcuts[inputs.shortcut_count] = {levels.Row(row), kWeights[inputs.shortcut_count],
                                               levels.layout.zero};
    ++inputs.shortcut_count;
  }
  return inputs;
}

}  // namespace cssrun::internal
