// Runs images through a network in integers; several threads may share an image.
#ifndef CSSRUN_RUNTIME_INTEGER_INTEGER_ENGINE_H_
#define CSSRUN_RUNTIME_INTEGER_INTEGER_ENGINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "cssrun/session.h"
#include "hwy/aligned_allocator.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/input.h"
#include "runtime/engine/thread_team.h"
#include "runtime/integer/bands.h"
#include "runtime/integer/encoder/image_trains.h"
#include "runtime/integer/layer_state.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/integer/network.h"
#include "runtime/integer/readout/map_readout.h"
#include "runtime/integer/step.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// How the threads of an image share a layer. Tests lower the limits, since their networks are
// small.
struct ThreadSharing {
  // A layer of fewer synapses runs on one thread: sharing it costs more than it brings.
  uint64_t fewest_synapses = 200'000;
  // Of a layer with more bytes of weights, threads share the targets, where they can, not the rows.
  size_t near_weights = kNearWeights;
};

class IntegerEngine : public Engine {
 public:
  // Called for each layer and spike index, as soon as these spikes exist.
  using ObserveSpikes = std::function<void(size_t layer, uint32_t index, const SpikeFrame& spikes)>;

  // `network` must be laid out in integers and outlive the engine. All buffers are allocated here.
  IntegerEngine(const LoadedNetwork& network, const SessionOptions& options,
                const ThreadSharing& sharing = {});

  // Runs in the engine's threads. Allocates only the first time it is given floats.
  Status Run(const Input& input, Answer& answer) override;

  void set_observe_spikes(ObserveSpikes observe) {
    observe_spikes_ = std::move(observe);
    ChooseLevelsAlone();
  }
  // For tests: whether a layer sends levels alone, and the levels of the last run.
  bool sends_levels_alone(size_t layer) const { return levels_alone_[layer]; }
  const LevelFrame& levels(size_t layer) const { return states_[layer].levels; }
  // Whether threads shared the targets of some layer.
  bool shared_tiles() const { return shared_tiles_; }

 protected:
  // What a thread needs to run some rows of a layer. Aligned, since a cache line that several
  // threads write takes 0.2 us to move from one to the other.
  struct alignas(64) Worker {
    std::vector<SynapseInput> inputs;  // by synapses of a layer
    std::vector<SpikeLists> lists;     // likewise
    std::vector<float> pixel_row;      // of the map, [column][channel]
    std::vector<SpikeFrame*> digits;   // by spike index
    std::vector<int32_t> level_sums;   // by column
    std::vector<int16_t> pool_row;     // potentials of a row of pools
    std::vector<uint8_t> copied;       // see SettlingStep
    std::vector<float> joined;         // likewise
    std::vector<uint8_t> winograd;     // likewise
    uint64_t synops = 0;               // that nobody has taken yet
  };

  // Of a readout while an image runs.
  struct VectorReadoutState {
    std::vector<float> logits;  // the potentials, logit_stride of them
    std::vector<float> pixels;  // what pixels add at each step; empty without pixels
    // For long trains, whose steps share one multiplication by the weights: counts of all steps so
    // far, by synapses, and the logits without them. Empty: every step is multiplied.
    std::vector<std::vector<int32_t>> level_counts;
    std::vector<float> base;
  };
  using ReadoutState = std::variant<VectorReadoutState, MapReadoutState>;

  void StartImage(const Input& input) override;
  void StepLayer(size_t layer, uint32_t first, uint32_t last, LayerStatistics& statistics) override;
  void CopyPotentials(size_t layer, std::span<float> potentials) const override;
  void RecordSpikes(size_t layer, uint32_t index, std::span<int8_t> spikes) const override;
  void RecordMembranes(size_t layer, uint32_t index, std::span<float> membranes) const override;

