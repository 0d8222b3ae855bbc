#include "runtime/engine/allowed_threads.h"

#include <memory>
#include <mutex>
#include <set>

#include "tbb/global_control.h"
#include "tbb/info.h"

namespace cssrun::internal {
namespace {

struct Allowed {
  // To be called with the mutex held.
  void Update() {
    const auto cores = static_cast<unsigned>(tbb::info::default_concurrency());
    const unsigned most = wanted.empty() ? 0 : *wanted.rbegin();
    const unsigned needed = most > cores ? most : 0;
    if (needed == set) return;
    set = needed;
    // The old one ends after the new one begins, so that there is always one.
    control = needed == 0 ? nullptr
                          : std::make_unique<tbb::global_control>(
                                tbb::global_control::max_allowed_parallelism, needed);
  }

  std::mutex mutex;
  std::multiset<unsigned> wanted;
  unsigned set = 0;  // what `control` allows; 0: there is none
  std::unique_ptr<tbb::global_control> control;
};

// Never destroyed: a session may be, after the static objects of other files.
Allowed& OfProcess() {
  static auto* const allowed = new Allowed;
  return *allowed;
}

}  // namespace

AllowedThreads::AllowedThreads(unsigned threads) : threads_(threads) {
  Allowed& allowed = OfProcess();
  const std::lock_guard lock(allowed.mutex);
  allowed.wanted.insert(threads);
  allowed.Update();
}

AllowedThreads::~AllowedThreads() {
  Allowed& allowed = OfProcess();
  const std::lock_guard lock(allowed.mutex);
  allowed.wanted.erase(allowed.wanted.find(threads_));
  allowed.Update();
}

}  // namespace cssrun::internal
