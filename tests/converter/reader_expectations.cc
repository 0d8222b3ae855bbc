#include "tests/converter/reader_expectations.h"

#include <gtest/gtest.h>

#include <utility>

#include "converter/onnx_reader.h"
#include "tests/converter/onnx_models.h"

namespace cssrun::converter::testing {

using onnx::ModelProto;

Graph Read(const ModelProto& model) {
  Result<Graph> graph = ReadOnnx(WriteModel("model.onnx", model));
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? std::move(graph).value() : Graph();
}

void ExpectStatus(const std::string& path, StatusCode code, const std::vector<std::string>& parts) {
  const Status status = ReadOnnx(path).status();
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_EQ(status.message().rfind(path, 0), 0U) << status.message();
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  }
}

void ExpectBad(const ModelProto& model, const std::vector<std::string>& parts) {
  ExpectStatus(WriteModel("bad.onnx", model), StatusCode::kBadModel, parts);
}

const Value* FindValue(const Graph& graph, const std::string& name) {
  for (const Value& value : graph.values) {
    if (value.name == name) return &value;
  }
  return nullptr;
}

}  // namespace cssrun::converter::testing
