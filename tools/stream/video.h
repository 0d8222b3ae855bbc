// The module that reads videos and cameras, cssrun_video.so.
//
// It is loaded when a stream first asks for it, because FFmpeg's libraries bring 130 others along,
// which would make every start of cssrun take 70 ms longer; and so that cssrun can be installed
// without them.
#ifndef CSSRUN_TOOLS_STREAM_VIDEO_H_
#define CSSRUN_TOOLS_STREAM_VIDEO_H_

#include <string>

#include "cssrun/status.h"
#include "tools/stream/frame_source.h"

namespace cssrun::tools {

// What the module exports. Opens the request's video file, or its camera.
using OpenVideoFunction = void(const SourceRequest& request, bool camera,
                               Result<FrameSource>& opened);
inline constexpr char kOpenVideoName[] = "CssrunOpenVideo";

// Loads the module `path`. Returns null where it is not there or cannot be loaded; `why` then says
// so.
OpenVideoFunction* LoadVideoModule(const std::string& path, std::string& why);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_STREAM_VIDEO_H_
