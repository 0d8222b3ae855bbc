#include "converter/onnx_reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <exception>
#include <filesystem>
#include <limits>
#include <optional>
#include <queue>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "converter/external_data.h"
#include "converter/out_of_memory.h"
#include "fmt/format.h"
#include "format/file_bytes.h"

namespace cssrun::converter {
namespace {

using onnx::TensorProto;

constexpr int64_t kOldestOpset = 9;
constexpr int64_t kNewestOpset = 17;
// Protobuf counts bytes in an int.
constexpr size_t kMaximumFile = std::numeric_limits<int>::max();
// A tensor inside an attribute of a node is five messages deep; subgraphs add three a level.
constexpr int kMaximumNesting = 50;
// An image dimension beyond this is a damaged file; products of three still fit 64 bits.
constexpr int64_t kMaximumImageSide = 1 << 16;

float FromHalf(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int mantissa = bits & 0x3FF;
  float magnitude = 0;
  if (exponent == 0x1F) {
    magnitude = mantissa == 0 ? std::numeric_limits<float>::infinity()
                              : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

float FromBfloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

std::string TypeName(int type) {
  const std::string& name = TensorProto::DataType_Name(static_cast<TensorProto::DataType>(type));
  return name.empty() ? "number " + std::to_string(type) : name;
}

// Bytes of one element in raw data; 0 for a type that is not a number.
size_t ElementSize(int type) {
  switch (type) {
    case TensorProto::BOOL:
    case TensorProto::INT8:
    case TensorProto::UINT8:
      return 1;
    case TensorProto::INT16:
    case TensorProto::UINT16:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return 2;
    case TensorProto::INT32:
    case TensorProto::UINT32:
    case TensorProto::FLOAT:
      return 4;
    case TensorProto::INT64:
    case TensorProto::UINT64:
    case TensorProto::DOUBLE:
      return 8;
    default:
      return 0;
  }
}

bool IsFloatType(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 ||
         type == TensorProto::BFLOAT16 || type == TensorProto::DOUBLE;
}

bool IsSigned(int type) {
  return type != TensorProto::UINT8 && type != TensorProto::UINT16 && type != TensorProto::UINT32 &&
         type != TensorProto::UINT64 && type != TensorProto::BOOL;
}

// Elements that `dims` announces; nothing when one is negative or the product has no meaning.
std::optional<uint64_t> CheckedElements(const Shape& dims) {
  constexpr int64_t kMaximumBytes = std::numeric_limits<int64_t>::max() / 8;
  int64_t count = 1;
  bool empty = false;
  for (const int64_t size : dims) {
    if (size < 0) return std::nullopt;
    if (size == 0) empty = true;
    // An empty tensor's other sizes must not overflow a product either.
    if (__builtin_mul_overflow(count, std::max<int64_t>(size, 1), &count)) return std::nullopt;
  }
  if (count > kMaximumBytes) return std::nullopt;
  return empty ? 0 : static_cast<uint64_t>(count);
}

// Raw data is little-endian, as every machine that this builds for.
static_assert(std::endian::native == std::endian::little);

template <typename Stored, typename Wanted, typename Convert>
std::vector<Wanted> FromRaw(std::span<const uint8_t> raw, const Convert& convert) {
  std::vector<Wanted> values(raw.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, raw.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = convert(stored);
  }
  return values;
}

template <typename Stored>
std::vector<int64_t> IntsFromRaw(std::span<const uint8_t> raw) {
  return FromRaw<Stored, int64_t>(raw, [](Stored v) { return static_cast<int64_t>(v); });
}

std::vector<int64_t> IntsFromRaw(int type, std::span<const uint8_t> raw) {
  switch (type) {
    case TensorProto::BOOL:
      return FromRaw<uint8_t, int64_t>(raw, [](uint8_t v) { return int64_t{v != 0}; });
    case TensorProto::INT8:
      return IntsFromRaw<int8_t>(raw);
    case TensorProto::UINT8:
      return IntsFromRaw<uint8_t>(raw);
    case TensorProto::INT16:
      return IntsFromRaw<int16_t>(raw);
    case TensorProto::UINT16:
      return IntsFromRaw<uint16_t>(raw);
    case TensorProto::INT32:
      return IntsFromRaw<int32_t>(raw);
    case TensorProto::UINT32:
      return IntsFromRaw<uint32_t>(raw);
    default:  // INT64; of UINT64 what does not fit turns up negative
      return IntsFromRaw<int64_t>(raw);
  }
}

std::vector<float> FloatsFromRaw(int type, std::span<const uint8_t> raw) {
  switch (type) {
    case TensorProto::FLOAT16:
      return FromRaw<uint16_t, float>(raw, FromHalf);
    case TensorProto::BFLOAT16:
      return FromRaw<uint16_t, float>(raw, FromBfloat16);
    case TensorProto::DOUBLE:
      return FromRaw<double, float>(raw, [](double v) { return static_cast<float>(v); });
    default:
      return FromRaw<float, float>(raw, [](float v) { return v; });
  }
}

// Elements in the typed field where ONNX puts this type.
int TypedCount(const TensorProto& tensor) {
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      return tensor.float_data_size();
    case TensorProto::DOUBLE:
      return tensor.double_data_size();
    case TensorProto::INT64:
      return tensor.int64_data_size();
    case TensorProto::UINT32:
    case TensorProto::UINT64:
      return tensor.uint64_data_size();
    default:
      return tensor.int32_data_size();
  }
}

std::vector<float> TypedFloats(const TensorProto& tensor) {
  std::vector<float> values;
  values.reserve(static_cast<size_t>(TypedCount(tensor)));
  if (tensor.data_type() == TensorProto::FLOAT) {
    values.assign(tensor.float_data().begin(), tensor.float_data().end());
  } else if (tensor.data_type() == TensorProto::DOUBLE) {
    for (const double v : tensor.double_data()) values.push_back(static_cast<float>(v));
  } else {
    const auto convert = tensor.data_type() == TensorProto::FLOAT16 ? FromHalf : FromBfloat16;
    for (const int32_t v : tensor.int32_data()) values.push_back(convert(static_cast<uint16_t>(v)));
  }
  return values;
}

std::vector<int64_t> TypedInts(const TensorProto& tensor) {
  if (tensor.data_type() == TensorProto::INT64) {
    return {tensor.int64_data().begin(), tensor.int64_data().end()};
  }
  if (tensor.data_type() == TensorProto::UINT32 || tensor.data_type() == TensorProto::UINT64) {
    return {tensor.uint64_data().begin(), tensor.uint64_data().end()};
  }
  return {tensor.int32_data().begin(), tensor.int32_data().end()};
}

class Reader {
 public:
  Reader(const std::string& path, const NetworkLimits& limits) : path_(path), limits_(limits) {}

  Result<Graph> Read() {
    Result<FileBytes> file = ReadFileBytes(path_, kMaximumFile);
    if (!file.ok()) return file.status();
    if (!Parse(file.value().bytes()) || !model_.has_graph()) {
      return Error("is not an ONNX model, or was cut off; export or copy it again");
    }
    file = FileBytes();
    if (Status status = ReadOpset(); !status.ok()) return status;
    if (Status status = ReadInitializers(); !status.ok()) return status;
    if (Status status = ReadInput(); !status.ok()) return status;
    if (Status status = DeclareOutputs(); !status.ok()) return status;
    if (Status status = ReadNodes(); !status.ok()) return status;
    if (Status status = SortNodes(); !status.ok()) return status;
    if (Status status = ReadOutput(); !status.ok()) return status;
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
    if (graph_.opset >= kOldestOpset && graph_.opset <= kNewestOpset) return Status::Ok();
    const std::string found = graph_.opset == 0
                                  ? "it names no opset of ONNX's own operators"
                                  : "it uses ONNX opset " + std::to_string(graph_.opset);
    return Error(found +
                 ", but 9 to 17 are read; export it again with opset 13, or run "
                 "onnx.version_converter");
  }

  static bool IsOwnDomain(const std::string& domain) {
    return domain.empty() || domain == "ai.onnx";
  }

  // A new value; an error when `name` already has one.
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
      Result<Tensor> tensor = ReadTensor(proto, "initializer " + proto.name());
      if (!tensor.ok()) return tensor.status();
      auto shared = std::make_shared<const Tensor>(std::move(tensor).value());
      Result<ValueId> id = Define(proto.name(), shared->shape, shared);
      if (!id.ok()) return id.status();
      // Weights are most of a model: they are not kept twice.
      proto.clear_raw_data();
      proto.clear_float_data();
    }
    return Status::Ok();
  }

