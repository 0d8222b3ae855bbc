#include "tools/report/stream_tally.h"

#include <algorithm>
#include <utility>

namespace cssrun::tools {

void StreamTally::AddToBins(const StreamAnswer& answer) {
  if (bins_.empty() || bins_.back().frames == bin_size_) {
    if (bins_.size() == kMostBins) {
      // Two become one each, so that there is room again.
      for (size_t i = 0; i < kMostBins / 2; ++i) {
        const Bin& a = bins_[2 * i];
        const Bin& b = bins_[2 * i + 1];
        bins_[i] = {a.frames + b.frames, a.seconds + b.seconds, std::max(a.slowest, b.slowest),
                    a.changed + b.changed};
      }
      bins_.resize(kMostBins / 2);
      bin_size_ *= 2;
    }
    bins_.emplace_back();
  }
  Bin& bin = bins_.back();
  ++bin.frames;
  bin.seconds += answer.seconds;
  bin.slowest = std::max(bin.slowest, answer.seconds);
  bin.changed += answer.changed_share();
}

void StreamTally::Add(const FrameResult& frame, const StreamAnswer& answer, const Image& image) {
  last_ = frame.number;
  AddToBins(answer);
  if (frame.guesses.empty() || full_) return;
  const size_t best = frame.guesses[0].index;
  if (!stretches_.empty() && stretches_.back().answer == best) {
    stretches_.back().last = frame.number;
    return;
  }
  full_ = stretches_.size() == kMostStretches;
  if (full_) return;
  stretches_.push_back({best, frame.number, frame.number});
  if (changes_.size() == kMostPictures) return;
  Result<Thumbnail> picture = MakeThumbnail(image);
  changes_.push_back(
      {frame, picture.ok() ? std::optional(std::move(picture).value()) : std::nullopt});
}

void StreamTally::AddDamaged(const FrameResult& frame) {
  last_ = frame.number;
  if (failures_.size() == kMostFailures) return;
  failures_.push_back("frame " + std::to_string(frame.number) + ": " + frame.error);
}

}  // namespace cssrun::tools
