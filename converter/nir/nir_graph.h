// A model in NIR, the Neuromorphic Intermediate Representation, as its file has it.
//
// Nodes are what the file calls them, with all of their fields; graphs inside of graphs are joined
// into one, and their nodes have the names "outer.inner".
#ifndef CSSRUN_CONVERTER_NIR_NIR_GRAPH_H_
#define CSSRUN_CONVERTER_NIR_NIR_GRAPH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace cssrun::converter {

// Numbers of any shape; of no dimensions: one number.
struct NirArray {
  std::vector<int64_t> shape;
  std::vector<double> numbers;  // the last index fastest
};

struct NirNode {
  // Null where the node has no such field.
  const NirArray* Find(const std::string& field) const {
    const auto found = arrays.find(field);
    return found == arrays.end() ? nullptr : &found->second;
  }

  std::string name;
  std::string type;  // "Conv2d", ...; kNirPass where an inner graph begins or ends
  std::map<std::string, NirArray> arrays;
  std::map<std::string, std::string> words;  // fields that are text, such as the padding "same"
};

constexpr char kNirPass[] = "(passes on)";

struct NirGraph {
  std::string version;
  std::vector<NirNode> nodes;
  std::vector<std::pair<size_t, size_t>> edges;  // from node to node
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_NIR_GRAPH_H_
