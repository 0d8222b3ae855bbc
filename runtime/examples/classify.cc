// Classifies one image: classify net.fb image.ppm
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

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

  const cssrun::InputFormat& input = network.value()->input();
  const size_t count = size_t{input.channels} * input.height * input.width;
  const std::unique_ptr<uint8_t, decltype(&std::free)> pixels(
      ReadPpm(argv[2], input.width, input.height, count), std::free);
  if (pixels == nullptr) return 1;

  // Make one session per thread.
  auto session = cssrun::Session::Create(network.value());
  if (!session.ok()) return Fail(session.status());
  cssrun::Answer answer;
  const cssrun::Status status = session.value().Run({pixels.get(), count}, answer);
  if (!status.ok()) return Fail(status);

  const size_t best = answer.best();
  const auto& labels = network.value()->labels();
  std::printf("%s %.3f\n", labels.empty() ? std::to_string(best).c_str() : labels[best].c_str(),
              static_cast<double>(answer.logits[best]));
  return 0;
}
