#include "converter/dense.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "converter/dense_plan.h"
#include "converter/out_of_memory.h"

namespace cssrun::converter {
namespace {

// Returns a slot's activations in plain order; `scratch` receives them if the slot has another
// order.
std::span<const float> Plain(DensePlan& plan, const DenseSlot& slot, std::vector<float>& scratch) {
  const dnnl::memory& buffer = plan.buffers[slot.buffer];
  const dnnl::memory::desc plain = PlainDesc(slot.desc.dims());
  const size_t count = plain.get_size() / sizeof(float);
  if (slot.desc == plain) return {static_cast<const float*>(buffer.get_data_handle()), count};
  scratch.resize(count);
  dnnl::memory from(slot.desc, plan.engine, buffer.get_data_handle());
  dnnl::memory to(plain, plan.engine, scratch.data());
  // oneDNN caches compiled primitives, so that making the reorder again costs little.
  dnnl::reorder(from, to).execute(plan.stream, from, to);
  plan.stream.wait();
  return scratch;
}

// Points every argument that reads the input at the caller's images.
void SetInput(DensePlan& plan, std::span<const float> images) {
  // oneDNN has no type for read-only memory; nothing writes to the input's buffer.
  auto* data = const_cast<float*>(images.data());
  plan.buffers[DensePlan::kInputBuffer].set_data_handle(data);
  for (DenseOperation& operation : plan.operations) {
    for (const auto& [argument, slot] : operation.slots) {
      if (plan.slots[slot].buffer == DensePlan::kInputBuffer) {
        operation.arguments.at(argument).set_data_handle(data);
      }
    }
  }
}

void Execute(DensePlan& plan, const DenseOperation& operation) {
  if (operation.primitive) {
    // The C++ interface would make the list of arguments anew each time.
    dnnl::error::wrap_c_api(dnnl_primitive_execute(operation.primitive.get(), plan.stream.get(),
                                                   static_cast<int>(operation.handles.size()),
                                                   operation.handles.data()),
                            "could not execute a primitive");
    return;
  }
  const dnnl::memory& output = operation.arguments.at(DNNL_ARG_DST);
  std::memset(output.get_data_handle(), 0, output.get_desc().get_size());
}

}  // namespace

DenseNetwork::DenseNetwork(std::unique_ptr<DensePlan> plan) : plan_(std::move(plan)) {}
DenseNetwork::~DenseNetwork() = default;

Result<std::unique_ptr<DenseNetwork>> DenseNetwork::Create(const Graph& graph, int64_t batch) {
  Result<std::unique_ptr<DensePlan>> plan = BuildDensePlan(graph, batch);
  if (!plan.ok()) return plan.status();
  return std::make_unique<DenseNetwork>(std::move(plan).value());
}

Status DenseNetwork::Run(std::span<const float> images, std::span<float> logits,
                         std::span<const ValueId> watch, const Observe& observe) {
  DensePlan& plan = *plan_;
  if (images.size() != plan.input_size || logits.size() != plan.output_size) {
    return Status::InvalidArgument("the dense network takes " + std::to_string(plan.input_size) +
                                   " numbers and gives " + std::to_string(plan.output_size) +
                                   ", not " + std::to_string(images.size()) + " and " +
                                   std::to_string(logits.size()));
  }
  std::vector<bool> watched(plan.observable.size(), false);
  for (const ValueId id : watch) {
    const auto index = static_cast<size_t>(id);
    if (id < 0 || index >= watched.size() || !plan.observable[index].has_value()) {
      return Status::InvalidArgument(
          "the dense network does not keep the value " +
          (id < 0 || index >= watched.size() ? std::to_string(id) : plan.names[index]));
    }
    watched[index] = true;
  }
  try {
    std::vector<float> scratch;
    SetInput(plan, images);
    for (const ValueId id : plan.inputs) {
      if (watched[static_cast<size_t>(id)]) observe(id, images);
    }
    for (const DenseOperation& operation : plan.operations) {
      Execute(plan, operation);
      for (const ValueId id : operation.makes) {
        const auto index = static_cast<size_t>(id);
        if (!watched[index]) continue;
        plan.stream.wait();
        observe(id, Plain(plan, plan.slots[*plan.observable[index]], scratch));
      }
    }
    plan.stream.wait();
    auto end = logits.begin();
    for (const size_t slot : plan.output_slots) {
      const std::span<const float> output = Plain(plan, plan.slots[slot], scratch);
      end = std::copy(output.begin(), output.end(), end);
    }
    return Status::Ok();
  } catch (const std::exception& error) {
    if (MeansOutOfMemory(error)) return Status::OutOfMemory();
    return Status::BadModel(std::string("the dense network failed: ") + error.what());
  }
}

}  // namespace cssrun::converter
