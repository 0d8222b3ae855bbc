// Runs one image through an IntegerNetwork.
//
// The schedule is cut into chunks of global steps: within a chunk each layer, sources before
// targets, does all of its steps before the next layer begins. A chunk of one step is the pipeline,
// in which all layers advance together; a chunk of all steps is layer after layer, which keeps a
// layer's weights and membranes in the cache. The answer is the same bits.
#ifndef CSSRUN_RUNTIME_INTEGER_INTEGER_ENGINE_H_
#define CSSRUN_RUNTIME_INTEGER_INTEGER_ENGINE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cssrun/session.h"
#include "hwy/aligned_allocator.h"
#include "runtime/execution_network.h"
#include "runtime/integer/integer_network.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/spike_frame.h"

namespace cssrun::internal {

class IntegerEngine {
 public:
  // Called for each layer and spike index, as soon as these spikes exist.
  using ObserveSpikes = std::function<void(size_t layer, uint32_t index, const SpikeFrame& spikes)>;

  // `network` must have integers and outlive the engine. All buffers are allocated here.
  IntegerEngine(const ExecutionNetwork& network, const SessionOptions& options);

  // `pixels` must have the network's size.
  void Run(std::span<const uint8_t> pixels, Answer& answer);

  void set_observe_spikes(ObserveSpikes observe) { observe_spikes_ = std::move(observe); }

 private:
  // What changes while an image runs, of one layer.
  struct LayerState {
    hwy::AlignedFreeUniquePtr<int16_t[]> membranes;
    hwy::AlignedFreeUniquePtr<int16_t[]> sent;
    size_t membrane_lanes = 0;
    size_t sent_lanes = 0;
    std::vector<SpikeFrame> spikes;  // by spike index
  };

  void Reset();
  static void ResetAbsent(const IntegerLayer& layer, LayerState& state);
  void SetImage(std::span<const uint8_t> pixels, uint32_t first_bit);
  // Everything that a layer does at global step `step`.
  void StepLayer(size_t layer, uint32_t step, LayerStatistics& statistics);
  void StepEncoder(uint32_t index, LayerStatistics& statistics);
  void StepNeurons(size_t layer, uint32_t index, LayerStatistics& statistics);
  void StepReadout(uint32_t index, LayerStatistics& statistics);

  const ExecutionNetwork& network_;
  const IntegerNetwork& integers_;
  const SessionOptions options_;
  const uint32_t chunk_;
  const Growth growth_;
  std::span<const uint8_t> pixels_;
  // Sixteen steps of every pixel's train, [row][column][lane], whole words a row.
  size_t train_row_ = 0;
  std::vector<uint16_t> positive_trains_;
  std::vector<uint16_t> negative_trains_;
  std::vector<LayerState> states_;
  std::vector<const SpikeFrame*> inputs_;
  std::vector<SpikeLists> lists_;  // by synapses of a layer
  std::vector<float> logits_;
  ObserveSpikes observe_spikes_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_INTEGER_ENGINE_H_
