// Keeps what a report needs of the images while they run: counts, and the few hardest images. Its
// memory does not grow with the number of images, except for the pairs of classes that were
// mistaken for each other.
#ifndef CSSRUN_TOOLS_REPORT_TALLY_H_
#define CSSRUN_TOOLS_REPORT_TALLY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "cssrun/batch.h"
#include "tools/image_list.h"
#include "tools/output.h"
#include "tools/summary.h"

namespace cssrun::tools {

struct HardImage {
  std::string path;
  int truth = kUnknownTruth;
  // The true class's logit minus the best other one's; it is negative where the answer is wrong.
  // Where the truth is not known, the best class's lead.
  double lead = 0;
  std::vector<Guess> guesses;  // the best three, then the true class if not among them
};

struct Confusion {
  size_t truth = 0;
  size_t answer = 0;  // the class answered instead
  uint64_t count = 0;
};

class Tally {
 public:
  static constexpr size_t kHardest = 24;
  static constexpr size_t kFailures = 20;

  // `labels`: the network's; empty where it has none.
  Tally(std::vector<std::string> labels, size_t classes);

  void Add(const ImageFile& file, const ImageOutcome& outcome);
  // Adds an image of an earlier run, which counts in the classes only.
  void AddEarlier(const EarlierResult& result);

  // Counts of images whose class is known.
  struct ClassCount {
    uint64_t images = 0;
    uint64_t right = 0;
  };
  const std::vector<ClassCount>& classes() const { return classes_; }
  uint64_t CountOf(size_t truth, size_t answer) const;
  // Returns the most frequent confusions first; equal ones in the order of the classes.
  std::vector<Confusion> MostConfused(size_t count) const;

  // Returns the images with the smallest lead first; equal ones in the order of the images.
  std::vector<HardImage> Hardest() const;

  uint64_t failed() const { return failed_; }
  // The messages of the first kFailures images that failed.
  const std::vector<std::string>& failures() const { return failures_; }

  // Returns the class's name, or its index where the network has no labels.
  std::string LabelOf(size_t index) const;

 private:
  void Count(int truth, size_t answer);
  void AddHard(const ImageFile& file, const std::vector<float>& logits, size_t best);

  const std::vector<std::string> labels_;
  std::vector<ClassCount> classes_;
  std::unordered_map<uint64_t, uint64_t> mistakes_;  // truth * classes + answer
  std::multimap<double, HardImage> hardest_;         // by lead
  uint64_t failed_ = 0;
  std::vector<std::string> failures_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_TALLY_H_
