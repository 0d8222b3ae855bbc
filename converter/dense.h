// Runs the ANN itself with oneDNN, for calibration and as the dense network that our benchmarks
// compare with.
//
// Convolutions choose their own (blocked) layouts, which the next convolution reads directly;
// weights are reordered once; Relu, Clip and residual sums are fused into the convolution before
// them; the memory of activations is reused after their last read. Convolution is direct, not
// Winograd, so that its arithmetic is the ANN's.
#ifndef CSSRUN_CONVERTER_DENSE_H_
#define CSSRUN_CONVERTER_DENSE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

struct DensePlan;

// Threads: a DenseNetwork belongs to one thread at a time. oneDNN is built with OpenMP on Debian
// and takes omp_get_max_threads() of the creating thread, which OMP_NUM_THREADS sets.
class DenseNetwork {
 public:
  // Prepares primitives for `batch` images at a time; weights are reordered once, here. The graph
  // must have gone through RunPasses() and FindUnsupported(); it is not needed afterwards.
  // Error: kBadModel naming a node that oneDNN cannot run.
  static Result<std::unique_ptr<DenseNetwork>> Create(const Graph& graph, int64_t batch);
  // Runs a plan from another builder, such as one in integers (bench/opponents/).
  explicit DenseNetwork(std::unique_ptr<DensePlan> plan);
  ~DenseNetwork();
  DenseNetwork(const DenseNetwork&) = delete;
  DenseNetwork& operator=(const DenseNetwork&) = delete;

  // Called for each watched value as soon as it is computed: activations in plain order
  // [batch, channels, rows, columns], valid during the call.
  using Observe = std::function<void(ValueId value, std::span<const float> activations)>;

  // images: [batch, channels, rows, columns], normalized. logits: [batch, classes]; of several
  // outputs all batches of the first one, then all of the second, as GraphOutput::value holds them.
  // Cost of a watched value: one copy. Error: kInvalidArgument for a wrong size, or a watched value
  // that was fused away (a Conv whose only reader is a Relu or an Add).
  Status Run(std::span<const float> images, std::span<float> logits, std::span<const ValueId> watch,
             const Observe& observe);

 private:
  std::unique_ptr<DensePlan> plan_;
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_DENSE_H_
