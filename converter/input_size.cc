#include "converter/input_size.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "converter/window.h"
#include "fmt/format.h"

namespace cssrun::converter {
namespace {

constexpr int64_t kLargestSide = 1 << 16;

bool IsMap(const Shape& shape) { return shape.size() == 4; }

bool HasPositions(const Shape& shape) { return IsMap(shape) && shape[2] * shape[3] > 1; }

// Names of the means that are taken over a whole map at the model's own size.
std::set<std::string> MeansOverMaps(const Graph& own) {
  std::set<std::string> names;
  for (const Node& node : own.nodes) {
    if (node.op != OpKind::kAveragePool) continue;
    const Shape& map = own.value(node.inputs[0]).shape;
    if (!IsMap(map)) continue;
    const Result<Window> window = WindowOf(own, node, map);
    if (!window.ok()) continue;
    const Window& w = window.value();
    const bool whole =
        w.kernel[0] == map[2] && w.kernel[1] == map[3] && w.positions[0] * w.positions[1] == 1 &&
        std::max({w.pad_before[0], w.pad_before[1], w.pad_after[0], w.pad_after[1]}) == 0;
    if (whole) names.insert(own.value(node.outputs[0]).name);
  }
  return names;
}

// The node that turns a map of several positions into a vector; null if there is none.
const Node* MapToVector(const Graph& own) {
  const auto found = std::ranges::find_if(own.nodes, [&](const Node& node) {
    if (node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs.empty()) return false;
    const Shape& from = own.value(node.inputs[0]).shape;
    const Shape& to = own.value(node.outputs[0]).shape;
    const bool reshapes =
        node.op == OpKind::kFlatten || node.op == OpKind::kReshape || node.op == OpKind::kGemm;
    return reshapes && HasPositions(from) && to.size() == 2;
  });
  return found == own.nodes.end() ? nullptr : &*found;
}

// A grey image without channels is made one with them by a Reshape to its own size.
void SetImage(const ImageSize& size, Graph& graph) {
  Shape& image = graph.value(graph.input).shape;
  image[2] = size.height;
  image[3] = size.width;
  for (const Node& node : graph.nodes) {
    if (node.op != OpKind::kReshape || node.inputs[0] != graph.input) continue;
    Value& wanted = graph.value(node.inputs[1]);
    if (wanted.constant == nullptr || ElementCount(wanted.shape) != 3) continue;
    wanted.constant = std::make_shared<const Tensor>(
        Tensor{{3}, std::vector<int64_t>{1, size.height, size.width}});
  }
}

}  // namespace

Result<Graph> WithInputSize(const Graph& read, const ImageSize& size, const NetworkLimits& limits) {
  const std::string name = fmt::format("{}x{}", size.height, size.width);
  const Shape& trained = read.value(read.input).shape;
  const std::string advice =
      fmt::format("leave the input size out; the model's own is {}x{}", trained[2], trained[3]);
  if (std::max(size.height, size.width) > kLargestSide ||
      static_cast<uint64_t>(size.height * size.width * trained[1]) > limits.neurons) {
    return Status::BadModel("input size " + name + ": more than " + std::to_string(limits.neurons) +
                            " numbers; choose a smaller one, or raise the limit \"neurons\"");
  }
  Graph own = read;
  if (Status status = RunPasses(own); !status.ok()) return status;
  Graph graph = read;
  SetImage(size, graph);
  const std::set<std::string> means = MeansOverMaps(own);
  for (Node& node : graph.nodes) {
    if (node.op != OpKind::kAveragePool || !means.contains(graph.value(node.outputs[0]).name)) {
      continue;
    }
    node.op = OpKind::kGlobalAveragePool;
    node.attributes.clear();
  }
  Status status = RunPasses(graph);
  const Node* vector = MapToVector(own);
  if (status.ok() && vector == nullptr) return graph;
  if (vector != nullptr) {
    return Status::BadModel(fmt::format(
        "input size {}: node {} makes a vector of a map of {}x{} positions, so the layers after it "
        "have weights for that size alone; {}",
        name, vector->name, own.value(vector->inputs[0]).shape[2],
        own.value(vector->inputs[0]).shape[3], advice));
  }
  return Status(status.code(),
                fmt::format("input size {}: the model's layers fit its own size alone ({}); {}",
                            name, status.message(), advice));
}

}  // namespace cssrun::converter
