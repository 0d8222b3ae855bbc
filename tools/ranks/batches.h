// Decides which images are handed out next, and delivers results in order, whichever comes first.
#ifndef CSSRUN_TOOLS_RANKS_BATCHES_H_
#define CSSRUN_TOOLS_RANKS_BATCHES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "tools/ranks/run_files.h"

namespace cssrun::tools {

struct Batch {
  size_t first = 0;
  size_t count = 0;
};

class Batches {
 public:
  // `largest`: the most images in a batch, 1 or more.
  Batches(size_t images, size_t workers, size_t largest);

  // Returns the next batch: large ones first, smaller ones towards the end, so that all workers end
  // together. Returns nothing when all are handed out, or as long as too many results wait for an
  // earlier batch.
  std::optional<Batch> Next();

  // Takes a batch's outcomes and delivers those that are next in order. Returns false once
  // `deliver` has returned false.
  bool Take(const Batch& batch, std::vector<FileOutcome> outcomes, const DeliverFile& deliver);

  bool all_delivered() const { return delivered_ == images_; }

 private:
  const size_t images_;
  const size_t workers_;
  const size_t largest_;
  size_t next_ = 0;
  size_t delivered_ = 0;
  std::map<size_t, std::vector<FileOutcome>> waiting_;  // by their first image
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RANKS_BATCHES_H_
