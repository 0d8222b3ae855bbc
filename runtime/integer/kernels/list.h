// The kernels of the integer engine. This is the only place outside its folder where a kernel is
// named; kernel_traits.h says what it has to offer.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LIST_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LIST_H_

#include <type_traits>
#include <variant>

#include "runtime/integer/kernels/depthwise/depthwise.h"
#include "runtime/integer/kernels/event_shortcut/event_shortcut.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"
#include "runtime/integer/kernels/level_shortcut/level_shortcut.h"
#include "runtime/integer/kernels/row_scatter/row_scatter.h"
#include "runtime/integer/kernels/tile_gather/tile_gather.h"

namespace cssrun::internal {

// In order of preference: synapses go to the first kernel that takes them. TileGather takes all.
using Kernel = std::variant<LevelShortcut, EventShortcut, LevelDepthwise, LevelConv, Depthwise,
                            RowScatter, TileGather>;

// Which kernel, while there is none yet: std::type_identity<K> for each K of Kernel.
template <class>
struct KindsOf;
template <class... K>
struct KindsOf<std::variant<K...>> {
  using Type = std::variant<std::type_identity<K>...>;
};
using KernelKind = KindsOf<Kernel>::Type;

template <class K>
constexpr bool IsKind(const KernelKind& kind) {
  return std::holds_alternative<std::type_identity<K>>(kind);
}

inline const KernelTraits& TraitsOf(const KernelKind& kind) {
  return std::visit(
      []<class K>(std::type_identity<K>) -> auto& { return K::kTraits; }, kind);
}
inline const KernelTraits& TraitsOf(const Kernel& kernel) {
  return std::visit(
      []<class K>(const K&) -> auto& { return K::kTraits; }, kernel);
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LIST_H_
