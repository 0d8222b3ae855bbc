#include "tools/ranks/batches.h"

#include <algorithm>
#include <utility>

namespace cssrun::tools {
namespace {

// The number of batches of equal size that each worker would get if batches had no largest size.
constexpr size_t kShares = 4;
// The smallest batch. At its end, threads wait for the last image; with fewer images, that wait
// costs more than an even share of the work gains.
constexpr size_t kSmallest = 8;
// How many batches of the largest size may be handed out for each worker before the first one is
// delivered.
constexpr size_t kAhead = 4;

}  // namespace

Batches::Batches(size_t images, size_t workers, size_t largest)
    : images_(images), workers_(workers), largest_(largest) {}

std::optional<Batch> Batches::Next() {
  const size_t left = images_ - next_;
  if (left == 0 || next_ - delivered_ >= kAhead * workers_ * largest_) return std::nullopt;
  const size_t share = left / (workers_ * kShares);
  const size_t count = std::min({std::max(share, kSmallest), largest_, left});
  const Batch batch{next_, count};
  next_ += count;
  return batch;
}

bool Batches::Take(const Batch& batch, std::vector<FileOutcome> outcomes,
                   const DeliverFile& deliver) {
  waiting_.emplace(batch.first, std::move(outcomes));
  while (!waiting_.empty() && waiting_.begin()->first == delivered_) {
    const auto ready = waiting_.extract(waiting_.begin());
    for (const FileOutcome& outcome : ready.mapped()) {
      if (!deliver(delivered_++, outcome)) return false;
    }
  }
  return true;
}

}  // namespace cssrun::tools
