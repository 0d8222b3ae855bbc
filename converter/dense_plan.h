// The dense network as a list of oneDNN calls; the private part of dense.h.
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

// A buffer of the arena and the layout in which an activation lies there.
struct DenseSlot {
  dnnl::memory::desc desc;
  size_t buffer = 0;
};

// One call of oneDNN; without a primitive, its DNNL_ARG_DST is filled with zeros.
struct DenseOperation {
  dnnl::primitive primitive;
  std::vector<std::pair<int, size_t>> slots;        // argument and slot
  std::unordered_map<int, dnnl::memory> arguments;  // weights, and the slots once they have memory
  std::vector<dnnl_exec_arg_t> handles;             // the same, as oneDNN's C interface takes them
  std::vector<ValueId> makes;  // values that can be observed after this operation
};

struct DensePlan {
  static constexpr size_t kInputBuffer = 0;  // stands for the caller's images; never written to

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::vector<dnnl::memory> buffers;  // activations use them one after another
  std::vector<DenseSlot> slots;
  std::vector<DenseOperation> operations;
  std::vector<ValueId> inputs;       // the image, and outputs of Flatten that share its memory
  size_t input_size = 0;             // floats in a batch
  size_t output_size = 0;            // floats of all outputs in a batch
  std::vector<size_t> output_slots;  // in plain order, by output of the graph
  // Where a value can be observed, by ValueId; nothing for constants and for values that were fused
  // away.
  std::vector<std::optional<size_t>> observable;
  std::vector<std::string> names;  // by ValueId
};

// Returns a contiguous description, the last dimension fastest.
dnnl::memory::desc PlainDesc(const dnnl::memory::dims& dims,
                             dnnl::memory::data_type type = dnnl::memory::data_type::f32);

Result<std::unique_ptr<DensePlan>> BuildDensePlan(const Graph& graph, int64_t batch);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_DENSE_PLAN_H_
