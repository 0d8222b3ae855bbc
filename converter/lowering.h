// Turns the graph into spikes node by node. This class holds the forms of the graph's values and
// the neurons made so far. The operators' lower functions (operators/) work with it; spiking.h
// explains forms.
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
  std::string name;  // of the ANN node that computed the value
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
bool IsRepeated(const SpikingSynapses& term);
// Returns whether the term passes on the source's spikes without a mean, repetition, stride or
// padding.
bool IsPlain(const SpikingSynapses& term);

// Returns the extent of a shape [batch, channels, rows, columns].
format::Extent ExtentOf(const Shape& shape);
// Returns the extent of a map after a window has passed over it.
format::Extent Through(const format::Window& window, const format::Extent& from, uint32_t channels);
// Returns one window that covers a whole map. A flattened form is still a map, although its value's
// shape is not.
format::Window WholeForm(const format::Extent& extent);

class Lowering {
 public:
  // Begins with the encoder as first node, and the image as its form. `graph` must outlive the
  // object.
  explicit Lowering(const Graph& graph);

  const Graph& graph() const { return graph_; }
  Form& FormOf(ValueId id) { return forms_[static_cast<size_t>(id)]; }
  void SetForm(const Node& node, Form form) { FormOf(node.outputs[0]) = std::move(form); }
  bool OnlyReader(ValueId id) const { return uses_[static_cast<size_t>(id)] == 1; }
  SpikingNode& NodeAt(size_t index) { return network_.nodes[index]; }

  size_t IndexOf(const SpikingNode& node) const {
    return static_cast<size_t>(&node - network_.nodes.data());
  }
  // Returns the form of everything that a node sends.
  Form IdentityOf(size_t index) const;
  // Returns the neurons that represent only this value and that no other node reads, or null. Such
  // neurons may absorb the rectifier or pool that follows them.
  SpikingNode* OwnNeurons(ValueId id);

  // Ends a form with neurons that have its potentials and stand for the ANN's `value`. The new node
  // is the last one.
  Form MakeNeurons(Form form, ValueId value, bool rectify);
  SpikingNode& LastNode() { return network_.nodes.back(); }
  // Returns the form of `id`. If it does not satisfy `fits`, signed neurons are put in between.
  template <typename Predicate>
  const Form& Fitting(ValueId id, const Predicate& fits) {
    Form& form = FormOf(id);
    if (!fits(form)) form = MakeNeurons(std::move(form), id, false);
    return form;
  }

  // Multiplies a form by one number, or by one for each of its channels.
  void ScaleForm(const std::vector<double>& numbers, Form& form) const;

  // Returns whether an identity term of a form of `channels` channels stays correct when the form
  // becomes channels `first` to first + channels - 1 of a form of `total` channels. A slice does
  // not: its term sends all of the source's channels, and only the slice's own extent cuts off the
  // others.
  bool StaysWithin(const SpikingSynapses& term, int64_t first, int64_t channels,
                   int64_t total) const;

  void CountMacs(uint64_t macs) { network_.macs += macs; }

  // Returns the network, once all nodes are lowered: its last nodes are the readouts, one for each
  // output of the graph.
  SpikingNetwork Finish();

 private:
  // Returns a form's terms as synapses of neurons with its extent.
  std::vector<SpikingSynapses> SynapsesOf(Form& form) const;
  // Returns the node whose spikes, all of them and unchanged, are this form; null if there is none.
  SpikingNode* OnlySource(const Form& form);

  const Graph& graph_;
  const std::vector<int> uses_;
  std::vector<Form> forms_;  // by ValueId
  SpikingNetwork network_;
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_LOWERING_H_
