// Runs one image through an ExecutionNetwork, step by step.
//
// The schedule: at global step k every layer, sources before targets, consumes input index
// k - input_offset (its delay lines hand it what each source sent `delay` steps ago) and emits
// spike index k - offset. All layers advance together; the readout is complete after
// latency_steps.
#ifndef CSSRUN_RUNTIME_FLOAT_FLOAT_ENGINE_H_
#define CSSRUN_RUNTIME_FLOAT_FLOAT_ENGINE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "cssrun/session.h"
#include "hwy/aligned_allocator.h"
#include "runtime/execution_network.h"
#include "runtime/float/delay_line.h"
#include "runtime/float/encoder.h"
#include "runtime/float/events.h"
#include "runtime/float/kernels.h"
#include "runtime/input.h"

namespace cssrun::internal {

class FloatEngine {
 public:
  // Called for each layer and spike index, as soon as these spikes exist.
  using ObserveSpikes = std::function<void(size_t layer, uint32_t index, const EventFrame& events)>;

  // `network` must outlive the engine. All buffers are allocated here.
  FloatEngine(const ExecutionNetwork& network, const SessionOptions& options);

  // Fails only with kStopped.
  Status Run(const Input& input, Answer& answer);

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
  };

  void Reset();
  void SetImage(const Input& input);
  // Everything that `layer` does at global step `step`.
  void StepLayer(size_t layer, uint32_t step, LayerStatistics& statistics);
  void StepEncoder(uint32_t step, LayerStatistics& statistics);
  void Integrate(size_t layer, uint32_t step, uint32_t index, LayerStatistics& statistics);
  void Record(uint32_t step, Answer& answer) const;

  const ExecutionNetwork& network_;
  const SessionOptions options_;
  std::optional<Encoder> encoder_;  // not with direct input
  std::vector<float> image_;        // of direct input
  std::vector<LayerState> states_;
  TapScratch taps_;
  std::vector<uint16_t> negative_scratch_;
  const Input* input_ = nullptr;  // of this run
  Reading reading_;               // room for one
  ObserveSpikes observe_spikes_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_FLOAT_ENGINE_H_
