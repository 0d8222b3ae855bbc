// Keeps what the report of recordings needs while they run. Its memory does not grow with their
// length, and little with their number.
#ifndef CSSRUN_TOOLS_REPORT_RECORDING_TALLY_H_
#define CSSRUN_TOOLS_REPORT_RECORDING_TALLY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tools/recordings/recording_lines.h"

namespace cssrun::tools {

// A recording at even distances, which double when there are too many samples.
class RecordingSamples {
 public:
  static constexpr size_t kMost = 256;

  // What happened in steps() steps, or fewer at the end.
  struct Sample {
    uint64_t steps = 0;
    uint64_t events = 0;
    std::vector<uint64_t> spikes;  // by layer
    size_t answer = 0;             // the best class at the end
  };

  // The steps from the last sample to the next.
  uint64_t steps() const { return steps_; }
  void Add(Sample sample);
  const std::vector<Sample>& all() const { return samples_; }

 private:
  uint64_t steps_ = 1;
  std::vector<Sample> samples_;
};

struct RecordingTally {
  static constexpr size_t kMostRecordings = 200;
  static constexpr size_t kMostFailures = 20;

  void Add(const RecordingResult& result) {
    if (results.size() < kMostRecordings) results.push_back(result);
  }
  void AddFailed(const std::string& message) {
    if (failures.size() < kMostFailures) failures.push_back(message);
  }

  std::string sampled;  // the path of the recording of the samples
  RecordingSamples samples;
  std::vector<RecordingResult> results;  // the first ones
  std::vector<std::string> failures;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_RECORDING_TALLY_H_
