// Runs images through a loaded network: the run loop that all engines share.
//
// The schedule: at global step k every layer, sources before targets, consumes input index k -
// input_offset, which each source sent `delay` steps ago, and sends spike index k - offset. The
// readout is complete after latency_steps.
//
// The loop cuts the schedule into chunks of global steps: within a chunk each layer does all of its
// steps before the next layer begins. A chunk of one step is the pipeline, in which all layers
// advance together. A chunk of all steps finishes one layer after another, which keeps a layer's
// weights and membranes in the cache. The answer has the same bits for every size of chunk. Between
// two layers the loop checks for an interruption and measures time; after a chunk it records, reads
// the readout and decides whether to go on.
//
// A run of 6 steps in chunks of 3; the numbers are the order in which the work is done:
//
//              chunk 0        chunk 1
//              steps 0 1 2    3 4 5
//   encoder          1 2 3    10 11 12
//   layer 1          4 5 6    13 14 15
//   readout          7 8 9    16 17 18
//
// An engine implements what differs: the state of an image and the equations of a layer. The loop
// calls StepLayer() once for each layer and chunk.
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

// Threads: like a Session, an engine belongs to one thread at a time.
class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs one image and overwrites `answer`. `input` has the network's size. Errors: kCancelled,
  // kTimedOut. Throws std::bad_alloc, and whatever SessionOptions::on_reading throws. Engines
  // override it only to run the loop inside their own thread arena.
  virtual Status Run(const Input& input, Answer& answer) { return RunLoop(input, answer); }

 protected:
  // `network` must outlive the engine. No chunk is longer than `longest_chunk` steps (at least 1),
  // whatever the options ask for.
  Engine(const LoadedNetwork& network, const SessionOptions& options, uint32_t longest_chunk);

  // Run(), on the calling thread's arena.
  Status RunLoop(const Input& input, Answer& answer);
  // Copies the potentials of all readouts, one after another, in the order of the outputs.
  void CopyOutputs(std::vector<float>& potentials);

  const LoadedNetwork& network_;
  // Whether anybody sees the spikes and SyOPs of `statistics`; an engine may leave them out if not.
  const bool counts_work_;

 private:
  // Resets all state to that before the first input, and takes the image. `input` lives until the
  // run ends.
  virtual void StartImage(const Input& input) = 0;
  // Does the steps of `layer` at input indices [first, last), and adds its spikes and SyOPs to
  // `statistics`. The range is not empty; last is at most T, for neurons T + L. Calls for one layer
  // have consecutive ranges that begin at 0.
  virtual void StepLayer(size_t layer, uint32_t first, uint32_t last,
                         LayerStatistics& statistics) = 0;
  // Copies the potentials of a readout after the steps done so far, [channel][row][column].
  virtual void CopyPotentials(size_t layer, std::span<float> potentials) const = 0;
  // Copies the spikes that a layer sent at spike index `index` to `spikes`, one neuron each in the
  // order of Recording::spikes, all 0 before. Called after the chunk of that step.
  virtual void RecordSpikes(size_t layer, uint32_t index, std::span<int8_t> spikes) const = 0;
  // Copies the membranes after input index `index`, in the order and unit of Recording::membranes.
  // Called only where KeepsMembranes(), after each step: chunks then have one step.
  virtual void RecordMembranes(size_t layer, uint32_t index, std::span<float> membranes) const = 0;

  void Record(uint32_t first, uint32_t last, Answer& answer) const;

  const SessionOptions options_;
  const uint32_t chunk_;
  LayerStatistics unseen_;         // scratch where nobody sees them
  Reading reading_;                // scratch for SessionOptions::on_reading
  std::vector<float> potentials_;  // scratch for readings, in the order of the outputs
  std::vector<float> neurons_;     // scratch: the potentials of a readout that has another order
};

// Makes the engine that `network` is laid out for, and allocates its buffers. `network` must
// outlive it. Throws std::bad_alloc.
std::unique_ptr<Engine> MakeEngine(const LoadedNetwork& network, const SessionOptions& options);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_ENGINE_H_
