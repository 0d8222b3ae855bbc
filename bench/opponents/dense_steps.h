// A chain of spiking layers run densely, step by step, as snnTorch and its like do it on a CPU:
// each layer is a convolution of oneDNN, in float or in 8 bits, and a loop over all of its neurons.
#ifndef CSSRUN_BENCH_OPPONENTS_DENSE_STEPS_H_
#define CSSRUN_BENCH_OPPONENTS_DENSE_STEPS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cssrun/event_session.h"
#include "cssrun/status.h"
#include "network_generated.h"

namespace cssrun::bench {

class DenseSteps {
 public:
  // Error: kInvalidArgument for other networks than chains of layers that do not leak, whose
  // thresholds are the same within each layer, and that subtract them.
  static Result<DenseSteps> Make(const format::EventNetwork& network, bool int8);
  DenseSteps(DenseSteps&&) noexcept;
  ~DenseSteps();

  // All potentials and counts to 0.
  void Reset();
  // One step with these events.
  void Step(std::span<const TimedEvent> events);
  // Spikes of each neuron of the last layer.
  std::vector<uint64_t> Counts() const;

 private:
  struct Chain;
  explicit DenseSteps(std::unique_ptr<Chain> chain);

  std::unique_ptr<Chain> chain_;
};

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_OPPONENTS_DENSE_STEPS_H_
