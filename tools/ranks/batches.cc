#include "tools/ranks/batches.h"

#include <algorithm>
#include <utility>

namespace cssrun::tools {
namespace {

// Each worker gets so many batches of equal size, if there were no largest one.
constexpr size_t kShares = 4;
// A batch ends with threads that wait for the last image: fewer images are not worth that.
constexpr size_t kSmallest = 8;
// Largest batches for each worker that may be handed out before the first one is delivered.
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

bool Batches::Take(const Batch& batch, std::vector<ImageOutcome> outcomes,
                   const DeliverOutcome& deliver) {
  waiting_.emplace(batch.first, std::move(outcomes));
  while (!waiting_.empty() && waiting_.begin()->first == delivered_) {
    const auto ready = waiting_.extract(waiting_.begin());
    for (const ImageOutcome& outcome : ready.mapped()) {
      if (!deliver(delivered_++, outcome)) return false;
    }
  }
  return true;
}

}  // namespace cssrun::tools
