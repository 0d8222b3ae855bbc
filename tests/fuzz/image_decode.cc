// Takes any bytes as an image, which must be refused, or decoded and brought to a network's size.
#include <vector>

#include "cssrun/preprocess.h"
#include "tests/fuzz/target.h"
#include "tools/decode.h"
#include "tools/orientation.h"

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
  const tools::Image upright = tools::Upright(decoded, tools::OrientationOf({data, size}));
  fuzz::Require(upright.rgb.size() == decoded.rgb.size(), "turned, not cut");
  // The last byte decides how it is resized.
  InputFormat format;
  format.channels = 3;
  format.height = 7;
  format.width = 8;
  format.resize = 9;
  format.resize_height = 9;
  format.resize_width = 12;
  format.resizing = static_cast<Resizing>(data[size - 1] % 5);
  format.interpolation = static_cast<Interpolation>(data[size - 1] / 5 % 5);
  format.colours = static_cast<Colours>(data[size - 1] / 25 % 3);
  std::vector<uint8_t> pixels;
  const Status status = Preprocess(format, upright.rgb, upright.width, upright.height, pixels);
  fuzz::Require(status.ok(), "every picture can be preprocessed");
  fuzz::Require(pixels.size() == size_t{8} * 7 * 3, "the size that was asked for");
  return 0;
}
