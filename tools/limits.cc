#include "tools/limits.h"

#include <algorithm>
#include <limits>
#include <string>

namespace cssrun::tools {

Status SetLimit(std::string_view name, uint64_t value, Limits& limits) {
  if (value == 0 || value > kLargestLimit) {
    return Status::InvalidArgument("limit " + std::string(name) +
                                   ": a whole number from 1 to 2^40");
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
  } else if (name == "frames") {
    limits.frames = value;
  } else {
    return Status::InvalidArgument("limit " + std::string(name) +
                                   ": there are neurons, synapses, layers, timesteps, side, "
                                   "pixels, bytes, jpeg-scans, frames");
  }
  return Status::Ok();
}

}  // namespace cssrun::tools
