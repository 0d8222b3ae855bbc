// Videos and cameras, by a module that is loaded where it is needed.
#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "tools/stream/frame_source.h"
#include "tools/stream/video.h"

namespace cssrun::tools {
namespace {

namespace fs = std::filesystem;

constexpr char kModule[] = "cssrun_video.so";

// Beside the program, as in a build, or in the installation's folder of libraries.
OpenVideoFunction* FindModule(std::string& why) {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& path :
       {folder / kModule, folder / CSSRUN_LIBRARIES_FROM_PROGRAMS / "cssrun" / kModule}) {
    if (fs::exists(path, error)) return LoadVideoModule(path.string(), why);
  }
  why = "built or installed without it";
  return nullptr;
}

Result<FrameSource> Open(const SourceRequest& request, bool camera) {
  std::string why;
  if (OpenVideoFunction* open = FindModule(why); open != nullptr) {
    Result<FrameSource> opened = Status::OutOfMemory();
    open(request, camera, opened);
    return opened;
  }
  return Status::InvalidArgument(
      request.source + ": no module that reads videos (" + why +
      "); install libavformat-dev, libavcodec-dev and libswscale-dev and build again, or let "
      "ffmpeg "
      "decode it: ffmpeg " +
      (camera ? "-f v4l2 " : "") + "-i " + request.source +
      " -s 640x360 -f rawvideo -pix_fmt rgb24 - | cssrun NET --stream - --size 640x360");
}

}  // namespace

OpenVideoFunction* LoadVideoModule(const std::string& path, std::string& why) {
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* function = module == nullptr ? nullptr : dlsym(module, kOpenVideoName);
  if (function == nullptr) {
    const char* error = dlerror();
    why = error == nullptr ? path : error;
  }
  return reinterpret_cast<OpenVideoFunction*>(function);
}

Result<FrameSource> OpenVideoFile(const SourceRequest& request) { return Open(request, false); }

Result<FrameSource> OpenCamera(const SourceRequest& request) { return Open(request, true); }

}  // namespace cssrun::tools
