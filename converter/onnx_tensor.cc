#include "converter/onnx_tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "converter/external_data.h"
#include "fmt/format.h"

namespace cssrun::converter {
namespace {

using onnx::TensorProto;

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

// Returns the bytes of one element in raw data; 0 for a type that is not a number.
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

bool IsSigned(int type) {
  return type != TensorProto::UINT8 && type != TensorProto::UINT16 && type != TensorProto::UINT32 &&
         type != TensorProto::UINT64 && type != TensorProto::BOOL;
}

// Returns the number of elements that `dims` announces; nothing when a size is negative or the
// product overflows.
std::optional<uint64_t> CheckedElements(const Shape& dims) {
  constexpr int64_t kMaximumBytes = std::numeric_limits<int64_t>::max() / 8;
  int64_t count = 1;
  bool empty = false;
  for (const int64_t size : dims) {
    if (size < 0) return std::nullopt;
    if (size == 0) empty = true;
    // Other sizes of an empty tensor must not overflow a product either.
    if (__builtin_mul_overflow(count, std::max<int64_t>(size, 1), &count)) return std::nullopt;
  }
  if (count > kMaximumBytes) return std::nullopt;
  return empty ? 0 : static_cast<uint64_t>(count);
}

// Raw data is little-endian, like every machine that cssrun supports.
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
    default:  // INT64, and UINT64: see CheckUnsigned()
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

// Returns the number of elements in the typed field that ONNX uses for this type.
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

Status Error(const std::string& path, const std::string& what) {
  return Status::BadModel(path + ": " + what);
}

void FillFromRaw(int type, std::span<const uint8_t> raw, Tensor& tensor) {
  if (IsOnnxFloat(type)) {
    tensor.data = FloatsFromRaw(type, raw);
  } else {
    tensor.data = IntsFromRaw(type, raw);
  }
}

Status SizeError(const std::string& path, const std::string& what, const Shape& shape,
                 uint64_t expected, uint64_t found, const std::string& unit) {
  return Error(path, what + " of shape " + ToString(shape) + " should have " +
                         std::to_string(expected) + " " + unit + " but has " +
                         std::to_string(found) + "; export or copy the model again");
}

// Refuses unsigned integers of 2^63 or more, which have become negative.
Status CheckUnsigned(const Tensor& tensor, int type, const std::string& path,
                     const std::string& what) {
  if (type != TensorProto::UINT64) return Status::Ok();
  for (const int64_t v : tensor.ints()) {
    if (v < 0) {
      return Error(path, what + " contains an integer above 2^63; export the model again");
    }
  }
  return Status::Ok();
}

Result<std::vector<uint8_t>> ReadExternal(const TensorProto& proto, const std::string& path,
                                          const std::string& what, uint64_t expected) {
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
      return Error(path, fmt::format("{}: external data has the {} \"{}\"; save the model again",
                                     what, entry.key(), text));
    }
    *number = std::stoull(text);
  }
  if (length != expected) {
    return Error(path, what + ": external data has " + std::to_string(length) +
                           " bytes where its shape needs " + std::to_string(expected) +
                           "; save the model again");
  }
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder.push_back('.');
  Result<std::vector<uint8_t>> data = ReadExternalData(folder, location, offset, length);
  if (!data.ok()) {
    return Status(data.status().code(), path + ": " + what + ": " + data.status().message());
  }
  return data;
}

}  // namespace

std::string OnnxTypeName(int type) {
  const std::string& name = TensorProto::DataType_Name(static_cast<TensorProto::DataType>(type));
  return name.empty() ? fmt::format("number {}", type) : name;
}

bool IsOnnxNumber(int type) { return ElementSize(type) != 0; }

bool IsOnnxFloat(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 ||
         type == TensorProto::BFLOAT16 || type == TensorProto::DOUBLE;
}

Status CheckFinite(const Tensor& tensor, const std::string& path, const std::string& what) {
  if (!tensor.is_float()) return Status::Ok();
  const bool scalar = tensor.shape.empty();
  for (const float v : tensor.floats()) {
    if (std::isfinite(v) || (scalar && std::isinf(v))) continue;
    return Error(path, what + " contains NaN or infinity; train or export the model again");
  }
  return Status::Ok();
}

Result<Tensor> ReadOnnxTensor(const TensorProto& proto, const std::string& path,
                              const std::string& what) {
  const int type = proto.data_type();
  if (!IsOnnxNumber(type)) {
    return Error(path, what + " has the element type " + OnnxTypeName(type) +
                           ", which is not a number; export the model without it");
  }
  if (proto.has_segment()) {
    return Error(path, what + " is split into segments; save the model with onnx.save");
  }
  Tensor tensor;
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  const std::optional<uint64_t> count = CheckedElements(tensor.shape);
  if (!count.has_value()) {
    return Error(path, what + " has the impossible shape " + ToString(tensor.shape) +
                           "; export the model again");
  }
  const uint64_t bytes = *count * ElementSize(type);
  if (proto.data_location() == TensorProto::EXTERNAL) {
    Result<std::vector<uint8_t>> data = ReadExternal(proto, path, what, bytes);
    if (!data.ok()) return data.status();
    FillFromRaw(type, data.value(), tensor);
  } else if (proto.has_raw_data()) {
    const std::string& raw = proto.raw_data();
    if (raw.size() != bytes) return SizeError(path, what, tensor.shape, bytes, raw.size(), "bytes");
    FillFromRaw(type, {reinterpret_cast<const uint8_t*>(raw.data()), raw.size()}, tensor);
  } else {
    const auto stored = static_cast<uint64_t>(TypedCount(proto));
    if (stored != *count) return SizeError(path, what, tensor.shape, *count, stored, "elements");
    if (IsOnnxFloat(type)) {
      tensor.data = TypedFloats(proto);
    } else {
      tensor.data = TypedInts(proto);
    }
  }
  tensor.is_signed = IsSigned(type);
  if (Status status = CheckFinite(tensor, path, what); !status.ok()) return status;
  if (Status status = CheckUnsigned(tensor, type, path, what); !status.ok()) return status;
  return tensor;
}

}  // namespace cssrun::converter
