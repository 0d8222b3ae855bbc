#include "converter/onnx_reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <optional>
#include <queue>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "converter/onnx_functions.h"
#include "converter/onnx_tensor.h"
#include "converter/operators/operator.h"
#include "converter/out_of_memory.h"
#include "fmt/format.h"
#include "format/file_bytes.h"

namespace cssrun::converter {
namespace {

using onnx::TensorProto;

// Protobuf counts bytes in an int.
constexpr size_t kMaximumFile = std::numeric_limits<int>::max();
// A tensor inside an attribute of a node is five messages deep; subgraphs add three a level.
constexpr int kMaximumNesting = 50;
// A larger image dimension is a sign of a damaged file; products of three dimensions still fit 64
// bits.
constexpr int64_t kMaximumImageSide = 1 << 16;

// Operators that take an input of three dimensions for a sequence, [batch, channels, length].
constexpr std::string_view kLayersOfSequences[] = {
    "Conv", "MaxPool", "AveragePool", "LSTM", "GRU", "RNN", "MatMul", "BatchNormalization"};

class Reader {
 public:
  Reader(const std::string& path, const NetworkLimits& limits, const std::optional<ImageSize>& size)
      : path_(path), limits_(limits), size_(size) {}

  Result<Graph> Read() {
    Result<format::FileBytes> file = format::ReadFileBytes(path_, kMaximumFile);
    if (!file.ok()) return file.status();
    if (!Parse(file.value().bytes()) || !model_.has_graph()) {
      return Error("is not an ONNX model, or was cut off; export or copy it again");
    }
    file = format::FileBytes();
    if (Status status = ReadOpset(); !status.ok()) return status;
    if (Status status = InlineFunctions(path_, model_); !status.ok()) return status;
    if (Status status = ReadInitializers(); !status.ok()) return status;
    if (Status status = ReadInput(); !status.ok()) return status;
    if (Status status = DeclareOutputs(); !status.ok()) return status;
    if (Status status = ReadNodes(); !status.ok()) return status;
    if (Status status = SortNodes(); !status.ok()) return status;
    if (Status status = ReadOutputs(); !status.ok()) return status;
    return std::move(graph_);
  }

 private:
  Status Error(const std::string& what) const { return Status::BadModel(path_ + ": " + what); }

  bool Parse(std::span<const uint8_t> bytes) {
    google::protobuf::io::CodedInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
    stream.SetRecursionLimit(kMaximumNesting);
    return model_.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
  }

  Status ReadOpset() {
    for (const auto& import : model_.opset_import()) {
      if (IsOwnDomain(import.domain())) graph_.opset = import.version();
    }
    // A graph that only calls functions may leave the import to them.
    for (const onnx::FunctionProto& function : model_.functions()) {
      for (const auto& import : function.opset_import()) {
        if (graph_.opset == 0 && IsOwnDomain(import.domain())) graph_.opset = import.version();
      }
    }
    if (graph_.opset >= kOldestOpset && graph_.opset <= kNewestOpset) return Status::Ok();
    if (graph_.opset == 0) {
      return Error("it names no opset of ONNX's own operators; export it again");
    }
    // ONNX's converter loses shapes on its way from opset 5 to 7.
    const char* remedy =
        graph_.opset > kNewestOpset
            ? "export it again with opset 18 (opset_version=18 of torch.onnx.export)"
        : graph_.opset == 6
            ? "convert it with onnx.version_converter.convert_version(model, 13) in Python"
            : "convert it with onnx.version_converter.convert_version(model, 6) in Python, and the "
              "result with convert_version(model, 13)";
    return Error(fmt::format("it uses ONNX opset {}, but {} to {} are read; {}", graph_.opset,
                             kOldestOpset, kNewestOpset, remedy));
  }

  static bool IsOwnDomain(const std::string& domain) {
    return domain.empty() || domain == "ai.onnx";
  }

  // Makes a new value. Error: `name` already has one.
  Result<ValueId> Define(const std::string& name, Shape shape,
                         std::shared_ptr<const Tensor> constant) {
    if (name.empty()) return Error("a value has no name; export the model again");
    if (!ids_.emplace(name, static_cast<ValueId>(graph_.values.size())).second) {
      return Error("value " + name + " is defined twice; export the model again");
    }
    return graph_.AddValue(name, std::move(shape), std::move(constant));
  }

