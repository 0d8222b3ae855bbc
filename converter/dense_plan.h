// The dense network as a list of oneDNN calls; the private half of dense.h.
#ifndef CSSRUN_CONVERTER_DENSE_PLAN_H_
#define CSSRUN_CONVERTER_DENSE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// One way in which an activation lies in a buffer of the arena.
struct DenseSlot {
  dnnl::memory::desc desc;
  size_t buffer = 0;
};

// One call of oneDNN; without a primitive, its DNNL_ARG_DST is filled with zeros.
struct DenseOperation {
  dnnl::primitive primitive;
  std::vector<std::pair<int, size_t>> slots;        // argument and slot
  std::unordered_map<int, dnnl::memory> arguments;  // weights, and the slots once they have memory
  std::vector<ValueId> makes;                       // what can be observed afterwards
};

struct DensePlan {
  static constexpr size_t kInputBuffer = 0;  // stands for the caller's images; never written to

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::vector<dnnl::memory> buffers;  // that activations use one after another
  std::vector<DenseSlot> slots;
  std::vector<DenseOperation> operations;
  std::vector<ValueId> inputs;  // the image, and what Flatten makes of it
  size_t input_size = 0;        // floats in a batch
  size_t output_size = 0;
  size_t output_slot = 0;  // plain order
  // By ValueId: where a value can be observed; nothing for constants and what was fused away.
  std::vector<std::optional<size_t>> observable;
  std::vector<std::string> names;  // by ValueId
};

// Contiguous, the last dimension fastest.
dnnl::memory::desc PlainDesc(const dnnl::memory::dims& dims);

Result<std::unique_ptr<DensePlan>> BuildDensePlan(const Graph& graph, int64_t batch);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_DENSE_PLAN_H_
