// Raw frames on standard input.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "tools/file_kinds.h"
#include "tools/stream/frame_source.h"

namespace cssrun::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kName[] = "standard input";
// How long a pipe without frames may keep the program from noticing that it is to stop.
constexpr int kPatienceMilliseconds = 200;

// What the first bytes are of, if they are no raw frames: taken for pixels, they would be answered.
// A raw frame may begin with a short mark by chance, so more than that is asked for.
const char* NameOfFile(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view head = text.substr(0, 64);
  const auto has = [&](std::string_view word) { return head.find(word) < head.size(); };
  const FileKind kind = RecognizeFile(bytes);
  bool sure = false;
  switch (kind) {
    case FileKind::kY4m:
    case FileKind::kPng:
    case FileKind::kAvi:
      sure = true;
      break;
    case FileKind::kJpeg:
      sure = head.find("JFIF") == 6;
      break;
    case FileKind::kMatroska:
      sure = has("matroska") || has("webm");
      break;
    case FileKind::kMp4:
    case FileKind::kAvif:
    case FileKind::kHeic:
      sure = head.starts_with(std::string_view("\0\0\0", 3));
      return sure ? NameOf(FileKind::kMp4) : nullptr;
    default:
      break;
  }
  return sure ? NameOf(kind) : nullptr;
}

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
    const char* const file =
        first.has_value() ? nullptr : NameOfFile(std::span(image.rgb).first(count.value()));
    if (file != nullptr) {
      return Status::InvalidArgument(std::string(kName) + ": " + file +
                                     ", not raw frames; make those of it: ffmpeg -i - -f rawvideo "
                                     "-pix_fmt rgb24 - | ..., or name the file");
    }
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
