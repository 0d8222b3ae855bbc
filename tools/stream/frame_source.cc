#include "tools/stream/frame_source.h"

#include <filesystem>
#include <system_error>

namespace cssrun::tools {
namespace {

namespace fs = std::filesystem;

Status RefuseSize(const SourceRequest& request, const char* kind) {
  return Status::InvalidArgument(request.source + ": " + kind +
                                 " knows the size of its frames; leave --size out");
}

}  // namespace

Result<FrameSource> OpenSource(const SourceRequest& request) {
  if (request.source == "-") return OpenPipe(request);
  std::error_code error;
  const fs::file_status status = fs::status(request.source, error);
  if (!fs::exists(status)) {
    return Status::Io(request.source + ": " +
                      (error ? error.message() : "no such file, folder or camera"));
  }
  if (fs::is_directory(status)) {
    return request.size.has_value() ? RefuseSize(request, "a folder") : OpenFolder(request);
  }
  if (fs::is_character_file(status)) return OpenCamera(request);
  if (fs::is_regular_file(status)) {
    return request.size.has_value() ? RefuseSize(request, "a video") : OpenVideoFile(request);
  }
  return Status::Io(request.source +
                    ": neither a file, a folder nor a camera; raw frames of a pipe are read from "
                    "standard input: cssrun NET --stream - --size WxH < PIPE");
}

}  // namespace cssrun::tools
