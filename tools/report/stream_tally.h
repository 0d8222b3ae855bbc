// Keeps what the report of a stream needs while it runs. Its memory does not grow with the number
// of frames.
#ifndef CSSRUN_TOOLS_REPORT_STREAM_TALLY_H_
#define CSSRUN_TOOLS_REPORT_STREAM_TALLY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/stream.h"
#include "tools/image.h"
#include "tools/report/thumbnail.h"
#include "tools/stream/stream_lines.h"

namespace cssrun::tools {

class StreamTally {
 public:
  static constexpr size_t kMostBins = 512;
  static constexpr size_t kMostStretches = 512;
  static constexpr size_t kMostPictures = 24;
  static constexpr size_t kMostFailures = 20;

  // Some frames in a row.
  struct Bin {
    uint64_t frames = 0;
    double seconds = 0;  // summed
    double slowest = 0;  // seconds
    double changed = 0;  // shares, summed
  };
  // Frames in a row with the same answer.
  struct Stretch {
    size_t answer = 0;
    uint64_t first = 0;
    uint64_t last = 0;
  };
  // A frame with another answer than the one before.
  struct Change {
    FrameResult frame;
    std::optional<Thumbnail> picture;
  };

  // `image` is the frame as it came.
  void Add(const FrameResult& frame, const StreamAnswer& answer, const Image& image);
  void AddDamaged(const FrameResult& frame);

  // Each of BinSize() frames, the last one of fewer.
  const std::vector<Bin>& bins() const { return bins_; }
  uint64_t BinSize() const { return bin_size_; }
  // The first kMostStretches.
  const std::vector<Stretch>& stretches() const { return stretches_; }
  const std::vector<Change>& changes() const { return changes_; }  // the first kMostPictures
  // The number of the last frame, damaged ones counted.
  uint64_t last() const { return last_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void AddToBins(const StreamAnswer& answer);

  std::vector<Bin> bins_;
  uint64_t bin_size_ = 1;
  std::vector<Stretch> stretches_;
  bool full_ = false;  // a stretch did not fit in
  std::vector<Change> changes_;
  uint64_t last_ = 0;
  std::vector<std::string> failures_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_STREAM_TALLY_H_
