#include "tools/numbers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tools/file_kinds.h"
#include "tools/output.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

constexpr const char* kFloatType = std::endian::native == std::endian::little ? "<f4" : ">f4";

// A field's name in a Python literal: what is not plain is replaced, and a number makes it unique.
std::vector<std::string> FieldNames(const std::vector<OutputInfo>& outputs) {
  std::vector<std::string> names;
  for (const OutputInfo& output : outputs) {
    std::string name = output.name;
    for (char& c : name) {
      if (c < 0x20 || c >= 0x7F || c == '\'' || c == '\\') c = '_';
    }
    if (name.empty()) name = "output";
    const std::string base = name;
    for (size_t n = 2; std::find(names.begin(), names.end(), name) != names.end(); ++n) {
      name = fmt::format("{}_{}", base, n);
    }
    names.push_back(std::move(name));
  }
  return names;
}

// "(21, 64, 64)", "(10,)", "()".
std::string PythonTuple(std::span<const uint64_t> sizes) {
  return fmt::format("({}{})", fmt::join(sizes, ", "), sizes.size() == 1 ? "," : "");
}

size_t NumbersOf(const std::vector<OutputInfo>& outputs) {
  return outputs.back().first + outputs.back().size();
}

std::string ShapeText(const OutputInfo& output) {
  return fmt::format("[{}]", fmt::join(output.shape, ", "));
}

}  // namespace

std::string NpyHeader(const std::vector<OutputInfo>& outputs, size_t images) {
  std::vector<uint64_t> shape = {images};
  std::string type;
  if (outputs.size() == 1) {
    shape.insert(shape.end(), outputs[0].shape.begin(), outputs[0].shape.end());
    type = fmt::format("'{}'", kFloatType);
  } else {
    const std::vector<std::string> names = FieldNames(outputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::vector<uint64_t> field(outputs[i].shape.begin(), outputs[i].shape.end());
      type += fmt::format("{}('{}', '{}', {})", i == 0 ? "" : ", ", names[i], kFloatType,
                          PythonTuple(field));
    }
    type = "[" + type + "]";
  }
  std::string header = fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': {}, }}", type,
                                   PythonTuple(shape));
  // Magic, version 2.0 and the length, 12 bytes, so that the numbers begin at a multiple of 64.
  constexpr size_t kFixed = 12;
  header += std::string(63 - (kFixed + header.size()) % 64, ' ') + '\n';
  std::string bytes(MarkOf(FileKind::kNumpy));
  bytes += {'\x02', '\x00'};
  const auto length = static_cast<uint32_t>(header.size());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    bytes += static_cast<char>(length >> shift & 0xFF);
  }
  return bytes + header;
}

std::string NpyRecord(const std::vector<OutputInfo>& outputs, std::span<const float> logits) {
  const size_t count = NumbersOf(outputs);
  std::vector<float> numbers(count, std::numeric_limits<float>::quiet_NaN());
  std::copy_n(logits.begin(), std::min(count, logits.size()), numbers.begin());
  std::string bytes(count * sizeof(float), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

std::string NumbersText(const std::string& path, const std::vector<OutputInfo>& outputs,
                        std::span<const float> logits) {
  std::string line = TerminalText(path);
  for (const OutputInfo& output : outputs) {
    const std::span<const float> numbers = output.In(logits);
    double sum = 0;
    for (const float number : numbers) sum += static_cast<double>(number);
    line +=
        fmt::format("  {} {}: {:.6g} to {:.6g}, mean {:.6g}", TerminalText(output.name),
                    ShapeText(output), *std::ranges::min_element(numbers),
                    *std::ranges::max_element(numbers), sum / static_cast<double>(numbers.size()));
  }
  return line + "\n";
}

std::string OutputsJson(const std::vector<OutputInfo>& outputs, std::span<const float> logits) {
  std::string json = "\"outputs\":[";
  for (size_t i = 0; i < outputs.size(); ++i) {
    json += fmt::format("{}{{\"name\":{},\"shape\":{},\"data\":[", i == 0 ? "" : ",",
                        JsonText(outputs[i].name), ShapeText(outputs[i]));
    const std::span<const float> numbers = outputs[i].In(logits);
    for (size_t k = 0; k < numbers.size(); ++k) {
      if (k > 0) json += ',';
      // The shortest text that reads as the same float.
      json += std::isfinite(numbers[k]) ? fmt::format("{}", numbers[k]) : "null";
    }
    json += "]}";
  }
  return json + "]";
}

std::string NumbersJson(const std::string& path, const std::vector<OutputInfo>& outputs,
                        std::span<const float> logits, uint32_t steps, const std::string& error) {
  if (!error.empty()) {
    return fmt::format("{{\"path\":{},\"outputs\":[],\"steps\":null,\"error\":{}}}\n",
                       JsonText(path), JsonText(error));
  }
  return fmt::format("{{\"path\":{},{},\"steps\":{},\"error\":null}}\n", JsonText(path),
                     OutputsJson(outputs, logits), steps);
}

}  // namespace cssrun::tools
