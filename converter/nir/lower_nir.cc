#include "converter/nir/lower_nir.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "converter/nir/flow.h"
#include "converter/nir/linear.h"
#include "converter/nir/neurons.h"
#include "fmt/format.h"
#include "format/geometry.h"

namespace cssrun::converter {
namespace {

using format::EventSending;

struct Unsupported {
  std::string name;
  std::string type;
  NirProblem problem;
};

std::string FormatTable(const std::vector<Unsupported>& nodes) {
  std::vector<std::array<std::string, 4>> rows = {{"NODE", "TYPE", "REASON", "WHAT TO DO"}};
  for (const Unsupported& node : nodes) {
    rows.push_back({node.name, node.type, node.problem.reason, node.problem.remedy});
  }
  std::array<size_t, 4> widths = {};
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths.at(i) = std::max(widths.at(i), row.at(i).size());
  }
  std::string text =
      fmt::format("{} node{} cannot be converted", nodes.size(), nodes.size() == 1 ? "" : "s");
  for (const auto& row : rows) {
    text += fmt::format("\n{:<{}}  {:<{}}  {:<{}}  {}", row[0], widths[0], row[1], widths[1],
                        row[2], widths[2], row[3]);
  }
  return text;
}

class Lowering {
 public:
  Lowering(const NirGraph& graph, const NirReading& reading, const NetworkLimits& limits)
      : graph_(graph),
        reading_(reading),
        limits_(limits),
        before_(graph.nodes.size()),
        flows_(graph.nodes.size()),
        opened_(graph.nodes.size()),
        done_(graph.nodes.size(), false) {
    for (const auto& [from, to] : graph.edges) before_[to].push_back(from);
  }

  Result<std::unique_ptr<format::EventNetworkT>> Run() {
    network_->step_seconds = reading_.step_seconds;
    network_->assumptions = reading_.assumptions;
    FindUnknownTypes();
    while (std::optional<size_t> next = NextNode()) Lower(*next);
    if (problems_.empty() && !has_output_) {
      return Status::BadModel("its output depends on nothing; export the model again");
    }
    if (!problems_.empty()) return Status::BadModel(FormatTable(problems_));
    return std::move(network_);
  }

 private:
  void Report(const NirNode& node, NirProblem problem) {
    problems_.push_back({node.name, node.type, std::move(problem)});
  }

  // All nodes that are of no known type, those included that a problem hides from the walk.
  void FindUnknownTypes() {
    static const std::set<std::string> kOthers = {"Input",   "Output", "Affine",    "Linear",
                                                  "Conv1d",  "Conv2d", "SumPool2d", "AvgPool2d",
                                                  "Flatten", "Scale",  kNirPass};
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const NirNode& node = graph_.nodes[i];
      if (kOthers.contains(node.type) || HasNeurons(node.type)) continue;
      Report(node, {"nodes of this type are not read",
                    "replace it in the model; docs/events.md lists what is read"});
      done_[i] = true;
    }
  }

  bool IsReady(size_t node) const {
    return std::all_of(before_[node].begin(), before_[node].end(),
                       [&](size_t from) { return done_[from] || opened_[from].has_value(); });
  }

