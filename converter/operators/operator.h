// What the converter knows of an operator: one descriptor for each line of list.h, defined in this
// folder in a file of the operator's name, or of its family's where operators share everything.
//
// A model goes through these stages; each asks the descriptor of every node's operator.
//
//     reader -> FoldConstants -> Normalize ... -> FollowAddresses -> ... -> FindUnsupported
//               infer_shape,                      follow,                   check, map
//               evaluate                          reorder_weights
//
//                                        -> dense network (calibration)  -> spiking network
//                                           dense                           lower
//
// A stage that an operator has no function for says why (Absent): a descriptor with a missing field
// does not compile, and tests/converter/operators_test.cc checks that reasons and functions agree.
//
// Functions are plain and stateless; every one may be called from several threads for different
// graphs. Errors are kBadModel and name the node (NodeError()).
#ifndef CSSRUN_CONVERTER_OPERATORS_OPERATOR_H_
#define CSSRUN_CONVERTER_OPERATORS_OPERATOR_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

class DenseBuilder;
class Lowering;
class Maps;
class Views;
struct DenseGroup;
struct Elementwise;

// Why an operator has no function for a stage.
enum class Absent : uint8_t {
  kUnknownOperator,  // the converter does not know the operator at all
  kRewritten,        // the reader or a pass has replaced the operator before this stage
  kNotInModels,      // models apply it to activations only; there is no constant to compute
  kEndsViews,        // it reads moved elements in their new order, so a followed move ends here
  kNoWeights,        // it has no weights whose order could make up for its input's
  kRefused,          // FindUnsupported() refuses it, so that this stage never sees it
};

// A function of a stage, or why there is none.
template <typename Function>
using OrAbsent = std::variant<Function*, Absent>;

// The shape of output 0; nothing when it cannot be known. `input` is the shape of input 0.
using Inferred = Result<std::optional<Shape>>;
using InferFunction = Inferred(const Graph& graph, const Node& node, const Shape& input);

// Output 0 of a node whose inputs are all constant, and whose shape is `output`; nothing when this
// node is not evaluated.
using Evaluated = Result<std::optional<Tensor>>;
using EvaluateConstants = Evaluated(const Graph& graph, const Node& node, const Shape& output);
// The same of a node that only asks for the shapes of its inputs, constant or not.
using EvaluateShapes = Evaluated(const Graph& graph, const Node& node);
using Evaluation = std::variant<EvaluateConstants*, EvaluateShapes*, Absent>;

// Makes the node's output a view of another value (views.h), through new nodes on unmoved values
// where it computes. True when it did.
using FollowFunction = bool(Views& views, const Node& node);
// Makes a node read the base of its input's view, and reorders its weights instead. True when it
// did.
using ReorderFunction = bool(Views& views, Node& node);

// Why a node cannot be converted, and what the user can do about it.
struct Problem {
  std::string reason;
  std::string remedy;
};
// What is wrong with this node, after all passes; nothing when it can become spikes.
using CheckFunction = std::optional<Problem>(const Graph& graph, const Node& node,
                                             const Maps& maps);
// The operator is never converted, so any node that the passes have left of it is a problem.
struct Refused {
  const char* reason = "this operator is not supported";
  const char* remedy = "replace it in the model";
  // Reported whatever comes before it. Other nodes are only left where the passes could do nothing
  // with their inputs: not reported behind a node that is, or an unknown shape.
  bool by_itself = false;
};
// The same, where what is wrong depends on the node.
using RefuseFunction = Problem(const Graph& graph, const Node& node);

// How the operator runs in the dense network, and what it can run together with.
//
//     layer -> sum -> rectifier      become one primitive, at most one of each, in this order
using AddGroupFunction = Status(DenseBuilder& builder, const DenseGroup& group);
using AddNodeFunction = Status(DenseBuilder& builder, const Node& node);
using ElementwiseFunction = std::vector<Elementwise>(const Graph& graph, const Node& node);
struct DenseLayer {
  AddGroupFunction* add;
};
struct DenseSum {
  AddGroupFunction* add;
};
struct DenseRectifier {
  ElementwiseFunction* steps;  // what it does to an element, one after another
};
struct DenseAlone {
  AddNodeFunction* add;
};
using DenseRun = std::variant<DenseLayer, DenseSum, DenseRectifier, DenseAlone, Absent>;

// Gives the node's output its form (lowering.h), making neurons where the form has to end.
using LowerFunction = Status(Lowering& lowering, const Node& node);

// What the elements of output 0 are. kComputed is never wrong; the others allow passes to simplify.
enum class ElementRule : uint8_t {
  kComputed,  // any numbers
  kSelected,  // elements of input 0, chosen or moved, or 0
  kReshaped,  // the elements of input 0, in the same order, in another shape
};

// Which map of spikes, [channels, rows, columns], stands behind an output of two dimensions.
enum class MapRule : uint8_t {
  kOwn,    // one position with as many channels as the output has elements
  kInput,  // the map behind input 0
};

// The opsets that are read. Every operator's table of versions reaches as far.
constexpr int64_t kOldestOpset = 7;
constexpr int64_t kNewestOpset = 23;

// One version of an operator in ONNX's history, which is ONNX's docs/Changelog.md. A test compares
// the tables with the schemas of the installed ONNX library, as far as these go.
struct OperatorVersion {
  int64_t since;       // the first opset that has it
  const char* change;  // what differs from the version before, as far as it is read here
};
// Not an operator of ONNX: a pass makes it.
struct NotInOnnx {
  const char* made_by;
};
// Every version that the opsets we read can mean, ascending, and no other. The first one may be
// older than the oldest opset that is read.
using KnownVersions = std::variant<std::span<const OperatorVersion>, NotInOnnx>;

struct Operator {
  KnownVersions versions;
  ElementRule elements;
  MapRule map;
  OrAbsent<InferFunction> infer_shape;
  Evaluation evaluate;
  OrAbsent<FollowFunction> follow;
  OrAbsent<ReorderFunction> reorder_weights;
  std::variant<CheckFunction*, Refused, RefuseFunction*> check;
  DenseRun dense;
  OrAbsent<LowerFunction> lower;
};

// The descriptor; that of an unknown operator lacks every function.
const Operator& OperatorOf(const Op& op);

// The version of the node's operator that an opset means; null when no known version is that old,
// or the operator is not ONNX's.
const OperatorVersion* VersionAt(const Op& op, int64_t opset);

// Of an operator that ONNX knows, but not at this opset, such as Expand at opset 7.
Problem ProblemOfVersion(const Op& op, int64_t opset);

// Whether an operator that is not in list.h computes each element of its output from the same
// element of its input, as Sigmoid does.
bool IsFunction(const Op& op);

// Of an operator that is not in list.h: why it is not converted, and what to do.
Problem ProblemOfUnknown(const Op& op);

// A node of this operator may make numbers out of nothing: it is left to be reported.
bool MayLackInputs(const Op& op);

#define CSSRUN_DECLARE_OPERATOR(name) extern const Operator k##name##Operator;
CSSRUN_OPERATORS(CSSRUN_DECLARE_OPERATOR)
#undef CSSRUN_DECLARE_OPERATOR
extern const Operator kUnknownOperator;

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_OPERATOR_H_
