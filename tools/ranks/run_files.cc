#include "tools/ranks/run_files.h"

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tools/image_io.h"

namespace cssrun::tools {
namespace {

// Takes the warnings from the threads that decode to the one that delivers.
class Warnings {
 public:
  void Put(size_t index, std::string warning) {
    if (warning.empty()) return;
    const std::lock_guard lock(mutex_);
    warnings_.emplace(index, std::move(warning));
  }
  std::string Take(size_t index) {
    const std::lock_guard lock(mutex_);
    const auto found = warnings_.extract(index);
    return found.empty() ? std::string() : std::move(found.mapped());
  }

 private:
  std::mutex mutex_;
  std::unordered_map<size_t, std::string> warnings_;
};

}  // namespace

InputFormat FormatOf(const Network& network, bool upright) {
  InputFormat format = network.input();
  format.exif = format.exif || upright;
  return format;
}

Status RunFiles(const std::shared_ptr<const Network>& network, const InputFormat& format,
                const SessionOptions& options, const ImageLimits& limits, unsigned threads,
                size_t count, const std::function<const std::string&(size_t index)>& path,
                const DeliverFile& deliver) {
  Warnings warnings;
  FileOutcome file;  // kept, so that its buffers are
  return RunImages(
      network, options, count, threads,
      [&](size_t index, std::vector<uint8_t>& pixels) {
        std::string warning;
        Status status = ReadPixels(path(index), format, pixels, limits, &warning);
        warnings.Put(index, std::move(warning));
        return status;
      },
      [&](size_t index, const ImageOutcome& outcome) {
        static_cast<ImageOutcome&>(file) = outcome;
        file.warning = warnings.Take(index);
        return deliver(index, file);
      });
}

}  // namespace cssrun::tools
