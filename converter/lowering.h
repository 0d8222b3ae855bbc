// The graph as it is turned into spikes, node by node: the forms of its values and the neurons made
// so far. The operators' lower functions (operators/) work with this class; spiking.h says what a
// form is for.
#ifndef CSSRUN_CONVERTER_LOWERING_H_
#define CSSRUN_CONVERTER_LOWERING_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "converter/graph.h"
#include "converter/spiking.h"
#include "cssrun/status.h"
#include "network_generated.h"

namespace cssrun::converter {

// A value of the ANN as synapses from spiking nodes plus a bias.
struct Form {
  std::string name;  // of the ANN node that made it
  format::Extent extent;
  std::vector<SpikingSynapses> terms;
  std::vector<double> bias;  // one per channel

  bool HasBias() const;
  // True when every term satisfies `predicate`.
  template <typename Predicate>
  bool AllTerms(const Predicate& predicate) const {
    return std::all_of(terms.begin(), terms.end(), predicate);
  }
};

bool IsUnit(const format::Window& window);
bool HasPadding(const format::Window& window);
bool IsIdentityTerm(const SpikingSynapses& term);
// The term hands on the source's spikes where they are: no mean, stride or padding.
bool IsPlain(const SpikingSynapses& term);

// A shape [batch, channels, rows, columns].
format::Extent ExtentOf(const Shape& shape);
// What a window makes of a map.
format::Extent Through(const format::Window& window, const format::Extent& from, uint32_t channels);
// One window that covers a whole map. A flattened form is still a map, unlike its value's shape.
format::Window WholeForm(const format::Extent& extent);

class Lowering {
 public:
  // `graph` must outlive it. The encoder is the first node, and the image its form.
  explicit Lowering(const Graph& graph);

  const Graph& graph() const { return graph_; }
  Form& FormOf(ValueId id) { return forms_[static_cast<size_t>(id)]; }
  void SetForm(const Node& node, Form form) { FormOf(node.outputs[0]) = std::move(form); }
  bool OnlyReader(ValueId id) const { return uses_[static_cast<size_t>(id)] == 1; }
  SpikingNode& NodeAt(size_t index) { return network_.nodes[index]; }

  size_t IndexOf(const SpikingNode& node) const {
    return static_cast<size_t>(&node - network_.nodes.data());
  }
  // The form of everything that a node sends.
  Form IdentityOf(size_t index) const;
  // The neurons that stand for this value alone, and for nothing that another node reads; null if
  // there are none. They may take over what follows them: a rectifier, a pool.
  SpikingNode* OwnNeurons(ValueId id);

  // Ends a form: neurons with its potentials, which stand for the ANN's `value`. The new node is
  // the last one.
  Form MakeNeurons(Form form, ValueId value, bool rectify);
  SpikingNode& LastNode() { return network_.nodes.back(); }
  // The form of `id`, through signed neurons unless it already satisfies `fits`.
  template <typename Predicate>
  const Form& Fitting(ValueId id, const Predicate& fits) {
    Form& form = FormOf(id);
    if (!fits(form)) form = MakeNeurons(std::move(form), id, false);
    return form;
  }

  void CountMacs(uint64_t macs) { network_.macs += macs; }

  // Once all nodes are lowered. Error: the output is not one vector.
  Result<SpikingNetwork> Finish();

 private:
  // The node whose spikes, all and unchanged, are this form; null if it is anything else.
  SpikingNode* OnlySource(const Form& form);

  const Graph& graph_;
  const std::vector<int> uses_;
  std::vector<Form> forms_;  // by ValueId
  SpikingNetwork network_;
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_LOWERING_H_
