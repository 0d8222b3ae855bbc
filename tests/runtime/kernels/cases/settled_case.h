// A layer of settled neurons before its last step: sums, parameters, and what joins the sums.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_CASES_SETTLED_CASE_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_CASES_SETTLED_CASE_H_

#include <cstdint>
#include <vector>

#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/neurons/event_neurons.h"
#include "runtime/integer/neurons/settled.h"
#include "tests/runtime/kernels/cases/shapes.h"

namespace cssrun::internal {

// What else than sums and biases a potential has.
struct SettledExtras {
  uint32_t shortcuts = 0;  // aligned ones, kMostAlignedShortcuts at most
  bool floats = false;
  bool rectify = true;
};

struct SettledCase {
  // Extras and sums follow from the seed: no sums, floats, 0 to 4 shortcuts, potentials that
  // saturate.
  SettledCase(const NeuronShape& shape, uint32_t seed);
  SettledCase(const MembraneLayout& layout, const LayerPools& pools, const SettledExtras& extras,
              uint32_t seed);

  // Thresholds of a train of so many steps.
  void SetTimesteps(uint32_t timesteps, double threshold = 0.667);
  // Limits of levels, of as many steps as were set.
  void SetLimits(int lowest, int highest);

  SettledRow row(int16_t* of_layer) const { return {&neurons, &layout, rectify, of_layer}; }
  PotentialInputs inputs(size_t row) const;

  MembraneLayout layout;
  LayerPools pools;
  bool rectify = true;
  SettledNeurons neurons;
  std::vector<int16_t> membranes;
  std::vector<float> floats;          // [block][row][map lanes]; empty: none
  std::vector<LevelFrame> shortcuts;  // of aligned shortcuts
};

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_CASES_SETTLED_CASE_H_
