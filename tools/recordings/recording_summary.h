// Sums up a run of recordings. Its memory does not grow with their length.
#ifndef CSSRUN_TOOLS_RECORDINGS_RECORDING_SUMMARY_H_
#define CSSRUN_TOOLS_RECORDINGS_RECORDING_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cssrun/event_session.h"
#include "cssrun/network.h"
#include "tools/output.h"
#include "tools/recordings/event.h"
#include "tools/recordings/step_cutter.h"

namespace cssrun::tools {

class RecordingSummary {
 public:
  RecordingSummary(const Network& network, const CutOptions& cut, bool profile, unsigned threads);

  // A recording that was run to its end: what it answered, its events, and the session's work on
  // it. `run_seconds` passed in the network, and `load_seconds` in reading.
  void Add(const ImageResult& answer, bool right_in_five, const StepCutter& cutter,
           const std::vector<EventLayer>& layers, double load_seconds, double run_seconds);
  void AddFailed() { ++failed_; }
  void AddDamage(const Damage& damage);
  // Call once, at the end, with the duration of the whole run.
  void Finish(double seconds) { seconds_ = seconds; }

  uint64_t recordings() const { return recordings_; }  // that were run
  uint64_t failed() const { return failed_; }
  uint64_t damaged() const { return damaged_; }
  uint64_t graded() const { return graded_; }  // with a known class
  uint64_t right() const { return right_; }
  uint64_t events() const { return events_; }  // that reached the network
  uint64_t left_out() const { return left_out_; }
  uint64_t steps() const { return steps_; }
  double run_seconds() const { return run_seconds_; }
  // Of a step, in seconds; 0 where steps are of events.
  double step_seconds() const;
  double Synops() const;
  const std::vector<EventLayer>& layers() const { return layers_; }  // sums over recordings
  double PerRecording(double total) const;
  double Rate(size_t layer) const;  // spikes per neuron and step

  // docs/recordings.md explains the keys, which scripts may rely on.
  std::string ToJson() const;
  // Returns a few lines for people.
  std::string ToText() const;
  // Returns a table with one line a layer.
  std::string ProfileText() const;

 private:
  const Network& network_;
  CutOptions cut_;
  bool profile_;
  unsigned threads_;
  uint64_t recordings_ = 0;
  uint64_t failed_ = 0;
  uint64_t damaged_ = 0;
  uint64_t graded_ = 0;
  uint64_t right_ = 0;
  uint64_t right_in_five_ = 0;
  uint64_t events_ = 0;
  uint64_t left_out_ = 0;
  uint64_t steps_ = 0;
  double seconds_ = 0;
  double load_seconds_ = 0;
  double run_seconds_ = 0;
  std::vector<EventLayer> layers_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_RECORDING_SUMMARY_H_
