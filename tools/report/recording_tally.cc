#include "tools/report/recording_tally.h"

namespace cssrun::tools {

void RecordingSamples::Add(Sample sample) {
  if (samples_.size() == kMost) {
    // Two become one each, so that there is room again.
    for (size_t i = 0; i < kMost / 2; ++i) {
      const Sample& first = samples_[2 * i];
      Sample both = samples_[2 * i + 1];
      both.steps += first.steps;
      both.events += first.events;
      for (size_t k = 0; k < both.spikes.size(); ++k) both.spikes[k] += first.spikes[k];
      samples_[i] = std::move(both);
    }
    samples_.resize(kMost / 2);
    steps_ *= 2;
  }
  samples_.push_back(std::move(sample));
}

}  // namespace cssrun::tools
