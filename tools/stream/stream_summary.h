// Sums up a stream. Its memory does not grow with the number of frames.
#ifndef CSSRUN_TOOLS_STREAM_STREAM_SUMMARY_H_
#define CSSRUN_TOOLS_STREAM_STREAM_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/stream.h"

namespace cssrun::tools {

// Durations, counted in steps of 1 %, from 0.1 microseconds to hours.
class Durations {
 public:
  Durations();
  void Add(double seconds);
  double Percentile(double share) const;  // in seconds; 0 if there are none

 private:
  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
};

class StreamSummary {
 public:
  StreamSummary(const Network& network, const StreamOptions& options);

  void Add(const StreamAnswer& answer);
  void AddDamaged() { ++damaged_; }
  void AddWarning() { ++warned_; }
  void AddAnswerChange() { ++answer_changes_; }
  // Adds the time that a frame took until it could be run.
  void AddLoading(double seconds) { load_seconds_ += seconds; }
  // Call once, at the end, with the duration of the whole stream.
  void Finish(double seconds) { seconds_ = seconds; }

  uint64_t frames() const { return frames_; }  // that were run
  uint64_t damaged() const { return damaged_; }
  uint64_t warned() const { return warned_; }
  uint64_t answer_changes() const { return answer_changes_; }
  const StreamOptions& options() const { return options_; }

  // Sums over all frames, in the order of Network::layers().
  const std::vector<StreamLayer>& layers() const { return layers_; }
  double PerFrame(double total) const;
  // Of a layer's neurons, on average over the frames that have one before them.
  double ChangedShare(size_t layer) const;
  double TouchedShare(size_t layer) const;  // that were computed anew, likewise
  double ChangedShare() const;              // of all neurons
  double Percentile(double share) const;    // of the times of a frame, in milliseconds
  double FramesPerSecond() const { return seconds_ > 0 ? double(frames_) / seconds_ : 0; }
  double UpdatesPerFrame() const;
  double SynopsPerFrame() const;

  // docs/streams.md explains the keys, which scripts may rely on.
  std::string ToJson() const;
  // Returns a few lines for people.
  std::string ToText() const;
  // Returns a table with one line a layer.
  std::string ProfileText() const;

 private:
  double ShareOf(uint64_t neurons, size_t layer) const;

  const Network& network_;
  const StreamOptions options_;
  uint64_t frames_ = 0;
  uint64_t followers_ = 0;  // frames with one before them
  uint64_t damaged_ = 0;
  uint64_t warned_ = 0;
  uint64_t answer_changes_ = 0;
  double seconds_ = 0;
  double load_seconds_ = 0;
  double run_seconds_ = 0;
  double changed_shares_ = 0;  // summed over followers
  Durations durations_;
  std::vector<StreamLayer> layers_;
  // By layer, over followers.
  std::vector<uint64_t> changed_after_first_;
  std::vector<uint64_t> touched_after_first_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_STREAM_STREAM_SUMMARY_H_
