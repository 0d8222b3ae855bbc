// Classifies one image: classify net.fb image.ppm
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "cssrun/cssrun.h"
#include "ppm.h"

namespace {

int Fail(const cssrun::Status& status) {
  std::fprintf(stderr, "%s\n", status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s net.fb image.ppm\n", argv[0]);
    return 2;
  }
  cssrun::LoadOptions options;
  options.log = [](cssrun::LogLevel level, std::string_view message) {
    if (level == cssrun::LogLevel::kWarning) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
    }
  };
  // Load a network once: any number of threads may share it.
  const auto network = cssrun::Network::Load(argv[1], options);
  if (!network.ok()) return Fail(network.status());

  uint32_t width = 0;
  uint32_t height = 0;
  const std::unique_ptr<uint8_t, decltype(&std::free)> picture(ReadPpm(argv[2], &width, &height),
                                                               std::free);
  if (picture == nullptr) return 1;
  // Resizes and cuts out, as the network was trained.
  std::vector<uint8_t> pixels;
  const cssrun::Status prepared = cssrun::Preprocess(
      network.value()->input(), {picture.get(), size_t{width} * height * 3}, width, height, pixels);
  if (!prepared.ok()) return Fail(prepared);

  // Make one session per thread.
  auto session = cssrun::Session::Create(network.value());
  if (!session.ok()) return Fail(session.status());
  cssrun::Answer answer;
  const cssrun::Status status = session.value().Run(pixels, answer);
  if (!status.ok()) return Fail(status);

  const size_t best = answer.best();
  const auto& labels = network.value()->labels();
  std::printf("%s %.3f\n", labels.empty() ? std::to_string(best).c_str() : labels[best].c_str(),
              static_cast<double>(answer.logits[best]));
  return 0;
}
