// Keeps what the report of recordings needs while they run. Its memory does not grow with their
// length, and little with their number.
#ifndef CSSRUN_TOOLS_REPORT_RECORDING_TALLY_H_
#define CSSRUN_TOOLS_REPORT_RECORDING_TALLY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/recordings/recording_lines.h"

namespace cssrun::tools {

// Samples a recording at even distances, which double when there are many.
class RecordingTally {
 public:
  static constexpr size_t kMostSamples = 256;
  static constexpr size_t kMostRecordings = 200;
  static constexpr size_t kMostFailures = 20;

  // What happened in SampleSteps() steps.
  struct Sample {
    uint64_t steps = 0;
    uint64_t events = 0;
    std::vector<uint64_t> spikes;  // by layer
    size_t answer = 0;             // the best class at the end
  };

  // Whose samples are shown: those of the first recording.
  void Begin();
  // The steps after the last sample until the next is due.
  uint64_t SampleSteps() const { return sample_steps_; }
  void Add(Sample sample);
  void End(const RecordingResult& result);
  void AddFailed(const std::string& message);

  const std::vector<Sample>& samples() const { return samples_; }
  bool sampling() const { return sampling_; }
  const std::vector<RecordingResult>& results() const { return results_; }  // the first ones
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  bool sampling_ = false;
  bool sampled_ = false;
  uint64_t sample_steps_ = 1;
  std::vector<Sample> samples_;
  std::vector<RecordingResult> results_;
  std::vector<std::string> failures_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_RECORDING_TALLY_H_