  // `what` names the tensor in messages: "initializer conv1.weight".
  Result<Tensor> ReadTensor(const TensorProto& proto, const std::string& what) {
    const int type = proto.data_type();
    if (ElementSize(type) == 0) {
      return Error(what + " has the element type " + TypeName(type) +
                   ", which is not a number; export the model without it");
    }
    if (proto.has_segment()) {
      return Error(what + " is split into segments; save the model with onnx.save");
    }
    Tensor tensor;
    tensor.shape.assign(proto.dims().begin(), proto.dims().end());
    const std::optional<uint64_t> count = CheckedElements(tensor.shape);
    if (!count.has_value()) {
      return Error(what + " has the impossible shape " + ToString(tensor.shape) +
                   "; export the model again");
    }
    const uint64_t bytes = *count * ElementSize(type);
    if (proto.data_location() == TensorProto::EXTERNAL) {
      Result<std::vector<uint8_t>> data = ReadExternal(proto, what, bytes);
      if (!data.ok()) return data.status();
      FillFromRaw(type, data.value(), tensor);
    } else if (proto.has_raw_data()) {
      const std::string& raw = proto.raw_data();
      if (raw.size() != bytes) return SizeError(what, tensor.shape, bytes, raw.size(), "bytes");
      FillFromRaw(type, {reinterpret_cast<const uint8_t*>(raw.data()), raw.size()}, tensor);
    } else {
      const auto stored = static_cast<uint64_t>(TypedCount(proto));
      if (stored != *count) return SizeError(what, tensor.shape, *count, stored, "elements");
      if (IsFloatType(type)) {
        tensor.data = TypedFloats(proto);
      } else {
        tensor.data = TypedInts(proto);
      }
    }
    tensor.is_signed = IsSigned(type);
    if (Status status = CheckNumbers(tensor, type, what); !status.ok()) return status;
    return tensor;
  }

