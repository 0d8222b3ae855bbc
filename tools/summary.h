// What a run of many images added up to.
#ifndef CSSRUN_TOOLS_SUMMARY_H_
#define CSSRUN_TOOLS_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/batch.h"
#include "cssrun/network.h"

namespace cssrun::tools {

// What the line that an earlier run has written says about an image.
struct EarlierResult {
  bool failed = false;
  int truth = -1;                     // negative: not known
  size_t best = 0;                    // class
  std::optional<bool> right_in_five;  // nothing: the line has too few classes to say
};

class Summary {
 public:
  explicit Summary(const Network& network);

  // `truth`: class index, or a negative number where unknown.
  void Add(const ImageOutcome& outcome, int truth);
  // An image that an earlier run has done: counts in images, failed and accuracy; what it cost is
  // not known.
  void AddEarlier(const EarlierResult& result);
  // Call once, at the end: how long everything took, and with how many threads.
  void Finish(double seconds, unsigned threads);

  // Of this run.
  size_t images() const { return images_; }
  // Of earlier ones as well.
  size_t all_images() const { return images_ + earlier_; }
  size_t failed() const { return failed_; }
  size_t graded() const { return graded_; }  // with a known truth
  size_t right() const { return right_; }
  size_t right_in_five() const { return right_in_five_; }
  size_t earlier() const { return earlier_ + earlier_failed_; }
  size_t graded_here() const { return graded_ - earlier_graded_; }  // in this run
  bool knows_five() const { return network_.logits() >= 5 && five_known_; }
  double seconds() const { return seconds_; }
  unsigned threads() const { return threads_; }

  // The answers as they would be if read after one step of the readout.
  struct AtStep {
    uint32_t step = 0;
    size_t right = 0;
    size_t as_at_the_end = 0;  // same best class as after the last step
    double synops = 0;
  };
  const std::vector<AtStep>& at_steps() const { return at_steps_; }

  // Sums over all images, in the order of Network::layers().
  const std::vector<LayerStatistics>& layers() const { return layers_; }
  double PerImage(double total) const;
  double Rate(size_t layer) const;        // spikes per neuron and step
  double Percentile(double share) const;  // of the run times, in milliseconds
  double SpikesPerImage() const;
  double SynopsPerImage() const;
  double DirectMacsPerImage() const;
  double EnergyPerImage() const;     // joules
  double AnnEnergyPerImage() const;  // of the dense ANN

  // docs/programs.md explains the keys: the contract of --summary.
  std::string ToJson(bool profiled) const;
  // A few lines for people.
  std::string ToText() const;
  // A table with one line a layer.
  std::string ProfileText() const;
  // A table with one line for each step at which the readout may be read; answers must have
  // readings.
  std::string StepsText() const;

 private:
  std::string StepsPerImage() const;

  const Network& network_;
  size_t images_ = 0;  // that were run
  size_t failed_ = 0;
  size_t graded_ = 0;
  size_t earlier_ = 0;  // of AddEarlier
  size_t earlier_failed_ = 0;
  size_t earlier_graded_ = 0;
  bool five_known_ = true;
  size_t right_ = 0;
  size_t right_in_five_ = 0;
  double seconds_ = 0;
  double load_seconds_ = 0;
  double run_seconds_ = 0;
  unsigned threads_ = 0;
  std::vector<double> latencies_;  // seconds, sorted by Finish
  double steps_ = 0;               // that were run, over all images
  std::vector<LayerStatistics> layers_;
  std::vector<AtStep> at_steps_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_SUMMARY_H_
