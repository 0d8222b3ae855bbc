#include "runtime/engine/check_pixels.h"

#include <algorithm>
#include <string>

namespace cssrun::internal {
namespace {

Status CheckSize(const Network& network, size_t size, const char* unit) {
  const InputFormat& input = network.input();
  const size_t expected = size_t{input.channels} * input.height * input.width;
  if (size == expected) return Status::Ok();
  return Status::InvalidArgument("an image of " + std::to_string(size) + unit +
                                 "; the network takes " + std::to_string(expected));
}

}  // namespace

Status CheckPixels(const Network& network, std::span<const uint8_t> pixels) {
  return CheckSize(network, pixels.size(), " bytes");
}

Status CheckPixels(const Network& network, std::span<const float> pixels) {
  if (Status status = CheckSize(network, pixels.size(), " floats"); !status.ok()) return status;
  const auto wrong =
      std::ranges::find_if(pixels, [](float value) { return !(value >= 0.0F && value <= 1.0F); });
  if (wrong == pixels.end()) return Status::Ok();
  return Status::InvalidArgument("pixel number " + std::to_string(wrong - pixels.begin()) + " is " +
                                 std::to_string(*wrong) +
                                 "; floats go from 0 to 1 and are not yet normalized");
}

}  // namespace cssrun::internal