  static void FillFromRaw(int type, std::span<const uint8_t> raw, Tensor& tensor) {
    if (IsFloatType(type)) {
      tensor.data = FloatsFromRaw(type, raw);
    } else {
      tensor.data = IntsFromRaw(type, raw);
    }
  }

  Status SizeError(const std::string& what, const Shape& shape, uint64_t expected, uint64_t found,
                   const std::string& unit) const {
    return Error(what + " of shape " + ToString(shape) + " should have " +
                 std::to_string(expected) + " " + unit + " but has " + std::to_string(found) +
                 "; export or copy the model again");
  }

  Status CheckNumbers(const Tensor& tensor, int type, const std::string& what) const {
    if (tensor.is_float()) {
      // Infinity as a lone scalar means "no limit" to a Clip; in weights it is damage.
      const bool scalar = tensor.shape.empty();
      for (const float v : tensor.floats()) {
        if (std::isfinite(v) || (scalar && std::isinf(v))) continue;
        return Error(what + " contains NaN or infinity; train or export the model again");
      }
    } else if (type == TensorProto::UINT64) {
      for (const int64_t v : tensor.ints()) {
        if (v < 0) return Error(what + " contains an integer above 2^63; export the model again");
      }
    }
    return Status::Ok();
  }

  Result<std::vector<uint8_t>> ReadExternal(const TensorProto& proto, const std::string& what,
                                            uint64_t expected) {
    std::string location;
    uint64_t offset = 0;
    uint64_t length = expected;
    for (const auto& entry : proto.external_data()) {
      if (entry.key() == "location") location = entry.value();
      uint64_t* number = entry.key() == "offset"   ? &offset
                         : entry.key() == "length" ? &length
                                                   : nullptr;
      if (number == nullptr) continue;
      const std::string& text = entry.value();
      const bool digits = !text.empty() && text.size() <= 18 &&
                          text.find_first_not_of("0123456789") == std::string::npos;
      if (!digits) {
        return Error(fmt::format("{}: external data has the {} \"{}\"; save the model again", what,
                                 entry.key(), text));
      }
      *number = std::stoull(text);
    }
    if (length != expected) {
      return Error(what + ": external data has " + std::to_string(length) +
                   " bytes where its shape needs " + std::to_string(expected) +
                   "; save the model again");
    }
    std::string folder = std::filesystem::path(path_).parent_path().string();
    if (folder.empty()) folder = ".";
    Result<std::vector<uint8_t>> data = ReadExternalData(folder, location, offset, length);
    if (!data.ok()) {
      return Status(data.status().code(), path_ + ": " + what + ": " + data.status().message());
    }
    return data;
  }