  Status ReadInitializers() {
    onnx::GraphProto& graph = *model_.mutable_graph();
    if (graph.sparse_initializer_size() > 0) {
      return Error("initializer " + graph.sparse_initializer(0).values().name() +
                   " is sparse; export the model with dense weights");
    }
    for (TensorProto& proto : *graph.mutable_initializer()) {
      Result<Tensor> tensor = ReadOnnxTensor(proto, path_, "initializer " + proto.name());
      if (!tensor.ok()) return tensor.status();
      auto shared = std::make_shared<const Tensor>(std::move(tensor).value());
      Result<ValueId> id = Define(proto.name(), shared->shape, shared);
      if (!id.ok()) return id.status();
      // Most of a model is weights, so their bytes are released at once.
      proto.clear_raw_data();
      proto.clear_float_data();
    }
    return Status::Ok();
  }

  Status ReadInput() {
    // Old exporters list the initializers among the inputs as well.
    std::vector<const onnx::ValueInfoProto*> inputs;
    std::string names;
    for (const onnx::ValueInfoProto& input : model_.graph().input()) {
      if (ids_.contains(input.name())) continue;
      inputs.push_back(&input);
      names += (names.empty() ? "" : ", ") + input.name();
    }
    if (inputs.size() != 1) {
      return Error("it has " + std::to_string(inputs.size()) + " inputs" +
                   (names.empty() ? "" : " (" + names + ")") +
                   ", but exactly one, the image, is needed; export the model with one input");
    }
    const onnx::ValueInfoProto& input = *inputs.front();
    const onnx::TypeProto_Tensor& type = input.type().tensor_type();
    graph_.takes_bytes = type.elem_type() == onnx::TensorProto::UINT8;
    if (!IsOnnxFloat(type.elem_type()) && !graph_.takes_bytes) {
      return Error("input " + input.name() + " has the element type " +
                   OnnxTypeName(type.elem_type()) +
                   "; export the model with an image of float or uint8 as input");
    }
    const auto& dims = type.shape().dim();
    // Grey images may lack the dimension of the channels.
    const int grey = dims.size() == 3 && !IsSequence(input.name()) ? 1 : 0;
    if (dims.size() + grey != 4) {
      return Error("input " + input.name() + " has " + std::to_string(dims.size()) +
                   " dimensions instead of [batch, channels, height, width]; export the model for "
                   "images");
    }
    Shape shape(static_cast<size_t>(1 + grey), 1);
    for (int i = 1; i < dims.size(); ++i) {
      // Paddle writes a size that it leaves open as -1.
      const bool open = !dims[i].has_dim_value() || dims[i].dim_value() == -1;
      if (open && !FillIn(dims, i, shape)) return OpenDimension(input.name(), dims, i);
      if (open) continue;
      const int64_t size = dims[i].dim_value();
      if (size < 1 || size > kMaximumImageSide) {
        return Error("input " + input.name() + " has a dimension of size " + std::to_string(size) +
                     "; export with a fixed image size");
      }
      shape.push_back(size);
    }
    // The product cannot overflow, because each of the three sizes has at most 16 bits.
    if (static_cast<uint64_t>(ElementCount(shape)) > limits_.neurons) {
      return Error("input " + input.name() + " has the shape " + ToString(shape) + ", more than " +
                   std::to_string(limits_.neurons) +
                   " numbers; if you trust the file, raise the limit \"neurons\"");
    }
    return DefineImage(input.name(), std::move(shape), grey != 0);
  }

  using Dims = google::protobuf::RepeatedPtrField<onnx::TensorShapeProto_Dimension>;

  // The dimension of rows, before that of columns. Of [batch, ?, ?, 3] it is the first open one.
  static int RowsOf(const Dims& dims) {
    const bool channels_last = dims.size() == 4 && !dims[1].has_dim_value() &&
                               !dims[2].has_dim_value() && dims[3].has_dim_value();
    return channels_last ? 1 : dims.size() - 2;
  }

  Status OpenDimension(const std::string& input, const Dims& dims, int i) const {
    const int rows = RowsOf(dims);
    const char* name = i == rows ? "height" : i == rows + 1 ? "width" : "channels";
    return Error("input " + input + " has no fixed " + name + "; " +
                 (i < rows || i > rows + 1 ? "" : "give --input-size HEIGHTxWIDTH, or ") +
                 "export with a fixed image size");
  }

