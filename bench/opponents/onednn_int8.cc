#include "bench/opponents/onednn_int8.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "bench/opponents/int8_builder.h"
#include "converter/dense_builder.h"
#include "converter/dense_plan.h"

namespace cssrun::bench {
namespace {

using converter::DenseGroup;
using converter::DenseNetwork;
using converter::DensePlan;
using converter::Graph;
using converter::ValueId;

// Measures the largest magnitude of the image and of every value that a group of nodes makes.
Result<std::vector<float>> MeasureMagnitudes(const Graph& graph,
                                             const converter::ImageSet& calibration,
                                             const InputFormat& input) {
  std::vector<ValueId> watch = {graph.input};
  for (const DenseGroup& group : converter::FormDenseGroups(graph)) {
    if (group.leader != nullptr) watch.push_back(group.last().outputs[0]);
  }
  std::vector<float> magnitudes(graph.values.size(), 0.0F);
  const auto observe = [&](ValueId value, std::span<const float> activations) {
    float& largest = magnitudes[static_cast<size_t>(value)];
    for (const float a : activations) largest = std::max(largest, std::abs(a));
  };
  const auto answers =
      converter::RunAnn(graph, calibration, input, watch, observe, [](size_t, size_t) {});
  if (!answers.ok()) return answers.status();
  return magnitudes;
}

Result<std::unique_ptr<DensePlan>> Build(const Graph& graph, std::vector<float> magnitudes) {
  std::string current = "its image";
  try {
    Int8Builder builder(graph, std::move(magnitudes));
    for (const DenseGroup& group : converter::FormDenseGroups(graph)) {
      if (group.leader == nullptr) continue;
      current = "node " + group.leader->name;
      if (Status status = builder.Add(group); !status.ok()) return status;
    }
    return builder.Finish();
  } catch (const std::exception& error) {
    return Status::BadModel(current + ": oneDNN cannot run it in 8 bits: " + error.what());
  }
}

}  // namespace

Result<std::unique_ptr<DenseNetwork>> CreateOneDnnInt8(const Graph& graph,
                                                       const converter::ImageSet& calibration,
                                                       const InputFormat& input) {
  Result<std::vector<float>> magnitudes = MeasureMagnitudes(graph, calibration, input);
  if (!magnitudes.ok()) return magnitudes.status();
  Result<std::unique_ptr<DensePlan>> plan = Build(graph, std::move(magnitudes).value());
  if (!plan.ok()) return plan.status();
  return std::make_unique<DenseNetwork>(std::move(plan).value());
}

}  // namespace cssrun::bench
