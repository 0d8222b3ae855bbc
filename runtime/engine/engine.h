// Runs images through a loaded network: the run loop that all engines share.
//
// The schedule: at global step k every layer, sources before targets, consumes input index
// k - input_offset (what each source sent `delay` steps ago) and emits spike index k - offset. The
// readout is complete after latency_steps.
//
// The loop cuts the schedule into chunks of global steps: within a chunk each layer does all of its
// steps before the next layer begins. A chunk of one step is the pipeline, in which all layers
// advance together; a chunk of all steps is layer after layer, which keeps a layer's weights and
// membranes in the cache. The answer is the same bits. Between two layers the loop looks for
// interruption and measures time; after a chunk it records, reads the readout and decides whether
// to go on.
//
//              chunk 0        chunk 1
//              steps 0 1 2    3 4 5       A chunk of 3 steps; the numbers say in which order.
//   encoder          1 2 3    10 11 12
//   layer 1          4 5 6    13 14 15
//   readout          7 8 9    16 17 18
//
// An engine implements what differs: the state of an image and the equations of a layer. The loop
// calls it once for each layer and chunk.
#ifndef CSSRUN_RUNTIME_ENGINE_ENGINE_H_
#define CSSRUN_RUNTIME_ENGINE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "cssrun/session.h"
#include "runtime/engine/input.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Belongs to one thread at a time, as a Session does.
class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs one image and overwrites `answer`. Errors: kCancelled, kTimedOut. Throws std::bad_alloc, and what
  // SessionOptions::on_reading throws. Overridden only to run the loop in threads of the engine's
  // own.
  virtual Status Run(const Input& input, Answer& answer);

 protected:
  // `network` must outlive the engine. A layer never does more than `longest_chunk` steps before
  // the next layer begins, whatever the options ask for.
  Engine(const LoadedNetwork& network, const SessionOptions& options, uint32_t longest_chunk);

  const LoadedNetwork& network_;

 private:
  // Brings all state to where it is before the first input, and takes the image, which lives until
  // the run ends.
  virtual void StartImage(const Input& input) = 0;
  // What `layer` does at input indices [first, last), which is not empty and lies below T, for
  // neurons below T + L; adds its spikes and SyOPs to `statistics`. Called with consecutive ranges
  // from 0 on.
  virtual void StepLayer(size_t layer, uint32_t first, uint32_t last,
                         LayerStatistics& statistics) = 0;
  // Of the readout, one a logit.
  virtual std::span<const float> Potentials() const = 0;
  // The spikes that a layer sent at spike index `index`, as Recording::spikes has them. Called once
  // the chunk of that step is done; `spikes` is 0 before.
  virtual void RecordSpikes(size_t layer, uint32_t index, std::span<int8_t> spikes) const = 0;
  // The membranes after input index `index`, as Recording::membranes has them; chunks are then of
  // one step. Called only where KeepsMembranes().
  virtual void RecordMembranes(size_t layer, uint32_t index, std::span<float> membranes) const = 0;

  void Record(uint32_t first, uint32_t last, Answer& answer) const;

  const SessionOptions options_;
  const uint32_t chunk_;
  Reading reading_;  // room for one
};

// The engine that `network` is laid out for. All buffers are allocated here. Throws std::bad_alloc.
std::unique_ptr<Engine> MakeEngine(const LoadedNetwork& network, const SessionOptions& options);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_ENGINE_H_
