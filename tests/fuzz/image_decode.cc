// Takes any bytes as an image, which must be refused, or decoded and brought to a network's size.
#include <algorithm>

#include "tests/fuzz/target.h"
#include "tools/decode.h"
#include "tools/resize.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cssrun;
  // The limits are smaller than the usual ones, so that thousands of inputs a second can be tried.
  tools::ImageLimits limits;
  limits.side = 2048;
  limits.pixels = 1 << 18;
  limits.jpeg_scans = 20;
  const Result<tools::Image> image = tools::DecodeImage({data, size}, limits);
  if (!image.ok()) {
    fuzz::Require(image.status().code() == StatusCode::kInvalidArgument, "refused cleanly");
    fuzz::Require(!image.status().message().empty(), "the message says something");
    return 0;
  }
  const tools::Image& decoded = image.value();
  fuzz::Require(decoded.rgb.size() == size_t{decoded.width} * decoded.height * 3, "three channels");
  fuzz::Require(decoded.width <= limits.side && decoded.height <= limits.side, "within the limits");
  const uint32_t shorter = std::min(decoded.width, decoded.height);
  const uint32_t longer = std::max(decoded.width, decoded.height);
  if (longer / shorter > 16) return 0;
  const tools::Image fitted = tools::CropCentre(tools::ResizeShorterSide(decoded, 9), 8, 7);
  fuzz::Require(fitted.rgb.size() == size_t{8} * 7 * 3, "the size that was asked for");
  return 0;
}
