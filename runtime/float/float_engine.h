// Runs images through a network in float, one step after another.
#ifndef CSSRUN_RUNTIME_FLOAT_FLOAT_ENGINE_H_
#define CSSRUN_RUNTIME_FLOAT_FLOAT_ENGINE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "cssrun/session.h"
#include "hwy/aligned_allocator.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/input.h"
#include "runtime/float/delay_line.h"
#include "runtime/float/encoder.h"
#include "runtime/float/events.h"
#include "runtime/float/kernels.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

class FloatEngine : public Engine {
 public:
  // Called for each layer and spike index, as soon as these spikes exist.
  using ObserveSpikes = std::function<void(size_t layer, uint32_t index, const EventFrame& events)>;

  // `network` must be laid out in float and outlive the engine. All buffers are allocated here.
  FloatEngine(const LoadedNetwork& network, const SessionOptions& options);

  // After Run(): what neurons of a layer have not sent, |o| in amplitudes of the last spike, by
  // [position][channel].
  void Residuals(size_t layer, std::vector<float>& residuals) const;

  void set_observe_spikes(ObserveSpikes observe) { observe_spikes_ = std::move(observe); }

 private:
  // What changes while an image runs, of one layer.
  struct LayerState {
    hwy::AlignedFreeUniquePtr<float[]> membranes;  // h, [position of the potentials][channel]
    hwy::AlignedFreeUniquePtr<float[]> sent;       // g, [position of the spikes][channel]
    DelayLine spikes;
    hwy::AlignedFreeUniquePtr<float[]> direct;  // what pixels bring at each step, as the membranes
    std::vector<std::vector<float>> seen;       // by direct synapses: room for the image's means

    NeuronArrays neurons() const { return {membranes.get(), sent.get()}; }
  };

  void StartImage(const Input& input) override;
  void StepLayer(size_t layer, uint32_t first, uint32_t last, LayerStatistics& statistics) override;
  std::span<const float> Potentials() const override;
  void RecordSpikes(size_t layer, uint32_t index, std::span<int8_t> spikes) const override;
  void RecordMembranes(size_t layer, uint32_t index, std::span<float> membranes) const override;

  void Reset();
  void SetImage(const Input& input);
  void StepEncoder(uint32_t index, LayerStatistics& statistics);
  void Integrate(size_t layer, uint32_t index, LayerStatistics& statistics);
  void FireNeurons(size_t layer, uint32_t spike_index, LayerStatistics& statistics);

  const FloatNetwork& floats_;
  std::optional<Encoder> encoder_;  // not with direct input
  std::vector<float> image_;        // of direct input
  std::vector<LayerState> states_;
  TapScratch taps_;
  std::vector<uint16_t> negative_scratch_;
  const Input* input_ = nullptr;  // of this run
  ObserveSpikes observe_spikes_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_FLOAT_ENGINE_H_
