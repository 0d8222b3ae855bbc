// Where the frames of a stream come from: a folder, a video file, a camera or a pipe.
#ifndef CSSRUN_TOOLS_STREAM_FRAME_SOURCE_H_
#define CSSRUN_TOOLS_STREAM_FRAME_SOURCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cssrun/status.h"
#include "tools/image.h"

namespace cssrun::tools {

struct Frame {
  Image image;                    // its memory is kept from frame to frame
  std::optional<double> seconds;  // since the first frame; nothing where frames have no time
  std::string name;               // the file, of a folder's frame; else empty
  std::string error;              // of a frame that could not be decoded
};

enum class Delivered {
  kFrame,
  kDamaged,  // a frame that could not be decoded, see Frame::error; others may follow
  kEnd,
};

// `next` overwrites the frame. After an error, and after kEnd, it must not be called again.
struct FrameSource {
  std::function<Result<Delivered>(Frame& frame)> next;
  std::string remark = {};  // what the user should know beforehand; mostly empty
};

struct FrameSize {
  uint32_t width = 0;
  uint32_t height = 0;
};

struct SourceRequest {
  std::string source;             // a folder, a video file, a camera's device, or "-"
  std::optional<FrameSize> size;  // of the frames on a pipe, which do not say it; of a camera
  ImageLimits limits;
  uint64_t most_frames = 0;  // of a video file or a folder
  bool upright = false;      // turn a folder's photos by their EXIF orientation
  // Ends the stream once it is true, soon also where no frame comes. Not null.
  const std::atomic<bool>* stop = nullptr;
};

// Opens what the request names. Errors, which begin with the source: kIo, kInvalidArgument where it
// is nothing that frames can be read of, or the size is missing or superfluous.
Result<FrameSource> OpenSource(const SourceRequest& request);

// The following functions take a source of their kind.
Result<FrameSource> OpenFolder(const SourceRequest& request);
// Frames of 24 bits (RGB) on standard input, one after another.
Result<FrameSource> OpenPipe(const SourceRequest& request);
// Decoded by FFmpeg's libraries, see video.h; without them the error says what to do.
Result<FrameSource> OpenVideoFile(const SourceRequest& request);
Result<FrameSource> OpenCamera(const SourceRequest& request);

// The error of a source with more frames than it may have.
inline Status TooManyFrames(const SourceRequest& request) {
  return Status::InvalidArgument(request.source + ": more than " +
                                 std::to_string(request.most_frames) +
                                 " frames; if you trust it, raise the limit \"frames\"");
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_STREAM_FRAME_SOURCE_H_
