// Runs images through a network in 32-bit floats, one step at a time: the engine for every network
// that 16-bit integers cannot run.
//
// At each step a layer integrates (membranes grow, bias and direct input are added, events of the
// sources are accumulated) and then fires. Threads: belongs to one at a time. Cost: nothing
// allocates after the first image.
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
  // Called for each layer and spike index, once the layer has sent these spikes.
  using ObserveSpikes = std::function<void(size_t layer, uint32_t index, const EventFrame& events)>;

  // `network` must be laid out in float and outlive the engine. All buffers are allocated here.
  FloatEngine(const LoadedNetwork& network, const SessionOptions& options);

  // After Run(): |o| of every neuron of a layer, what it has not sent, in amplitudes of the last
  // spike. Overwrites `residuals`, [position][channel].
  void Residuals(size_t layer, std::vector<float>& residuals) const;

  void set_observe_spikes(ObserveSpikes observe) { observe_spikes_ = std::move(observe); }

 private:
  // The part of a layer that changes while an image runs.
  struct LayerState {
    hwy::AlignedFreeUniquePtr<float[]> membranes;  // h, [position of the potentials][channel]
    hwy::AlignedFreeUniquePtr<float[]> sent;       // g, [position of the spikes][channel]
    DelayLine spikes;
    hwy::AlignedFreeUniquePtr<float[]>
        direct;                            // what pixels add at each step; indexed as membranes
    std::vector<std::vector<float>> seen;  // per Layer::direct: scratch for SeenImage()

    NeuronArrays neurons() const { return {membranes.get(), sent.get()}; }
  };

  void StartImage(const Input& input) override;
  void StepLayer(size_t layer, uint32_t first, uint32_t last, LayerStatistics& statistics) override;
  void CopyPotentials(size_t layer, std::span<float> potentials) const override;
  void RecordSpikes(size_t layer, uint32_t index, std::span<int8_t> spikes) const override;
  void RecordMembranes(size_t layer, uint32_t index, std::span<float> membranes) const override;

  void Reset();
  void SetImage(const Input& input);
  void StepEncoder(uint32_t index, LayerStatistics& statistics);
  void Integrate(size_t layer, uint32_t index, LayerStatistics& statistics);
  void FireNeurons(size_t layer, uint32_t spike_index, LayerStatistics& statistics);

  const FloatNetwork& floats_;
  std::optional<Encoder> encoder_;  // nothing with direct input
  std::vector<float> image_;        // with direct input: PixelScale::Apply() of the image
  std::vector<LayerState> states_;
  TapScratch taps_;
  std::vector<uint16_t> negative_scratch_;
  const Input* input_ = nullptr;  // of the run in progress
  ObserveSpikes observe_spikes_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_FLOAT_ENGINE_H_
