// Sums up a run of many images.
#ifndef CSSRUN_TOOLS_SUMMARY_H_
#define CSSRUN_TOOLS_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/batch.h"
#include "cssrun/network.h"
#include "tools/image_list.h"
#include "tools/label_file.h"

namespace cssrun::tools {

// An image's results as an earlier run wrote them.
struct EarlierResult {
  bool failed = false;
  int truth = -1;                     // negative: not known
  size_t best = 0;                    // class
  std::optional<bool> right_in_five;  // nothing if the line has too few classes to say
};

class Summary {
 public:
  explicit Summary(const Network& network);

  // `truth`: the class index, or a negative number where it is unknown. Another class of the same
  // name is right, too.
  void Add(const ImageOutcome& outcome, int truth);
  // Adds an image that an earlier run has done. It counts in images, failed and accuracy; its cost
  // is not known.
  void AddEarlier(const EarlierResult& result);
  // Call once, at the end, with the duration of the whole run and the number of threads.
  void Finish(double seconds, unsigned threads);

  // The number of images of this run.
  size_t images() const { return images_; }
  // The number of images of this run and of earlier ones.
  size_t all_images() const { return images_ + earlier_; }
  size_t failed() const { return failed_; }
  // Adds an image whose decoder complained.
  void AddWarning() { ++warned_; }
  void SetLeftOut(LeftOut left_out) { left_out_ = std::move(left_out); }
  size_t warned() const { return warned_; }
  size_t graded() const { return graded_; }  // images with a known truth
  size_t right() const { return right_; }
  size_t right_in_five() const { return right_in_five_; }
  size_t earlier() const { return earlier_ + earlier_failed_; }
  size_t graded_here() const {
    return graded_ - earlier_graded_;
  }  // images of this run with a known truth
  bool knows_five() const { return network_.logits() >= 5 && five_known_; }
  double seconds() const { return seconds_; }
  unsigned threads() const { return threads_; }

  // The answers if the readout had been read after one of its steps.
  struct AtStep {
    uint32_t step = 0;
    size_t right = 0;
    size_t as_at_the_end = 0;  // the best class is that after the last step
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
  double AnnEnergyPerImage() const;  // of the dense ANN, in joules

  // docs/programs.md explains the keys, which scripts may rely on.
  std::string ToJson(bool profiled) const;
  // Returns a few lines for people.
  std::string ToText() const;
  // Returns a table with one line a layer.
  std::string ProfileText() const;
  // Returns a table with one line for each step at which the readout may be read. It requires
  // answers with readings.
  std::string StepsText() const;

 private:
  std::string StepsPerImage() const;

  const Network& network_;
  size_t images_ = 0;  // images that were run
  Twins twins_;
  size_t failed_ = 0;
  size_t warned_ = 0;
  LeftOut left_out_;
  size_t graded_ = 0;
  size_t earlier_ = 0;  // images of AddEarlier()
  size_t earlier_failed_ = 0;
  size_t earlier_graded_ = 0;
  bool five_known_ = true;
  size_t right_ = 0;
  size_t right_in_five_ = 0;
  double seconds_ = 0;
  double load_seconds_ = 0;
  double run_seconds_ = 0;
  unsigned threads_ = 0;
  std::vector<double> latencies_;  // in seconds, sorted by Finish()
  double steps_ = 0;               // steps that were run, over all images
  std::vector<LayerStatistics> layers_;
  std::vector<AtStep> at_steps_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_SUMMARY_H_
