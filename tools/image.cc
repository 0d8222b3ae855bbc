#include "tools/image.h"

namespace cssrun::tools {

Status CheckSize(uint64_t width, uint64_t height, const ImageLimits& limits) {
  if (width == 0 || height == 0) return Status::InvalidArgument("an image without pixels");
  const auto above = [&](uint64_t limit, const char* what, const char* name) {
    return Status::InvalidArgument("an image of " + std::to_string(width) + " x " +
                                   std::to_string(height) + " pixels, more than the limit of " +
                                   std::to_string(limit) + what +
                                   "; if you trust the file, raise the limit \"" + name + "\"");
  };
  if (width > limits.side || height > limits.side) return above(limits.side, " a side", "side");
  // The product cannot overflow, because both sides have 32 bits.
  if (width * height > limits.pixels) return above(limits.pixels, "", "pixels");
  return Status::Ok();
}

}  // namespace cssrun::tools
