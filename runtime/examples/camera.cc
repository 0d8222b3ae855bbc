// Classifies a series of frames, as from a camera, each within a time budget:
//     camera net.fb frame.ppm FRAMES BUDGET_MS
// Each frame is the image moved up by one more row. A run ends when the network is sure of the
// class, or when the budget is used up; the reading so far is then the answer.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "cssrun/cssrun.h"
#include "ppm.h"

namespace {

const char* EndingName(cssrun::Ending ending) {
  switch (ending) {
    case cssrun::Ending::kComplete:
      return "complete";
    case cssrun::Ending::kSure:
      return "sure";
    case cssrun::Ending::kStopped:
      return "stopped";
    case cssrun::Ending::kLate:
      break;
  }
  return "late";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s net.fb frame.ppm FRAMES BUDGET_MS\n", argv[0]);
    return 2;
  }
  const auto network = cssrun::Network::Load(argv[1]);
  if (!network.ok()) {
    std::fprintf(stderr, "%s\n", network.status().message().c_str());
    return 1;
  }
  const cssrun::InputFormat& input = network.value()->input();
  uint32_t width = 0;
  uint32_t height = 0;
  const std::unique_ptr<uint8_t, decltype(&std::free)> picture(ReadPpm(argv[2], &width, &height),
                                                               std::free);
  if (picture == nullptr) return 1;
  std::vector<uint8_t> frame;
  const cssrun::Status prepared =
      cssrun::Preprocess(input, {picture.get(), size_t{width} * height * 3}, width, height, frame);
  if (!prepared.ok()) {
    std::fprintf(stderr, "%s\n", prepared.message().c_str());
    return 1;
  }

  cssrun::SessionOptions options;
  options.time_limit = std::chrono::nanoseconds(static_cast<int64_t>(std::atof(argv[4]) * 1e6));
  // The margin that the converter measured, if it did.
  options.early_exit_margin = network.value()->early_exit_margin().value_or(2.0);
  cssrun::Session session(network.value(), options);

  cssrun::Answer answer;
  int dropped = 0;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    const auto start = std::chrono::steady_clock::now();
    const cssrun::Status status = session.Run(frame, answer);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (status.code() == cssrun::StatusCode::kTimedOut) {
      ++dropped;  // the time was up before the first reading
    } else if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.message().c_str());
      return 1;
    } else {
      std::printf("frame %d: class %zu after %u of %u steps, %s, %.2f ms\n", i, answer.best(),
                  answer.steps, network.value()->latency_steps(), EndingName(answer.ending),
                  took.count());
    }
    std::rotate(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(input.width) * input.channels,
                frame.end());
  }
  std::printf("%d dropped\n", dropped);
  return 0;
}
