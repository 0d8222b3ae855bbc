// The frames of a folder: its images, in order.
#include <algorithm>
#include <cstring>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/stream/frame_source.h"

namespace cssrun::tools {
namespace {

struct Folder {
  std::vector<ImageFile> files;
  SourceRequest request;
  size_t next = 0;

  Result<Delivered> Next(Frame& frame) {
    if (next == files.size() || *request.stop) return Delivered::kEnd;
    frame.name = files[next++].path;
    Result<Image> image = ReadImage(frame.name, request.limits, request.upright);
    if (!image.ok()) {
      frame.error = image.status().message();
      return Delivered::kDamaged;
    }
    frame.image = std::move(image).value();
    return Delivered::kFrame;
  }
};

}  // namespace

Result<FrameSource> OpenFolder(const SourceRequest& request) {
  LeftOut left_out;
  Result<std::vector<ImageFile>> listed = ListImages({request.source}, {}, std::cin, &left_out);
  if (!listed.ok()) return listed.status();
  const auto folder = std::make_shared<Folder>(Folder{std::move(listed).value(), request});
  if (folder->files.empty()) {
    const std::string left = DescribeLeftOut(left_out);
    return Status::InvalidArgument(request.source + ": no frames (" + kReadKinds + ") in it" +
                                   (left.empty() ? "" : "; " + left));
  }
  if (folder->files.size() > request.most_frames) return TooManyFrames(request);
  // Frame 2 comes before frame 10, also where the numbers have no zeros before them.
  std::ranges::sort(folder->files, [](const ImageFile& a, const ImageFile& b) {
    return strverscmp(a.path.c_str(), b.path.c_str()) < 0;
  });
  return FrameSource{[folder](Frame& frame) { return folder->Next(frame); },
                     DescribeLeftOut(left_out)};
}

}  // namespace cssrun::tools
