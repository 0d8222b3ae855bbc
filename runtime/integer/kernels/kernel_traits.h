// What every kernel tells the rest of the integer engine about itself.
//
// A kernel is a struct that holds the weights of one layer from one source, laid out for one way of
// adding. Its folder has all code about it, and list.h names it; the rest follows from these
// members:
//
//     static constexpr KernelTraits kTraits = {...};
//     // Whether the kernel can add what arrives by `connection`, and is worth it.
//     static bool Takes(const Connection& connection, const TargetLayer& target);
//     // Nothing, with the reason, if the weights do not fit. Throws std::bad_alloc.
//     static std::optional<K> Build(const KernelRequest& request, std::string& reason);
//     // `target`: the layout of the layer's membranes.
//     StoredWeights Stored(const LaneLayout& target) const;
//
// and from a function Resolve(const K&), which looks up the kernel's code for this machine:
//
//     KernelRole::kAddsSpikes    EventFunctions<K>, see event_kernel.h
//     KernelRole::kSumsLevels    void (*)(const K&, const LevelFrame&, const LevelTarget&,
//                                size_t row), see LevelTarget; the struct has a `float_scale`
//     KernelRole::kAddsLevels    none: step.cc reads the struct
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_KERNEL_TRAITS_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_KERNEL_TRAITS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/integer/kernels/weights.h"

namespace cssrun::internal {

struct Connection;
struct TargetLayer;
struct MembraneLayout;

enum class KernelRole : uint8_t {
  kAddsSpikes,  // adds the spikes of each step to membranes: an event kernel
  kSumsLevels,  // multiplies the levels of all steps by weights: a level kernel
  kAddsLevels,  // adds levels to the potentials of a settled layer, in float
};

struct KernelTraits {
  std::string_view name;  // of the kernel's folder
  KernelRole role = KernelRole::kAddsSpikes;
  // Nothing: wide where the layer has few weights, else narrow. Irrelevant to weights in float.
  std::optional<WeightWidth> width = {};
  // The expected time of one of SynapsesPlan::operations; nothing: of a product of bytes. Both are
  // explained, and corrected for the machine, in cost.cc.
  std::optional<double> nanoseconds = {};
  // A spike takes whole lines of lanes, even where it reaches one channel of a position.
  bool takes_lines = false;

  constexpr bool sums_levels() const { return role == KernelRole::kSumsLevels; }
  constexpr bool reads_levels() const { return role != KernelRole::kAddsSpikes; }
};

// What a kernel is built from.
struct KernelRequest {
  const Connection& connection;
  const TargetLayer& target;
  const MembraneLayout& membranes;  // of the target
  std::span<const double> scales;   // units per amplitude, by target channel
  WeightWidth width;
};

// Weights as laid out in memory, with padding and repetitions.
struct StoredWeights {
  WeightType type = WeightType::kInt8;
  uint64_t count = 0;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_KERNEL_TRAITS_H_
