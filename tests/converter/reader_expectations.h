// Helpers with which the tests of the ONNX reader state what they expect.
#ifndef CSSRUN_TESTS_CONVERTER_READER_EXPECTATIONS_H_
#define CSSRUN_TESTS_CONVERTER_READER_EXPECTATIONS_H_

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter::testing {

// Returns the graph of a model that must be readable.
Graph Read(const onnx::ModelProto& model);

// Expects a message that begins with the path and contains every one of `parts`.
void ExpectStatus(const std::string& path, StatusCode code, const std::vector<std::string>& parts);
void ExpectBad(const onnx::ModelProto& model, const std::vector<std::string>& parts);

// Returns null when no value has this name.
const Value* FindValue(const Graph& graph, const std::string& name);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_READER_EXPECTATIONS_H_
