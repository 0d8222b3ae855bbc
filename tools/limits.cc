#include "tools/limits.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace cssrun::tools {
namespace {

struct NamedLimit {
  std::string_view name;
  void (*set)(uint64_t value, Limits& limits);
};

constexpr std::array<NamedLimit, 9> kNamedLimits = {{
    {"neurons", [](uint64_t value, Limits& limits) { limits.network.neurons = value; }},
    {"synapses", [](uint64_t value, Limits& limits) { limits.network.synapses = value; }},
    {"layers", [](uint64_t value, Limits& limits) { limits.network.layers = value; }},
    {"timesteps",
     [](uint64_t value, Limits& limits) {
       limits.network.timesteps =
           static_cast<uint32_t>(std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
     }},
    {"side", [](uint64_t value, Limits& limits) { limits.image.side = value; }},
    {"pixels", [](uint64_t value, Limits& limits) { limits.image.pixels = value; }},
    {"bytes", [](uint64_t value, Limits& limits) { limits.image.bytes = value; }},
    {"jpeg-scans", [](uint64_t value, Limits& limits) { limits.image.jpeg_scans = value; }},
    {"frames", [](uint64_t value, Limits& limits) { limits.frames = value; }},
}};

}  // namespace

Status SetLimit(std::string_view name, uint64_t value, Limits& limits) {
  const auto* const named = std::ranges::find(kNamedLimits, name, &NamedLimit::name);
  if (named == kNamedLimits.end()) {
    std::string names;
    for (const NamedLimit& limit : kNamedLimits) {
      names += (names.empty() ? "" : ", ") + std::string(limit.name);
    }
    return Status::InvalidArgument("limit " + std::string(name) + ": there are " + names);
  }
  if (value == 0 || value > kLargestLimit) {
    return Status::InvalidArgument("limit " + std::string(name) +
                                   ": a whole number from 1 to 2^40");
  }
  named->set(value, limits);
  return Status::Ok();
}

}  // namespace cssrun::tools
