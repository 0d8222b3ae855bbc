// Raw frames on standard input.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include "tools/stream/frame_source.h"

namespace cssrun::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kName[] = "standard input";
// How long a pipe without frames may keep the program from noticing that it is to stop.
constexpr int kPatienceMilliseconds = 200;

struct Pipe {
  FrameSize size;
  const std::atomic<bool>* stop = nullptr;
  std::optional<Clock::time_point> first;

  // Reads until the bytes are full, the pipe ends or the program is to stop. Returns how many came.
  Result<size_t> Fill(std::vector<uint8_t>& bytes) const {
    size_t count = 0;
    while (count < bytes.size() && !*stop) {
      pollfd polled = {STDIN_FILENO, POLLIN, 0};
      const int ready = poll(&polled, 1, kPatienceMilliseconds);
      if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
      const ssize_t came = read(STDIN_FILENO, bytes.data() + count, bytes.size() - count);
      if (came == 0) break;
      if (came < 0 && errno != EINTR && errno != EAGAIN) {
        return Status::Io(std::string(kName) + ": " + std::strerror(errno));
      }
      if (came > 0) count += static_cast<size_t>(came);
    }
    return count;
  }

  Result<Delivered> Next(Frame& frame) {
    Image& image = frame.image;
    image.width = size.width;
    image.height = size.height;
    image.rgb.resize(size_t{size.width} * size.height * 3);
    const Result<size_t> count = Fill(image.rgb);
    if (!count.ok()) return count.status();
    if (count.value() < image.rgb.size()) {
      if (count.value() == 0 || *stop) return Delivered::kEnd;
      frame.error = std::string(kName) + ": the last frame has " + std::to_string(count.value()) +
                    " of " + std::to_string(image.rgb.size()) +
                    " bytes; is --size right, and are the frames rgb24?";
      return Delivered::kDamaged;
    }
    const Clock::time_point now = Clock::now();
    if (!first.has_value()) first = now;
    frame.seconds = std::chrono::duration<double>(now - *first).count();
    return Delivered::kFrame;
  }
};

}  // namespace

Result<FrameSource> OpenPipe(const SourceRequest& request) {
  if (isatty(STDIN_FILENO) == 1) {
    return Status::InvalidArgument(
        std::string(kName) +
        ": a terminal; pipe frames into it: ffmpeg -i VIDEO -f rawvideo -pix_fmt rgb24 - | ...");
  }
  if (!request.size.has_value()) {
    return Status::InvalidArgument(
        std::string(kName) +
        ": raw frames do not say their size; give --size WxH, such as --size 640x360");
  }
  const Status fits = CheckSize(request.size->width, request.size->height, request.limits);
  if (!fits.ok()) return Status(fits.code(), "--size: " + fits.message());
  const auto pipe = std::make_shared<Pipe>(Pipe{*request.size, request.stop, {}});
  return FrameSource{[pipe](Frame& frame) { return pipe->Next(frame); }};
}

}  // namespace cssrun::tools