  // Makes room for what a thread needs in any layer.
  void Reserve(Worker& worker) const;
  // What the synapses of a layer read at an input index.
  std::span<SynapseInput> InputsOf(size_t layer, uint32_t index, Worker& worker);
  // One step of a layer that collects events.
  EventStep EventStepOf(size_t layer, uint32_t index, std::span<const SynapseInput> inputs,
                        const LayerPart& part);
  // Sets levels_alone_, and allocates the spikes of all other layers.
  void ChooseLevelsAlone();
  // The SyOPs that all threads have counted since the last call.
  uint64_t TakeSynops() {
    uint64_t synops = 0;
    for (Worker& worker : workers_) {
      if (worker.synops > 0) synops += std::exchange(worker.synops, 0);
    }
    return synops;
  }
  Worker& WorkerOfThread() { return workers_[team_.thread()]; }
  ReadoutState MakeReadoutState(size_t layer);
  void StartReadout(size_t layer);
  void SetDirectImage();
  // Whether a layer sums the bytes of this image.
  bool SumsBytes(size_t layer) const {
    return pixels_are_bytes_ && integers_.layers[layer].pixel_conv.has_value();
  }
  void StepEncoder(uint32_t index, LayerStatistics& statistics);
  void StepNeurons(size_t layer, uint32_t first, uint32_t last, LayerStatistics& statistics);
  // The levels of a layer that sends levels alone.
  CountedLevels LevelsOf(size_t layer) const;
  // Runs its parts; `shared`: among all threads.
  void StepParts(size_t layer, uint32_t first, uint32_t last, bool shared,
                 LayerStatistics& statistics);
  // The same, but threads share a layer's tiles of targets instead of its rows, so that each reads
  // only its own weights. Returns false, and does nothing, if that is not possible or weights are
  // few.
  bool StepTiles(size_t layer, uint32_t first, uint32_t last, LayerStatistics& statistics);
  // Part of a layer at one input index; returns its share of the SyOPs.
  uint64_t StepPart(size_t layer, uint32_t index, const LayerPart& part);
  // The same at the last index of a settled layer.
  uint64_t SettlePart(size_t layer, const LayerPart& part, const TileRange& tiles = {});
  // What a layer's last step works on, except its part and inputs.
  SettlingStep SettlingStepOf(size_t layer, Worker& worker);
  // Writes what the pools of a settled layer send; `shared`: among all threads.
  void PoolNeurons(size_t layer, bool shared);
  void StepReadout(size_t layer, uint32_t index, LayerStatistics& statistics);
  uint64_t StepVectorReadout(size_t layer, uint32_t index, const VectorReadout& readout,
                             VectorReadoutState& state);
  // AddReadout() by all threads.
  void AddToLogits(const ReadoutSynapses& synapses, std::span<const int32_t> counts, float* logits);
  // The same if steps share one multiplication. Called after the bias of the step is added.
  uint64_t StepLongReadout(uint32_t index, const VectorReadout& readout, VectorReadoutState& state);

  const IntegerNetwork& integers_;
  const ThreadSharing sharing_;
  const Growth growth_;
  const Input* input_ = nullptr;       // of this run
  std::vector<float> image_;           // of direct input
  LevelFrame pixels_;                  // the image as bytes; empty where no layer sums them
  bool pixels_are_bytes_ = false;      // of this image
  bool needs_floats_ = false;          // some layers take pixels as floats even then
  std::optional<ImageTrains> trains_;  // of all other input
  std::vector<LayerState> states_;
  ThreadTeam team_;
  std::vector<Worker> workers_;                // by thread
  std::map<uint32_t, MapSource> map_sources_;  // by layer; nodes of a map stay where they are
  std::vector<ReadoutState> readouts_;
  std::vector<int32_t> counts_;  // of spikes by row of a readout's weights
  // By layer: whether it is settled and nothing needs its single spikes, so they are not written.
  std::vector<bool> levels_alone_;
  std::vector<bool> recorded_;  // by layer: somebody asked for its spikes or membranes
  bool reads_steps_ = false;    // the logits of steps before the last may be asked for
  ObserveSpikes observe_spikes_;
  bool shared_tiles_ = false;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_INTEGER_ENGINE_H_
