#include "tools/ranks/run_files.h"

#include <cstdint>
#include <vector>

#include "tools/image_io.h"

namespace cssrun::tools {

Status RunFiles(const std::shared_ptr<const Network>& network, const SessionOptions& options,
                const ImageLimits& limits, unsigned threads, size_t count,
                const std::function<const std::string&(size_t index)>& path,
                const DeliverOutcome& deliver) {
  return RunImages(
      network, options, count, threads,
      [&](size_t index, std::vector<uint8_t>& pixels) {
        return ReadPixels(path(index), network->input(), pixels, limits);
      },
      deliver);
}

}  // namespace cssrun::tools