  // A node all of whose sources are known. In a loop, neurons begin before their sources: these
  // reach them one step later.
  std::optional<size_t> NextNode() {
    if (const auto ready = ReadyNode(false); ready.has_value()) return ready;
    for (const bool reached : {true, false}) {
      for (size_t i = 0; i < graph_.nodes.size(); ++i) {
        if (done_[i] || opened_[i].has_value() || !HasNeurons(graph_.nodes[i].type)) continue;
        if (reached && !IsReached(i)) continue;
        if (const auto extent = OwnExtent(graph_.nodes[i]); extent.has_value()) {
          Open(i, *extent);
          return NextNode();
        }
      }
    }
    if (const auto output = ReadyNode(true); output.has_value()) return output;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (done_[i]) continue;
      done_[i] = true;
      if (problems_.empty()) {
        Report(graph_.nodes[i], {"it is in a loop without neurons, or of neurons without a shape",
                                 "export the model again"});
      }
    }
    return std::nullopt;
  }

  // The output comes last, so that its neurons can be the last node.
  std::optional<size_t> ReadyNode(bool output) const {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!done_[i] && (graph_.nodes[i].type == "Output") == output && IsReady(i)) return i;
    }
    return std::nullopt;
  }

  bool IsReached(size_t node) const {
    return std::any_of(before_[node].begin(), before_[node].end(),
                       [&](size_t from) { return done_[from]; });
  }

  size_t AddNode(const std::string& name, const format::Extent& extent) {
    auto node = std::make_unique<format::EventNodeT>();
    node->name = name;
    node->extent = std::make_unique<format::Extent>(extent);
    network_->nodes.push_back(std::move(node));
    return network_->nodes.size() - 1;
  }

  static Flow FlowOf(size_t source, const format::Extent& extent, bool flat) {
    Flow flow;
    flow.source = source;
    flow.seen = extent;
    flow.extent = extent;
    flow.flat = flat;
    return flow;
  }

  void Open(size_t node, const format::Extent& extent) {
    const size_t index = AddNode(graph_.nodes[node].name, extent);
    opened_[node] = index;
    flows_[node] = FlowOf(index, extent, extent.height() * extent.width() == 1);
    network_->nodes[index]->sending = EventSending::Values;  // until its type says otherwise
  }

  // A node of one number's memory less: it sends what it gets.
  size_t AddPass(const std::string& name, const std::vector<Flow>& flows) {
    const size_t index = AddNode(name, flows.front().extent);
    format::EventNodeT& node = *network_->nodes[index];
    node.sending = EventSending::Values;
    node.decay = {0};
    node.gain = {1};
    node.drive = Compressed(Connect(flows, index), *node.extent);
    return index;
  }

  // Makes the synapses of all flows into a node and returns the sum of their biases.
  std::vector<double> Connect(const std::vector<Flow>& flows, size_t index) {
    format::EventNodeT& node = *network_->nodes[index];
    std::vector<double> bias = {0};
    for (const Flow& flow : flows) {
      auto synapses = std::make_unique<format::EventSynapsesT>(SynapsesOf(flow));
      synapses->delay = flow.source >= index ? 1 : 0;
      node.synapses.push_back(std::move(synapses));
      if (flow.bias.empty()) continue;
      bias.resize(flow.bias.size(), bias[0]);
      for (size_t i = 0; i < bias.size(); ++i) bias[i] += flow.bias[i];
    }
    return bias;
  }

  // What comes into a node; nothing if some of it could not be converted.
  std::optional<std::vector<Flow>> FlowsInto(size_t node) {
    std::vector<Flow> flows;
    for (const size_t from : before_[node]) {
      if (!flows_[from].has_value()) return std::nullopt;
      flows.push_back(*flows_[from]);
    }
    if (flows.empty()) {
      Report(graph_.nodes[node], {"nothing leads to it", "export the model again"});
      return std::nullopt;
    }
    const format::Extent& first = flows.front().extent;
    for (const Flow& flow : flows) {
      if (flow.extent.channels() == first.channels() && flow.extent.height() == first.height() &&
          flow.extent.width() == first.width()) {
        continue;
      }
      Report(graph_.nodes[node], {"what leads to it differs in shape", "export the model again"});
      return std::nullopt;
    }
    return flows;
  }

  // One flow of several, or of one whose operations cannot be followed by what comes next.
  Flow Join(size_t node, const std::vector<Flow>& flows) {
    const Flow& first = flows.front();
    const size_t pass = AddPass(graph_.nodes[node].name + ".in", flows);
    return FlowOf(pass, first.extent, first.flat);
  }

  void Lower(size_t node) {
    done_[node] = true;
    const NirNode& nir = graph_.nodes[node];
    if (nir.type == "Input") return LowerInput(node);
    std::optional<std::vector<Flow>> flows = FlowsInto(node);
    if (!flows.has_value()) return;
    if (HasNeurons(nir.type)) return LowerNeurons(node, *flows);
    if (nir.type == "Output") return LowerOutput(*flows);
    const bool joins = flows->size() > 1 || !CanFollow(nir.type, flows->front());
    Flow flow = joins ? Join(node, *flows) : std::move(flows->front());
    if (nir.type == kNirPass) {
      flows_[node] = std::move(flow);
      return;
    }
    std::optional<NirProblem> problem = Follow(nir, flow);
    if (problem.has_value()) return Report(nir, std::move(*problem));
    flows_[node] = std::move(flow);
  }

  void LowerInput(size_t node) {
    const NirNode& nir = graph_.nodes[node];
    const NirArray* shape = nir.Find("shape");
    std::vector<int64_t> sides;
    if (shape != nullptr) {
      for (const double side : shape->numbers) {
        sides.push_back(std::abs(side) < 1e9 ? std::llround(side) : 0);
      }
    }
    const std::optional<format::Extent> extent = NirExtentOf(sides);
    if (!extent.has_value() || format::Neurons(*extent) > limits_.neurons) {
      return Report(nir, {"its shape is not [n], [channels, length] or [channels, height, width]",
                          "export the model without the batch and with sizes that are fixed"});
    }
    if (!network_->nodes.empty()) {
      return Report(nir, {"neurons come before it", "export the model again"});
    }
    flows_[node] = FlowOf(AddNode(nir.name, *extent), *extent, sides.size() == 1);
  }

  void LowerNeurons(size_t node, const std::vector<Flow>& flows) {
    const NirNode& nir = graph_.nodes[node];
    const format::Extent& extent = flows.front().extent;
    if (!opened_[node].has_value()) {
      const size_t index = AddNode(nir.name, extent);
      opened_[node] = index;
      flows_[node] = FlowOf(index, extent, flows.front().flat);
    }
    const size_t index = *opened_[node];
    if (format::Neurons(*network_->nodes[index]->extent) != format::Neurons(extent)) {
      return Report(nir, {"what leads to it has another shape", "export the model again"});
    }
    const std::vector<double> bias = Connect(flows, index);
    if (auto problem = SetNeurons(nir, reading_, bias, *network_->nodes[index]);
        problem.has_value()) {
      Report(nir, std::move(*problem));
    }
  }

  void LowerOutput(const std::vector<Flow>& flows) {
    has_output_ = true;
    if (!problems_.empty()) return;
    const Flow& flow = flows.front();
    format::EventNodeT& source = *network_->nodes[flow.source];
    const bool last = flow.source + 1 == network_->nodes.size() && flow.source > 0;
    if (flows.size() == 1 && last && !flow.has_operations() && IsComplete()) {
      if (source.sending == EventSending::Values) source.sending = EventSending::Nothing;
      return;
    }
    const bool sums = source.sending == EventSending::Spikes || flow.source == 0;
    const size_t index = AddNode("output", flow.extent);
    format::EventNodeT& node = *network_->nodes[index];
    node.sending = EventSending::Nothing;
    node.decay = {sums ? 1.0 : 0.0};
    node.gain = {1};
    node.drive = Compressed(Connect(flows, index), *node.extent);
    network_->assumptions.push_back(
        sums ? "output: it has no neurons of its own, and is summed over all steps"
             : "output: it has no neurons of its own, and is that of the last step");
  }

  // Whether no node is left that would come after the output.
  bool IsComplete() const {
    return std::all_of(done_.begin(), done_.end(), [](bool done) { return done; });
  }

  const NirGraph& graph_;
  const NirReading& reading_;
  const NetworkLimits& limits_;
  std::vector<std::vector<size_t>> before_;    // by node: those that lead to it
  std::vector<std::optional<Flow>> flows_;     // by node: what leaves it
  std::vector<std::optional<size_t>> opened_;  // by node: its neurons' event node
  std::vector<bool> done_;
  bool has_output_ = false;
  std::vector<Unsupported> problems_;
  std::unique_ptr<format::EventNetworkT> network_ = std::make_unique<format::EventNetworkT>();
};

}  // namespace

Result<std::unique_ptr<format::EventNetworkT>> LowerNir(const NirGraph& graph,
                                                        const NirReading& reading,
                                                        const NetworkLimits& limits) {
  return Lowering(graph, reading, limits).Run();
}

}  // namespace cssrun::converter