  Status ReadInput() {
    // Old exporters list the initializers among the inputs.
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
    if (!IsFloatType(type.elem_type())) {
      return Error("input " + input.name() + " has the element type " + TypeName(type.elem_type()) +
                   "; export the model with a float image as input");
    }
    const auto& dims = type.shape().dim();
    if (dims.size() != 4) {
      return Error("input " + input.name() + " has " + std::to_string(dims.size()) +
                   " dimensions instead of [batch, channels, height, width]; export the model for "
                   "images");
    }
    Shape shape = {1};
    for (int i = 1; i < 4; ++i) {
      if (!dims[i].has_dim_value()) {
        static constexpr const char* kNames[] = {"batch", "channels", "height", "width"};
        return Error("input " + input.name() + " has no fixed " + kNames[i] +
                     "; export with a fixed image size");
      }
      const int64_t size = dims[i].dim_value();
      if (size < 1 || size > kMaximumImageSide) {
        return Error("input " + input.name() + " has a dimension of size " + std::to_string(size) +
                     "; export with a fixed image size");
      }
      shape.push_back(size);
    }
    // Three sizes of 16 bits each.
    if (static_cast<uint64_t>(ElementCount(shape)) > limits_.neurons) {
      return Error("input " + input.name() + " has the shape " + ToString(shape) + ", more than " +
                   std::to_string(limits_.neurons) +
                   " numbers; if you trust the file, raise the limit \"neurons\"");
    }
    Result<ValueId> id = Define(input.name(), std::move(shape), nullptr);
    if (!id.ok()) return id.status();
    graph_.input = id.value();
    return Status::Ok();
  }

  // Every output of every node gets its value first, so that nodes may come in any order.
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

  // Subgraphs, lists of texts and the like are left out: operators that have them are unsupported.
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
          if (ElementSize(attribute.t().data_type()) == 0) continue;
          Result<Tensor> tensor = ReadTensor(attribute.t(), "node " + node.name);
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

  // True when `node` was a Constant and its output has become a constant value.
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
      return false;  // a text
    }
    if (tensor->is_float()) {
      Status status = CheckNumbers(*tensor, TensorProto::FLOAT, "node " + node.name);
      if (!status.ok()) return status;
    }
    Value& output = graph_.value(node.outputs[0]);
    output.shape = tensor->shape;
    output.constant = std::move(tensor);
    return true;
  }

  // ONNX demands sorted nodes; a file may not keep to it. Ready nodes keep the file's order.
  Status SortNodes() {
    const size_t count = graph_.nodes.size();
    std::vector<std::vector<size_t>> readers(graph_.values.size());
    std::vector<size_t> missing(count, 0);  // inputs of a node that are not computed yet
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

  Status ReadOutput() {
    const auto& outputs = model_.graph().output();
    if (outputs.size() != 1) {
      std::string names;
      for (const auto& output : outputs) names += (names.empty() ? "" : ", ") + output.name();
      return Error("it has " + std::to_string(outputs.size()) + " outputs" +
                   (names.empty() ? "" : " (" + names + ")") +
                   ", but exactly one, the logits, is needed; export the model with one output");
    }
    const auto found = ids_.find(outputs[0].name());
    if (found == ids_.end()) {
      return Error("output " + outputs[0].name() +
                   " is produced by no node; export the model again");
    }
    graph_.output = found->second;
    return Status::Ok();
  }

  const std::string& path_;
  const NetworkLimits limits_;
  onnx::ModelProto model_;
  Graph graph_;
  std::unordered_map<std::string, ValueId> ids_;
};

}  // namespace

Result<Graph> ReadOnnx(const std::string& path, const NetworkLimits& limits) {
  // Protobuf reports what it cannot parse on standard error; our message says it better.
  const google::protobuf::LogSilencer silencer;
  try {
    return Reader(path, limits).Read();
  } catch (const std::exception& error) {
    if (MeansOutOfMemory(error)) return Status::OutOfMemory();
    return Status::BadModel(path + ": cannot be read as an ONNX model: " + error.what());
  }
}

}  // namespace cssrun::converter
