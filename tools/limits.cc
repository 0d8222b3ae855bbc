#include "tools/limits.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace cssrun::tools {
namespace {

// So far that no product of a size and a few bytes overflows.
constexpr uint64_t kLargest = uint64_t{1} << 40;

// Sets one limit from "NAME=N"; an empty text, or what is wrong with it.
std::string SetLimit(std::string_view text, Limits& limits) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return "a limit is NAME=N";
  const std::string_view name = text.substr(0, equals);
  const std::string_view number = text.substr(equals + 1);
  uint64_t value = 0;
  const char* const end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, value);
  if (error != std::errc() || stop != end || value == 0 || value > kLargest) {
    return "a limit is a whole number from 1 to 2^40";
  }
  if (name == "neurons") {
    limits.network.neurons = value;
  } else if (name == "synapses") {
    limits.network.synapses = value;
  } else if (name == "layers") {
    limits.network.layers = value;
  } else if (name == "timesteps") {
    limits.network.timesteps =
        static_cast<uint32_t>(std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
  } else if (name == "side") {
    limits.image.side = value;
  } else if (name == "pixels") {
    limits.image.pixels = value;
  } else if (name == "bytes") {
    limits.image.bytes = value;
  } else if (name == "jpeg-scans") {
    limits.image.jpeg_scans = value;
  } else {
    return "there are limits of neurons, synapses, layers, timesteps, side, pixels, bytes, "
           "jpeg-scans";
  }
  return {};
}

}  // namespace

void AddLimitOption(CLI::App& app, Limits& limits) {
  app.add_option_function<std::vector<std::string>>(
         "--limit",
         [&limits](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) SetLimit(text, limits);
         },
         "what files may ask for, against hostile ones: neurons, synapses, layers and timesteps of "
         "a "
         "network; side and pixels of an image, bytes of its file, jpeg-scans")
      ->check([](const std::string& text) {
        Limits unused;
        return SetLimit(text, unused);
      })
      ->type_name("NAME=N")
      ->allow_extra_args(false);
}

}  // namespace cssrun::tools
