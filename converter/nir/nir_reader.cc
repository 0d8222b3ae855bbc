#include "converter/nir/nir_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "converter/nir/hdf5.h"

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

class Reader {
 public:
  explicit Reader(Hdf5File& file) : file_(file) {}

  Result<NirGraph> Run() {
    if (const Result<std::string> version = ReadText(file_.root(), "version", ""); version.ok()) {
      graph_.version = version.value();
    }
    const Result<Hdf5Id> node = file_.OpenGroup(file_.root(), "node", "");
    if (!node.ok()) return node.status();
    const Result<Ends> ends = ReadGraph(node.value().get(), "", 0);
    if (!ends.ok()) return ends.status();
    return std::move(graph_);
  }

 private:
  static Status Bad(const std::string& where, const std::string& what) {
    return Status::BadModel((where.empty() ? "" : where + ": ") + what);
  }

  Result<std::string> ReadText(hid_t group, const std::string& name, const std::string& where) {
    Result<Hdf5File::Content> content = file_.Read(group, name, where);
    if (!content.ok()) return content.status();
    auto* texts = std::get_if<std::vector<std::string>>(&content.value());
    if (texts == nullptr || texts->size() != 1) return Bad(where, name + " is not a text");
    return texts->front();
  }

  // Appends the nodes and edges of the graph; `prefix` is that of the names of its nodes. Returns
  // its input and output, which the outermost graph keeps as nodes.
  Result<Ends> ReadGraph(hid_t group, const std::string& prefix, int depth) {
    if (depth > kMostNesting) return Bad(prefix, "graphs are nested too deeply");
    const Result<Hdf5Id> nodes = file_.OpenGroup(group, "nodes", prefix);
    if (!nodes.ok()) return nodes.status();
    const Result<std::vector<Hdf5Entry>> entries = file_.List(nodes.value().get(), prefix);
    if (!entries.ok()) return entries.status();
    std::map<std::string, Ends> names;
    std::vector<size_t> inputs;
    std::vector<size_t> outputs;
    for (const Hdf5Entry& entry : entries.value()) {
      if (!entry.is_group) continue;
      const Result<Ends> ends = ReadNode(nodes.value().get(), entry.name, prefix, depth);
      if (!ends.ok()) return ends.status();
      names.emplace(entry.name, ends.value());
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

  Result<Ends> ReadNode(hid_t nodes, const std::string& name, const std::string& prefix,
                        int depth) {
    const std::string full = prefix.empty() ? name : prefix + "." + name;
    const Result<Hdf5Id> group = file_.OpenGroup(nodes, name, prefix);
    if (!group.ok()) return group.status();
    Result<std::string> type = ReadText(group.value().get(), "type", full);
    if (!type.ok()) return type.status();
    if (type.value() == kGraphType) return ReadGraph(group.value().get(), full, depth + 1);
    if (graph_.nodes.size() >= kMostNodes) return Bad("", "more than 4,096 nodes");
    NirNode node;
    node.name = full;
    node.type = std::move(type).value();
    if (Status status = ReadFields(group.value().get(), node); !status.ok()) return status;
    graph_.nodes.push_back(std::move(node));
    const size_t index = graph_.nodes.size() - 1;
    return Ends{index, index};
  }

  Status ReadFields(hid_t group, NirNode& node) {
    const Result<std::vector<Hdf5Entry>> fields = file_.List(group, node.name);
    if (!fields.ok()) return fields.status();
    for (const Hdf5Entry& field : fields.value()) {
      if (field.is_group || field.name == "type") continue;  // metadata is a group
      Result<Hdf5File::Content> content = file_.Read(group, field.name, node.name);
      if (!content.ok()) return content.status();
      if (auto* array = std::get_if<NirArray>(&content.value()); array != nullptr) {
        node.arrays.emplace(field.name, std::move(*array));
      } else if (const auto& texts = std::get<std::vector<std::string>>(content.value());
                 texts.size() == 1) {
        node.words.emplace(field.name, texts.front());
      }
    }
    return Status::Ok();
  }

  Status ReadEdges(hid_t group, const std::string& prefix,
                   const std::map<std::string, Ends>& names) {
    Result<Hdf5File::Content> content = file_.Read(group, "edges", prefix);
    if (!content.ok()) return content.status();
    const auto* texts = std::get_if<std::vector<std::string>>(&content.value());
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

  Hdf5File& file_;
  NirGraph graph_;
};

}  // namespace

bool IsHdf5(std::span<const uint8_t> bytes) {
  constexpr std::array<uint8_t, 8> kSignature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  return bytes.size() >= kSignature.size() &&
         std::equal(kSignature.begin(), kSignature.end(), bytes.begin());
}

Result<NirGraph> ReadNir(std::span<const uint8_t> bytes) {
  Result<Hdf5File> file = Hdf5File::Open(bytes);
  if (!file.ok()) return file.status();
  Result<NirGraph> graph = Reader(file.value()).Run();
  if (!graph.ok()) return graph;
  std::vector<std::pair<size_t, size_t>>& edges = graph.value().edges;
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return graph;
}

}  // namespace cssrun::converter
