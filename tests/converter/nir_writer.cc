#include "tests/converter/nir_writer.h"

#include <hdf5.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cssrun::testing_models {
namespace {

using converter::Hdf5Data;
using converter::Hdf5Group;
using converter::NirArray;
using converter::NirGraph;
using converter::NirNode;

hid_t Need(hid_t id) {
  if (id < 0) {
    std::fprintf(stderr, "HDF5 cannot write a test's model\n");
    std::abort();
  }
  return id;
}

// Edges are pairs; other texts are single.
void WriteTexts(hid_t group, const std::string& name, const std::vector<std::string>& texts) {
  const hid_t type = Need(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const hsize_t sides[] = {texts.size() / 2, 2};
  const hid_t space =
      Need(name == "edges" ? H5Screate_simple(2, sides, nullptr) : H5Screate(H5S_SCALAR));
  const hid_t data =
      Need(H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  Need(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                static_cast<const void*>(pointers.data())));
  H5Dclose(data);
  H5Sclose(space);
  H5Tclose(type);
}

void WriteArray(hid_t group, const std::string& name, const NirArray& array,
                const NirStyle& style) {
  const std::vector<hsize_t> sides(array.shape.begin(), array.shape.end());
  const hid_t space =
      Need(sides.empty() ? H5Screate(H5S_SCALAR)
                         : H5Screate_simple(static_cast<int>(sides.size()), sides.data(), nullptr));
  const hid_t plan = Need(H5Pcreate(H5P_DATASET_CREATE));
  if (style.compressed && !sides.empty()) {
    H5Pset_chunk(plan, static_cast<int>(sides.size()), sides.data());
    H5Pset_shuffle(plan);
    H5Pset_deflate(plan, 4);
  }
  const bool single = style.floats && (name == "weight" || name == "bias");
  const hid_t data = Need(H5Dcreate2(group, name.c_str(), single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE,
                                     space, H5P_DEFAULT, plan, H5P_DEFAULT));
  Need(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.numbers.data()));
  H5Dclose(data);
  H5Pclose(plan);
  H5Sclose(space);
}

void WriteGroup(hid_t group, const Hdf5Group& tree, const NirStyle& style) {
  for (const Hdf5Data& data : tree.data) {
    if (const auto* array = std::get_if<NirArray>(&data.content); array != nullptr) {
      WriteArray(group, data.name, *array, style);
    } else {
      WriteTexts(group, data.name, std::get<std::vector<std::string>>(data.content));
    }
  }
  for (const Hdf5Group& inner : tree.groups) {
    const hid_t made =
        Need(H5Gcreate2(group, inner.name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    WriteGroup(made, inner, style);
    H5Gclose(made);
  }
}

Hdf5Data Text(const std::string& name, const std::string& text) {
  return {name, std::vector<std::string>{text}};
}

Hdf5Group NodeTree(const NirNode& node, const std::string& name) {
  Hdf5Group tree{name, {}, {Text("type", node.type)}};
  for (const auto& [field, array] : node.arrays) tree.data.push_back({field, array});
  for (const auto& [field, text] : node.words) tree.data.push_back(Text(field, text));
  return tree;
}

Hdf5Group GraphTree(const std::string& name, std::vector<Hdf5Group> nodes,
                    std::vector<std::string> edges) {
  return {name,
          {{"nodes", std::move(nodes), {}}},
          {Text("type", "NIRGraph"), {"edges", std::move(edges)}}};
}

NirArray Numbers(const std::vector<double>& numbers, std::vector<int64_t> shape) {
  return {std::move(shape), numbers};
}
NirArray Pair(size_t a, size_t b) {
  return {{2}, {static_cast<double>(a), static_cast<double>(b)}};
}
std::vector<int64_t> ShapeOf(const oracle::Map& map) {
  if (map.height * map.width == 1) return {static_cast<int64_t>(map.size())};
  return {static_cast<int64_t>(map.channels), static_cast<int64_t>(map.height),
          static_cast<int64_t>(map.width)};
}

const char* TypeOf(oracle::EventOp op) {
  switch (op) {
    case oracle::EventOp::kConv:
      return "Conv2d";
    case oracle::EventOp::kDense:
      return "Affine";
    case oracle::EventOp::kSumPool:
      return "SumPool2d";
    case oracle::EventOp::kAvgPool:
      return "AvgPool2d";
    case oracle::EventOp::kFlatten:
      return "Flatten";
    case oracle::EventOp::kScale:
      return "Scale";
    case oracle::EventOp::kIf:
      return "IF";
    case oracle::EventOp::kLif:
      return "LIF";
    case oracle::EventOp::kCuba:
      return "CubaLIF";
    case oracle::EventOp::kLi:
      return "LI";
    case oracle::EventOp::kThreshold:
      break;
  }
  return "Threshold";
}

void AddLinear(const oracle::EventModelNode& from, NirNode& node) {
  const auto side = [](size_t x) { return static_cast<int64_t>(x); };
  switch (from.op) {
    case oracle::EventOp::kConv:
      node.arrays["weight"] =
          Numbers(from.weights, {side(from.to.channels), side(from.from.channels / from.groups),
                                 side(from.kernel_y), side(from.kernel_x)});
      node.arrays["dilation"] = Pair(from.dilation_y, from.dilation_x);
      node.arrays["groups"] = {{}, {static_cast<double>(from.groups)}};
      break;
    case oracle::EventOp::kDense:
      node.arrays["weight"] =
          Numbers(from.weights, {side(from.to.channels), side(from.from.size())});
      if (from.bias.empty()) node.type = "Linear";
      break;
    case oracle::EventOp::kScale:
      node.arrays["scale"] = Numbers(from.weights, {side(from.weights.size())});
      return;
    case oracle::EventOp::kFlatten:
      node.arrays["start_dim"] = {{}, {0}};
      node.arrays["end_dim"] = {{}, {-1}};
      return;
    default:
      node.arrays["kernel_size"] = Pair(from.kernel_y, from.kernel_x);
      break;
  }
  if (!from.bias.empty()) node.arrays["bias"] = Numbers(from.bias, {side(from.bias.size())});
  if (from.op == oracle::EventOp::kDense) return;
  node.arrays["stride"] = Pair(from.stride_y, from.stride_x);
  node.arrays["padding"] = Pair(from.pad_y, from.pad_x);
}

void AddNeurons(const oracle::EventModelNode& from, NirNode& node) {
  const std::vector<int64_t> shape = ShapeOf(from.to);
  if (from.op == oracle::EventOp::kThreshold) {
    node.arrays["threshold"] = Numbers(from.threshold, shape);
    return;
  }
  const bool leaks = from.op != oracle::EventOp::kIf;
  node.arrays["r"] = Numbers(leaks ? from.r : std::vector<double>(from.to.size(), 1.0), shape);
  if (leaks) {
    const bool has_current = from.op == oracle::EventOp::kCuba;
    node.arrays[has_current ? "tau_mem" : "tau"] = Numbers(from.tau, shape);
    node.arrays["v_leak"] = Numbers(from.v_leak, shape);
  }
  if (from.op == oracle::EventOp::kCuba) {
    node.arrays["tau_syn"] = Numbers(from.tau_syn, shape);
    node.arrays["w_in"] = Numbers(from.w_in, shape);
  }
  if (from.op == oracle::EventOp::kLi) return;
  node.arrays["v_threshold"] = Numbers(from.threshold, shape);
  node.arrays["v_reset"] = Numbers(from.v_reset, shape);
}

}  // namespace

Hdf5Group NirTree(const NirGraph& graph, bool nested) {
  std::vector<Hdf5Group> nodes;
  for (const NirNode& node : graph.nodes) nodes.push_back(NodeTree(node, node.name));
  std::vector<std::string> edges;
  for (const auto& [from, to] : graph.edges) {
    edges.push_back(graph.nodes[from].name);
    edges.push_back(graph.nodes[to].name);
  }
  Hdf5Group whole = GraphTree(nested ? "inner" : "node", std::move(nodes), std::move(edges));
  if (nested) {
    // An outermost graph of an input, the whole graph and an output.
    std::vector<Hdf5Group> outer = {NodeTree(graph.nodes.front(), "outer_input"),
                                    NodeTree(graph.nodes.back(), "outer_output"), std::move(whole)};
    whole = GraphTree("node", std::move(outer), {"outer_input", "inner", "inner", "outer_output"});
  }
  return {"", {std::move(whole)}, {Text("version", "1.0")}};
}

std::vector<uint8_t> WriteNir(const NirGraph& graph, const NirStyle& style) {
  constexpr size_t kIncrement = 1 << 16;
  const hid_t access = Need(H5Pcreate(H5P_FILE_ACCESS));
  Need(H5Pset_fapl_core(access, kIncrement, false));
  const hid_t file = Need(H5Fcreate("test.nir", H5F_ACC_TRUNC, H5P_DEFAULT, access));
  WriteGroup(file, NirTree(graph, style.nested), style);
  Need(H5Fflush(file, H5F_SCOPE_GLOBAL));
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  std::vector<uint8_t> bytes(static_cast<size_t>(Need(static_cast<hid_t>(size))));
  Need(static_cast<hid_t>(H5Fget_file_image(file, bytes.data(), bytes.size())));
  H5Fclose(file);
  H5Pclose(access);
  return bytes;
}

NirGraph NirOf(const oracle::EventModel& model) {
  NirGraph graph;
  const auto add = [&](std::string name, std::string type) -> NirNode& {
    graph.nodes.emplace_back();
    graph.nodes.back().name = std::move(name);
    graph.nodes.back().type = std::move(type);
    return graph.nodes.back();
  };
  const auto shape_of = [](const std::vector<int64_t>& shape) {
    NirArray array;
    array.shape = {static_cast<int64_t>(shape.size())};
    array.numbers.assign(shape.begin(), shape.end());
    return array;
  };
  add("input", "Input").arrays["shape"] = shape_of(ShapeOf(model.input));
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const oracle::EventModelNode& from = model.nodes[i];
    NirNode& node = add("n" + std::to_string(i), TypeOf(from.op));
    if (from.has_neurons()) {
      AddNeurons(from, node);
    } else {
      AddLinear(from, node);
    }
  }
  const size_t last = graph.nodes.size() - 1;
  for (size_t i = 0; i < last; ++i) graph.edges.emplace_back(i, i + 1);
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    for (const oracle::EventModelNode& back : model.nodes[i].back) {
      graph.edges.emplace_back(i + 1, graph.nodes.size());  // the input comes before all
      graph.edges.emplace_back(graph.nodes.size(), i + 1);
      AddLinear(back, add("back" + std::to_string(i), TypeOf(back.op)));
    }
  }
  graph.edges.emplace_back(last, graph.nodes.size());
  add("output", "Output").arrays["shape"] = shape_of(ShapeOf(model.nodes.back().to));
  return graph;
}

}  // namespace cssrun::testing_models
