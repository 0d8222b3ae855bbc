// Takes any bytes as an ONNX model, which must be refused with one message, or converted to a
// network that loads.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "converter/convert.h"
#include "cssrun/network.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/target.h"

namespace {

// A file in memory with a path that can be opened. The reader takes paths, since models keep
// external data in files beside them.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("model.onnx", MFD_CLOEXEC)) {
    cssrun::fuzz::Require(descriptor_ >= 0, "a file in memory can be made");
  }
  std::string Hold(const uint8_t* data, size_t size) const {
    cssrun::fuzz::Require(ftruncate(descriptor_, 0) == 0, "it can be emptied");
    const ssize_t written = pwrite(descriptor_, data, size, 0);
    cssrun::fuzz::Require(written == static_cast<ssize_t>(size), "it can be written");
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

 private:
  int descriptor_;
};

void RequireCleanRefusal(const cssrun::Status& status, const std::string& path) {
  using cssrun::fuzz::Require;
  const bool named = status.message().rfind(path + ": ", 0) == 0;
  if (!named) std::fprintf(stderr, "%s\n", status.message().c_str());
  // External data does not exist here, so a model that asks for it gets kIo.
  Require(
      status.code() == cssrun::StatusCode::kBadModel || status.code() == cssrun::StatusCode::kIo,
      "a model is refused with kBadModel, or kIo");
  Require(named, "the message begins with the path");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cssrun;
  static const MemoryFile file;
  const std::string path = file.Hold(data, size);
  const Result<converter::Model> model = converter::LoadModel(path, fuzz::kSmall);
  if (!model.ok()) {
    RequireCleanRefusal(model.status(), path);
    return 0;
  }
  converter::ImageSet images;
  const InputFormat& input = model.value().input;
  const size_t pixels = size_t{input.channels} * input.height * input.width;
  for (const uint8_t shade : {0, 130, 255}) {
    images.pixels.emplace_back(pixels, shade);
    images.truth.push_back(-1);
  }
  converter::ConvertOptions options;
  options.mean.assign(input.channels, 0.5F);
  options.stddev.assign(input.channels, 0.25F);
  options.threads = 1;
  options.limits = fuzz::kSmall;
  if (model.value().quantized_code.has_value()) options.code = *model.value().quantized_code;
  const Result<converter::Conversion> conversion =
      converter::Convert(model.value(), images, {}, options, [](const char*, size_t, size_t) {});
  if (!conversion.ok()) {
    RequireCleanRefusal(conversion.status(), path);
    return 0;
  }
  const flatbuffers::DetachedBuffer& bytes = conversion.value().bytes;
  const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "converted");
  if (!network.ok()) std::fprintf(stderr, "%s\n", network.status().message().c_str());
  fuzz::Require(network.ok(), "what the converter makes loads");
  return 0;
}
