#include "tools/report/recording_tally.h"

#include <utility>

namespace cssrun::tools {

void RecordingTally::Begin() {
  sampling_ = !sampled_;
  if (!sampling_) return;
  samples_.clear();
  sample_steps_ = 1;
}

void RecordingTally::Add(Sample sample) {
  if (samples_.size() == kMostSamples) {
    // Two become one each, so that there is room again.
    for (size_t i = 0; i < kMostSamples / 2; ++i) {
      const Sample& first = samples_[2 * i];
      Sample both = samples_[2 * i + 1];
      both.steps += first.steps;
      both.events += first.events;
      for (size_t k = 0; k < both.spikes.size(); ++k) both.spikes[k] += first.spikes[k];
      samples_[i] = std::move(both);
    }
    samples_.resize(kMostSamples / 2);
    sample_steps_ *= 2;
  }
  samples_.push_back(std::move(sample));
}

void RecordingTally::End(const RecordingResult& result) {
  if (sampling_) sampled_ = true;
  sampling_ = false;
  if (results_.size() < kMostRecordings) results_.push_back(result);
}

void RecordingTally::AddFailed(const std::string& message) {
  sampling_ = false;
  if (failures_.size() < kMostFailures) failures_.push_back(message);
}

}  // namespace cssrun::tools
