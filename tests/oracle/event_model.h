// A small spiking network as a chain of NIR nodes, and what it does, step by step: dense, in double
// precision, neuron after neuron, sharing no code with the converter or the runtime.
//
// Weights are small multiples of a power of two, so that sums are exact and their order is free.
// All else is as docs/events.md says, operation by operation.
#ifndef CSSRUN_TESTS_ORACLE_EVENT_MODEL_H_
#define CSSRUN_TESTS_ORACLE_EVENT_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cssrun::oracle {

struct Map {
  size_t channels = 1;
  size_t height = 1;
  size_t width = 1;
  size_t size() const { return channels * height * width; }
};

enum class EventOp {
  kConv,      // Conv2d
  kDense,     // Affine
  kSumPool,   // SumPool2d
  kAvgPool,   // AvgPool2d
  kFlatten,   //
  kScale,     // Scale
  kIf,        // these have neurons
  kLif,       //
  kCuba,      // CubaLIF
  kLi,        //
  kThreshold  //
};

struct EventModelNode {
  bool has_neurons() const { return op >= EventOp::kIf; }

  EventOp op = EventOp::kConv;
  Map from;
  Map to;
  // Linear operations.
  size_t kernel_y = 1, kernel_x = 1, stride_y = 1, stride_x = 1, pad_y = 0, pad_x = 0;
  size_t dilation_y = 1, dilation_x = 1, groups = 1;
  std::vector<double> weights;  // of a scale: one, or one per neuron of `to`
  std::vector<double> bias;     // per channel, or none
  // Neurons: one for each of `to`.
  std::vector<double> tau, r, v_leak, threshold, v_reset;
  std::vector<double> tau_syn, w_in;  // of kCuba
  // Through which their spikes come back to them, a step later: a linear operation, or none.
  std::vector<EventModelNode> back;
};

enum class ModelReset { kSubtract, kZero, kValue };

struct EventModel {
  Map input;
  std::vector<EventModelNode> nodes;
  // The reading.
  double dt = 1;
  ModelReset reset = ModelReset::kSubtract;
  bool several = false;
  bool floor_at_threshold = false;
};

// The state of a run. Layers are the nodes that have neurons.
class EventReference {
 public:
  explicit EventReference(const EventModel& model);

  // One step with these values at the inputs.
  void Step(const std::vector<double>& input);

  const std::vector<double>& potentials(size_t layer) const { return potentials_[layer]; }
  // Spikes of each neuron so far.
  const std::vector<uint64_t>& counts(size_t layer) const { return counts_[layer]; }
  // Spikes of the last step.
  const std::vector<double>& spikes(size_t layer) const { return spikes_[layer]; }
  size_t layers() const { return potentials_.size(); }

 private:
  void Fire(const EventModelNode& node, size_t layer, const std::vector<double>& x,
            const std::vector<double>& bias);

  const EventModel& model_;
  std::vector<std::vector<double>> potentials_;
  std::vector<std::vector<double>> currents_;
  std::vector<std::vector<double>> spikes_;
  std::vector<std::vector<uint64_t>> counts_;
};

// A random chain of the operations above that ends with neurons. Every seed another.
EventModel RandomEventModel(uint32_t seed);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_EVENT_MODEL_H_
