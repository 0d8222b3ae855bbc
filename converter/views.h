// Values whose elements lie in another value, in another order: what FollowAddresses() knows of a
// graph while it rewrites it, and what the operators' follow functions work with.
//
//     value   [1, 2, 2, 3]  a Transpose made it: [batch, rows, columns, channels]
//     base    [1, 3, 2, 2]  a Conv made it: [batch, channels, rows, columns]
//     element 0 of the value is element 0 of the base (channel 0 of pixel 0),
//     element 1 is element 4 (channel 1 of pixel 0), element 2 is element 8, element 3 is element 1
#ifndef CSSRUN_CONVERTER_VIEWS_H_
#define CSSRUN_CONVERTER_VIEWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "converter/graph.h"

namespace cssrun::converter {

using Elements = std::vector<int64_t>;

// A value whose element i is element elements[i] of `base`.
struct View {
  ValueId base = kNoValue;
  Elements elements;
};

// Returns 0, 1, 2, ... count - 1.
Elements Iota(int64_t count);
bool IsIdentity(const Elements& elements);
// Returns whether `channels` are 0 ... count - 1 in any order.
bool IsPermutation(std::vector<int64_t> channels, int64_t count);

class Views {
 public:
  explicit Views(Graph& graph) : graph_(graph) {}

  Graph& graph() { return graph_; }
  const Shape& ShapeOf(ValueId id) const { return graph_.value(id).shape; }
  bool IsActivation(ValueId id) const {
    return id != kNoValue && graph_.value(id).constant == nullptr;
  }

  // Returns null for a value that is not a view.
  const View* ViewOf(ValueId id) const;
  // Returns the view of an activation, or a view of itself; nothing when it is not a single vector
  // or map.
  std::optional<View> Look(ValueId id) const;

  // Returns the views of all inputs; nothing unless all are views of maps or all of vectors, or
  // such themselves, and one is moved.
  std::optional<std::vector<View>> LookAll(const Node& node) const;

  // Declares that the node's output is this view. Returns true, which follow functions return as
  // well.
  bool Set(const Node& node, View view);
  void Set(ValueId id, View view) { views_[id] = std::move(view); }

  // Adds a copy of `node` that reads `inputs`, and makes a new value of this shape.
  ValueId Emit(Node node, std::vector<ValueId> inputs, Shape shape);
  ValueId EmitFlatten(const std::string& name, ValueId from);

  // Returns the base's channel for each channel of a view that moves channels only; else nothing.
  std::optional<std::vector<int64_t>> ChannelsOf(const View& view, const Shape& shape) const;
  // Returns a view with the same channels of a base of another size.
  View MoveChannels(ValueId base, const std::vector<int64_t>& channels) const;
  // Returns whether the view is [1, rows, columns, channels] of its base.
  bool IsChannelsLast(const View& view, const Shape& shape) const;

  // Makes a view move channels only, if it reads every n-th row and column of its base, or spreads
  // a position's channels over a block of positions: Slices and a Concat, or a Deconvolution, then
  // compute its base. Returns whether the view has become another.
  bool Settle(ValueId id);

  // Returns a value equal to the view `id` that no Transpose makes; kNoValue when there is none.
  ValueId Unmoved(ValueId id);

 private:
  bool SettleBySlices(ValueId id, const View& view);
  bool SettleByBlocks(ValueId id, const View& view);

  Graph& graph_;
  std::unordered_map<ValueId, View> views_;
};

// The limit keeps the tables of a hostile file from filling the memory.
constexpr int64_t kMostViewedElements = int64_t{1} << 26;

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_VIEWS_H_