  // Appends the size of images to the shape where the file leaves dimension `i`, one of rows or
  // columns, open. False where it is another dimension, or no size is given.
  bool FillIn(const Dims& dims, int i, Shape& shape) {
    const int rows = RowsOf(dims);
    if (!size_.has_value() || i < rows || i > rows + 1) return false;
    const int64_t size = i == rows ? size_->height : size_->width;
    if (size > kMaximumImageSide) return false;
    shape.push_back(size);
    graph_.has_own_size = false;
    return true;
  }

  // True for an input of three dimensions that layers read as it is.
  bool IsSequence(const std::string& input) const {
    for (const onnx::NodeProto& node : model_.graph().node()) {
      const bool reads =
          std::find(node.input().begin(), node.input().end(), input) != node.input().end();
      if (reads && std::find(std::begin(kLayersOfSequences), std::end(kLayersOfSequences),
                             node.op_type()) != std::end(kLayersOfSequences)) {
        return true;
      }
    }
    return false;
  }

  // Makes the graph's input. The file's own input lacks the dimension of the channels if it is
  // grey.
  Status DefineImage(const std::string& name, Shape shape, bool grey) {
    const Shape given = grey ? Shape{1, shape[2], shape[3]} : shape;
    Result<ValueId> id = Define(name, given, nullptr);
    if (!id.ok()) return id.status();
    graph_.input = id.value();
    if (!grey) return Status::Ok();
    graph_.input = graph_.AddValue(name, std::move(shape));
    const ValueId wanted =
        graph_.AddValue(name + ".shape", {3}, std::make_shared<const Tensor>(Tensor{{3}, given}));
    graph_.nodes.push_back({OpKind::kReshape, name, {graph_.input, wanted}, {id.value()}, {}});
    return Status::Ok();
  }

  // Makes the outputs of all nodes first, so that nodes may come in any order.
  Status DeclareOutputs() {
    for (const onnx::NodeProto& node : model_.graph().node()) {
      for (const std::string& output : node.output()) {
        if (output.empty()) continue;
        Result<ValueId> id = Define(output, {}, nullptr);
        if (!id.ok()) return id.status();
      }
    }
    return Status::Ok();
  }

  Status ReadNodes() {
    for (const onnx::NodeProto& proto : model_.graph().node()) {
      Node node;
      node.op = Op::Named(IsOwnDomain(proto.domain()) ? "" : proto.domain(), proto.op_type());
      node.name = !proto.name().empty()      ? proto.name()
                  : proto.output_size() == 0 ? "of type " + proto.op_type()
                                             : proto.output(0);
      for (const std::string& input : proto.input()) {
        const auto found = ids_.find(input);
        if (!input.empty() && found == ids_.end()) {
          return Error("node " + node.name + " reads " + input +
                       ", which nothing produces; is an initializer missing? Export the model "
                       "again, with its weights");
        }
        node.inputs.push_back(input.empty() ? kNoValue : found->second);
      }
      for (const std::string& output : proto.output()) {
        node.outputs.push_back(output.empty() ? kNoValue : ids_.at(output));
      }
      if (Status status = ReadAttributes(proto, node); !status.ok()) return status;
      Result<bool> constant = ReadConstantNode(node);
      if (!constant.ok()) return constant.status();
      if (!constant.value()) graph_.nodes.push_back(std::move(node));
    }
    return Status::Ok();
  }

  // Reads the attributes. Subgraphs, lists of strings and the like are left out, because operators
  // that have them are not supported.
  Status ReadAttributes(const onnx::NodeProto& proto, Node& node) {
    using onnx::AttributeProto;
    for (const AttributeProto& attribute : proto.attribute()) {
      AttributeValue value;
      switch (attribute.type()) {
        case AttributeProto::INT:
          value = static_cast<int64_t>(attribute.i());
          break;
        case AttributeProto::FLOAT:
          value = attribute.f();
          break;
        case AttributeProto::STRING:
          value = attribute.s();
          break;
        case AttributeProto::INTS:
          value = std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end());
          break;
        case AttributeProto::FLOATS:
          value = std::vector<float>(attribute.floats().begin(), attribute.floats().end());
          break;
        case AttributeProto::TENSOR: {
          if (!IsOnnxNumber(attribute.t().data_type())) continue;
          Result<Tensor> tensor = ReadOnnxTensor(attribute.t(), path_, "node " + node.name);
          if (!tensor.ok()) return tensor.status();
          value = std::make_shared<const Tensor>(std::move(tensor).value());
          break;
        }
        default:
          continue;
      }
      node.attributes.push_back({attribute.name(), std::move(value)});
    }
    return Status::Ok();
  }

