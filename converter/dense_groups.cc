#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

// Decides which nodes of a graph run as one primitive.
class Grouping {
 public:
  explicit Grouping(const Graph& graph)
      : graph_(graph), only_reader_(graph.values.size(), kNone), taken_(graph.nodes.size(), false) {
    const std::vector<int> uses = graph.CountUses();
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const ValueId id : graph.nodes[i].inputs) {
        if (id != kNoValue && uses[static_cast<size_t>(id)] == 1) {
          only_reader_[static_cast<size_t>(id)] = i;
        }
      }
    }
  }

  // Returns the groups. Element i is the group whose last node is node i; it has no leader where
  // node i is not the last node of a group.
  std::vector<DenseGroup> Form() {
    const std::vector<size_t> sum_of = AssignSums();
    const size_t count = graph_.nodes.size();
    std::vector<DenseGroup> groups(count);
    for (size_t i = 0; i < count; ++i) {
      if (taken_[i]) continue;
      DenseGroup group;
      group.leader = &graph_.nodes[i];
      size_t last = i;
      if (sum_of[i] != kNone) {
        last = sum_of[i];
        group.sum = &graph_.nodes[last];
      }
      if (Runs<DenseLayer>(i) || Runs<DenseSum>(i)) {
        if (const size_t rectifier = Reader<DenseRectifier>(last); rectifier != kNone) {
          last = rectifier;
          group.rectifier = &graph_.nodes[last];
          taken_[last] = true;
        }
      }
      groups[last] = group;
    }
    return groups;
  }

 private:
  template <typename Way>
  bool Runs(size_t node) const {
    return std::holds_alternative<Way>(OperatorOf(graph_.nodes[node].op).dense);
  }

  // Returns the node that alone reads the output of node i, if it runs in this way.
  template <typename Way>
  size_t Reader(size_t i) const {
    const size_t found = only_reader_[static_cast<size_t>(graph_.nodes[i].outputs[0])];
    return found != kNone && Runs<Way>(found) ? found : kNone;
  }

  // Assigns sums to the layers that take them in. It goes backwards: where both sides of a sum are
  // layers, the later one takes it.
  std::vector<size_t> AssignSums() {
    std::vector<size_t> sum_of(graph_.nodes.size(), kNone);
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      if (!Runs<DenseLayer>(i)) continue;
      const size_t sum = Reader<DenseSum>(i);
      if (sum == kNone || taken_[sum]) continue;
      sum_of[i] = sum;
      taken_[sum] = true;
    }
    return sum_of;
  }

  const Graph& graph_;
  std::vector<size_t> only_reader_;  // by ValueId: the only node that reads it, or kNone
  std::vector<bool> taken_;          // by node: whether it runs in the group of an earlier node
};

}  // namespace

const Node& DenseGroup::last() const {
  return rectifier != nullptr ? *rectifier : sum != nullptr ? *sum : *leader;
}

std::vector<DenseGroup> FormDenseGroups(const Graph& graph) { return Grouping(graph).Form(); }

}  // namespace cssrun::converter
