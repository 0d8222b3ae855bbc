// One pass over a graph that replaces nodes as it goes, in time linear in the graph's size.
#ifndef CSSRUN_CONVERTER_PASSES_SWEEP_H_
#define CSSRUN_CONVERTER_PASSES_SWEEP_H_

#include <cstddef>
#include <string>
#include <vector>

#include "converter/graph.h"

namespace cssrun::converter {

class Sweep {
 public:
  // `graph` must not get or lose nodes until Finish().
  explicit Sweep(Graph& graph);

  // Node `index` with its inputs up to date. Nodes must be visited in order.
  Node& Visit(size_t index);

  // The node that makes a value; null for the image, for constants and for what was replaced.
  Node* Producer(ValueId id);

  // True when one input of one node, or the graph's output, reads the value and nothing else does.
  bool OnlyReader(ValueId id) const { return uses_[static_cast<size_t>(id)] == 1; }
  bool IsRead(ValueId id) const { return uses_[static_cast<size_t>(id)] > 0; }

  // All readers of the node's first output read `by` instead, and the node is removed.
  void Replace(Node& node, ValueId by);

  // Redirects one input of a visited node.
  void SetInput(Node& node, size_t input, ValueId id);

  // Removes the replaced nodes.
  void Finish();

 private:
  ValueId Current(ValueId id) const;

  Graph& graph_;
  std::vector<int> uses_;             // by ValueId
  std::vector<ptrdiff_t> producer_;   // by ValueId; -1 for none
  std::vector<ValueId> replaced_by_;  // by ValueId; kNoValue for values that stay
};

void SetAttribute(Node& node, const std::string& name, AttributeValue value);

ValueId AddFloats(Graph& graph, std::string name, Shape shape, std::vector<float> values);
ValueId AddInts(Graph& graph, std::string name, std::vector<int64_t> values);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_SWEEP_H_