  // Returns true when `node` was a Constant and its output has become a constant value.
  Result<bool> ReadConstantNode(const Node& node) {
    if (node.op != OpKind::kConstant || node.outputs.size() != 1 || node.outputs[0] == kNoValue ||
        node.attributes.size() != 1) {
      return false;
    }
    const AttributeValue& value = node.attributes[0].value;
    std::shared_ptr<const Tensor> tensor;
    if (const auto* given = std::get_if<std::shared_ptr<const Tensor>>(&value)) {
      tensor = *given;
    } else if (const auto* number = std::get_if<float>(&value)) {
      tensor = std::make_shared<const Tensor>(Tensor{{}, std::vector<float>{*number}});
    } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
      tensor =
          std::make_shared<const Tensor>(Tensor{{static_cast<int64_t>(floats->size())}, *floats});
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
      tensor = std::make_shared<const Tensor>(Tensor{{}, std::vector<int64_t>{*integer}});
    } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
      tensor = std::make_shared<const Tensor>(Tensor{{static_cast<int64_t>(ints->size())}, *ints});
    } else {
      return false;  // a string
    }
    Status status = CheckFinite(*tensor, path_, "node " + node.name);
    if (!status.ok()) return status;
    Value& output = graph_.value(node.outputs[0]);
    output.shape = tensor->shape;
    output.constant = std::move(tensor);
    return true;
  }

  // Sorts the nodes topologically. ONNX demands sorted nodes, but files may break the rule. Nodes
  // that are ready keep the file's order.
  Status SortNodes() {
    const size_t count = graph_.nodes.size();
    std::vector<std::vector<size_t>> readers(graph_.values.size());
    std::vector<size_t> missing(count, 0);  // by node: inputs that are not computed yet
    std::vector<bool> produced(graph_.values.size(), false);
    for (const Node& node : graph_.nodes) {
      for (const ValueId id : node.outputs) {
        if (id != kNoValue) produced[static_cast<size_t>(id)] = true;
      }
    }
    for (size_t i = 0; i < count; ++i) {
      for (const ValueId id : graph_.nodes[i].inputs) {
        if (id == kNoValue || !produced[static_cast<size_t>(id)]) continue;
        readers[static_cast<size_t>(id)].push_back(i);
        ++missing[i];
      }
    }
    std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
    for (size_t i = 0; i < count; ++i) {
      if (missing[i] == 0) ready.push(i);
    }
    std::vector<Node> sorted;
    sorted.reserve(count);
    while (!ready.empty()) {
      const size_t i = ready.top();
      ready.pop();
      sorted.push_back(graph_.nodes[i]);
      for (const ValueId id : graph_.nodes[i].outputs) {
        if (id == kNoValue) continue;
        for (const size_t reader : readers[static_cast<size_t>(id)]) {
          if (--missing[reader] == 0) ready.push(reader);
        }
      }
    }
    if (sorted.size() != count) {
      const auto stuck =
          std::find_if(missing.begin(), missing.end(), [](size_t m) { return m > 0; });
      const size_t index = static_cast<size_t>(stuck - missing.begin());
      return Error("node " + graph_.nodes[index].name +
                   " depends on its own output; a network with loops cannot be converted");
    }
    graph_.nodes = std::move(sorted);
    return Status::Ok();
  }

  Status ReadOutputs() {
    const auto& outputs = model_.graph().output();
    if (outputs.empty()) return Error("it has no output; export the model again");
    for (const auto& output : outputs) {
      const auto found = ids_.find(output.name());
      if (found == ids_.end()) {
        return Error("output " + output.name() + " is produced by no node; export the model again");
      }
      graph_.outputs.push_back({output.name(), found->second, {}, {}, {}});
    }
    return Status::Ok();
  }

  const std::string& path_;
  const NetworkLimits limits_;
  const std::optional<ImageSize> size_;
  onnx::ModelProto model_;
  Graph graph_;
  std::unordered_map<std::string, ValueId> ids_;
};

}  // namespace

Result<Graph> ReadOnnx(const std::string& path, const NetworkLimits& limits,
                       const std::optional<ImageSize>& size) {
  // Protobuf reports parse errors on standard error; our own message is clearer.
  const google::protobuf::LogSilencer silencer;
  try {
    return Reader(path, limits, size).Read();
  } catch (const std::exception& error) {
    if (MeansOutOfMemory(error)) return Status::OutOfMemory();
    return Status::BadModel(path + ": cannot be read as an ONNX model: " + error.what());
  }
}

}  // namespace cssrun::converter
