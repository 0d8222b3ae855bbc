#include "converter/nir/nir_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cssrun::converter {
namespace {

constexpr int kMostNesting = 16;
constexpr size_t kMostNodes = 1 << 12;
constexpr char kGraphType[] = "NIRGraph";

// What a name inside a graph stands for: a node, or an inner graph by its input and output.
struct Ends {
  size_t first = 0;
  size_t last = 0;
};

Status Bad(const std::string& where, const std::string& what) {
  return Status::BadModel((where.empty() ? "" : where + ": ") + what);
}

Result<const Hdf5Group*> GroupIn(const Hdf5Group& parent, const std::string& name,
                                 const std::string& where) {
  if (const Hdf5Group* group = parent.FindGroup(name); group != nullptr) return group;
  return Bad(where, parent.FindData(name) == nullptr
                        ? "has no \"" + name + "\"; is this a NIR file?"
                        : "\"" + name + "\" is no group; is this a NIR file?");
}

Result<const Hdf5Data*> DataIn(const Hdf5Group& parent, const std::string& name,
                               const std::string& where) {
  const Hdf5Data* data = parent.FindData(name);
  if (data == nullptr) return Bad(where, "has no \"" + name + "\"; is this a NIR file?");
  const auto* problem = std::get_if<Hdf5Problem>(&data->content);
  if (problem != nullptr) return Bad(where + "/" + name, problem->text);
  return data;
}

Result<std::string> TextIn(const Hdf5Group& parent, const std::string& name,
                           const std::string& where) {
  const Result<const Hdf5Data*> data = DataIn(parent, name, where);
  if (!data.ok()) return data.status();
  const auto* texts = std::get_if<std::vector<std::string>>(&data.value()->content);
  if (texts == nullptr || texts->size() != 1) return Bad(where, name + " is not a text");
  return texts->front();
}

class Reader {
 public:
  Result<NirGraph> Run(const Hdf5Group& root) {
    if (const Result<std::string> version = TextIn(root, "version", ""); version.ok()) {
      graph_.version = version.value();
    }
    const Result<const Hdf5Group*> node = GroupIn(root, "node", "");
    if (!node.ok()) return node.status();
    const Result<Ends> ends = ReadGraph(*node.value(), "", 0);
    if (!ends.ok()) return ends.status();
    std::vector<std::pair<size_t, size_t>>& edges = graph_.edges;
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return std::move(graph_);
  }

 private:
  // Appends the nodes and edges of the graph; `prefix` is that of the names of its nodes. Returns
  // its input and output, which the outermost graph keeps as nodes.
  Result<Ends> ReadGraph(const Hdf5Group& group, const std::string& prefix, int depth) {
    if (depth > kMostNesting) return Bad(prefix, "graphs are nested too deeply");
    const Result<const Hdf5Group*> nodes = GroupIn(group, "nodes", prefix);
    if (!nodes.ok()) return nodes.status();
    std::map<std::string, Ends> names;
    std::vector<size_t> inputs;
    std::vector<size_t> outputs;
    for (const Hdf5Group& node : nodes.value()->groups) {
      const Result<Ends> ends = ReadNode(node, prefix, depth);
      if (!ends.ok()) return ends.status();
      names.emplace(node.name, ends.value());
      const std::string& type = graph_.nodes[ends.value().first].type;
      if (type == "Input") inputs.push_back(ends.value().first);
      if (type == "Output") outputs.push_back(ends.value().first);
    }
    if (inputs.size() != 1 || outputs.size() != 1) {
      return Bad(prefix, "a graph of " + std::to_string(inputs.size()) + " inputs and " +
                             std::to_string(outputs.size()) +
                             " outputs; models with one of each can be converted");
    }
    if (Status status = ReadEdges(group, prefix, names); !status.ok()) return status;
    if (depth > 0) {
      graph_.nodes[inputs[0]].type = kNirPass;
      graph_.nodes[outputs[0]].type = kNirPass;
    }
    return Ends{inputs[0], outputs[0]};
  }

  Result<Ends> ReadNode(const Hdf5Group& group, const std::string& prefix, int depth) {
    const std::string full = prefix.empty() ? group.name : prefix + "." + group.name;
    Result<std::string> type = TextIn(group, "type", full);
    if (!type.ok()) return type.status();
    if (type.value() == kGraphType) return ReadGraph(group, full, depth + 1);
    if (graph_.nodes.size() >= kMostNodes) return Bad("", "more than 4,096 nodes");
    NirNode node;
    node.name = full;
    node.type = std::move(type).value();
    if (Status status = ReadFields(group, node); !status.ok()) return status;
    graph_.nodes.push_back(std::move(node));
    const size_t index = graph_.nodes.size() - 1;
    return Ends{index, index};
  }

  static Status ReadFields(const Hdf5Group& group, NirNode& node) {
    for (const Hdf5Data& field : group.data) {
      if (field.name == "type") continue;
      const Result<const Hdf5Data*> data = DataIn(group, field.name, node.name);
      if (!data.ok()) return data.status();
      if (const auto* array = std::get_if<NirArray>(&field.content); array != nullptr) {
        node.arrays.emplace(field.name, *array);
      } else if (const auto* texts = std::get_if<std::vector<std::string>>(&field.content);
                 texts != nullptr && texts->size() == 1) {
        node.words.emplace(field.name, texts->front());
      }
    }
    return Status::Ok();
  }

  Status ReadEdges(const Hdf5Group& group, const std::string& prefix,
                   const std::map<std::string, Ends>& names) {
    const Result<const Hdf5Data*> edges = DataIn(group, "edges", prefix);
    if (!edges.ok()) return edges.status();
    const auto* texts = std::get_if<std::vector<std::string>>(&edges.value()->content);
    if (texts == nullptr || texts->size() % 2 != 0) {
      return Bad(prefix, "edges are not pairs of names");
    }
    for (size_t i = 0; i < texts->size(); i += 2) {
      std::array<const Ends*, 2> ends = {};
      for (size_t k = 0; k < 2; ++k) {
        const auto found = names.find((*texts)[i + k]);
        if (found == names.end()) {
          return Bad(prefix, "an edge names the node \"" + (*texts)[i + k] +
                                 "\", which does not exist; export the model again");
        }
        ends.at(k) = &found->second;
      }
      graph_.edges.emplace_back(ends[0]->last, ends[1]->first);
    }
    return Status::Ok();
  }

  NirGraph graph_;
};

}  // namespace

Result<NirGraph> ReadNir(const Hdf5Group& root) { return Reader().Run(root); }

}  // namespace cssrun::converter
