// The kernels of a step with their inputs and the functions of this machine, which are looked up
// once a layer and step and called once a row. Part of step.cc; references stay valid for the step.
#ifndef CSSRUN_RUNTIME_INTEGER_BOUND_KERNEL_H_
#define CSSRUN_RUNTIME_INTEGER_BOUND_KERNEL_H_

#include <cstddef>
#include <variant>

#include "runtime/integer/kernels/list.h"
#include "runtime/integer/step.h"

namespace cssrun::internal {

// A kernel with its input and its functions for this machine. Shortcuts of levels have none:
// FloatInputs() adds them.
template <class K, KernelRole kRole = K::kTraits.role>
struct BoundKernel {};

template <class K>
struct BoundKernel<K, KernelRole::kAddsSpikes> {
  const K* kernel = nullptr;
  EventInput input;
  EventFunctions<K> functions;

  void Prepare(const EventTarget& target) { functions.prepare(*kernel, input, target); }
  void AddRow(const EventTarget& target, size_t row) {
    functions.add_row(*kernel, input, target, row);
  }
};

template <class K>
struct BoundKernel<K, KernelRole::kSumsLevels> {
  const K* kernel = nullptr;
  const LevelFrame* levels = nullptr;
  void (*sum)(const K& kernel, const LevelFrame& levels, const LevelTarget& target,
              size_t row) = nullptr;
  SumMode mode = SumMode::kJoin;
};
template <class K>
using BoundLevels = BoundKernel<K, KernelRole::kSumsLevels>;

// Any kernel, or nothing to do row by row.
template <class>
struct BoundOf;
template <class... K>
struct BoundOf<std::variant<K...>> {
  using Type = std::variant<std::monostate, BoundKernel<K>...>;
};
using Bound = BoundOf<Kernel>::Type;

// Nothing for kernels that read levels: an event step does not run them.
inline Bound BindEvents(const IntegerSynapses& synapses, const SynapseInput& input) {
  return std::visit(
      [&]<class K>(const K& kernel) -> Bound {
        if constexpr (K::kTraits.role == KernelRole::kAddsSpikes) {
          return BoundKernel<K>{
              &kernel, {.spikes = input.spikes, .lists = input.lists}, Resolve(kernel)};
        } else {
          return {};
        }
      },
      synapses.kernel);
}

// Nothing for kernels that sum no levels.
inline Bound BindLevels(const IntegerSynapses& synapses, const SynapseInput& input, SumMode mode) {
  return std::visit(
      [&]<class K>(const K& kernel) -> Bound {
        if constexpr (K::kTraits.sums_levels()) {
          return BoundKernel<K>{&kernel, input.levels, Resolve(kernel), mode};
        } else {
          return {};
        }
      },
      synapses.kernel);
}

// Calls function(kernel) where an event kernel is bound.
template <class Function>
void WithEventKernel(Bound& bound, const Function& function) {
  std::visit(
      [&](auto& kernel) {
        if constexpr (requires { kernel.functions; }) function(kernel);
      },
      bound);
}
// Calls function(kernel) where a kernel that sums levels is bound.
template <class Function>
void WithLevels(const Bound& bound, const Function& function) {
  std::visit(
      [&](const auto& kernel) {
        if constexpr (requires { kernel.mode; }) function(kernel);
      },
      bound);
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_BOUND_KERNEL_H_
