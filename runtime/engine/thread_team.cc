#include "runtime/engine/thread_team.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "hwy/cache_control.h"
#include "runtime/assert.h"
#include "runtime/engine/handover.h"

namespace cssrun::internal {
namespace {

// Pauses, of 10 to 40 ns each, before a thread gives way to others: longer than the serial work
// between two layers.
constexpr int kPauses = 4096;

constexpr uint32_t kMostParts = 0xFFFF;

uint64_t LeftOf(uint32_t loop, uint32_t first, uint32_t last) {
  return uint64_t{loop} << 32 | first << 16 | last;
}
uint32_t FirstOf(uint64_t left) { return static_cast<uint32_t>(left) >> 16; }
uint32_t LastOf(uint64_t left) { return static_cast<uint32_t>(left) & kMostParts; }

// A function that TBB copies to run the copy on another thread.
template <class Function>
class HandedOver {
 public:
  explicit HandedOver(Function function) : function_(function) {}
  HandedOver(const HandedOver& other) : function_(other.function_) { const Handover copied(order); }
  HandedOver& operator=(const HandedOver&) = delete;

  void operator()() const {
    { const Handover received(order); }
    function_();
  }

 private:
  static inline std::atomic<uint64_t> order = 0;
  Function function_;
};

}  // namespace

ThreadTeam::ThreadTeam(unsigned threads) : threads_(threads) {
  CSSRUN_ASSERT(threads > 0);
  if (threads == 1) return;
  allowed_ = std::make_unique<AllowedThreads>(threads);
  arena_ = std::make_unique<tbb::task_arena>(static_cast<int>(threads));
  shares_ = std::make_unique<Share[]>(threads);
}

void ThreadTeam::StartHelpers() {
  const HandedOver help([this] { Help(); });
  for (unsigned helper = 1; helper < threads_; ++helper) helpers_->run(help);
  helping_ = true;
}

void ThreadTeam::ShareParts(uint32_t parts, Call call, const void* function) {
  CSSRUN_ASSERT(helpers_ != nullptr && unfinished_ == 0);
  call_ = call;
  function_ = function;
  parts_ = parts;
  together_ = (parts + kMostParts - 1) / kMostParts;
  const uint32_t shared = (parts + together_ - 1) / together_;
  unfinished_.store(shared, std::memory_order_relaxed);
  const uint32_t loop = loop_.load(std::memory_order_relaxed) + 1;
  for (uint64_t thread = 0; thread < threads_; ++thread) {
    const auto first = static_cast<uint32_t>(shared * thread / threads_);
    const auto last = static_cast<uint32_t>(shared * (thread + 1) / threads_);
    shares_[thread].left.store(LeftOf(loop, first, last), std::memory_order_release);
  }
  loop_.store(loop, std::memory_order_release);
  has_shared_ = true;
  if (helping_) {
    loop_.notify_all();
  } else {
    StartHelpers();
  }
  TakeParts();
  for (int pauses = 0; unfinished_.load(std::memory_order_acquire) > 0; ++pauses) {
    if (pauses < kPauses) {
      hwy::Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

bool ThreadTeam::TakePart(Share& share, End end) {
  uint64_t left = share.left.load(std::memory_order_acquire);
  while (FirstOf(left) < LastOf(left)) {
    const uint64_t rest = end == End::kFirst ? left + LeftOf(0, 1, 0) : left - 1;
    if (!share.left.compare_exchange_weak(left, rest, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      continue;
    }
    const uint32_t taken = end == End::kFirst ? FirstOf(left) : LastOf(left) - 1;
    const uint32_t last = std::min(parts_, (taken + 1) * together_);
    for (uint32_t part = taken * together_; part < last; ++part) call_(function_, part);
    return true;
  }
  return false;
}

void ThreadTeam::TakeParts() {
  const size_t own = thread();
  // Counted together: what several threads write takes 0.2 us from one to the other.
  uint32_t finished = 0;
  while (TakePart(shares_[own], End::kFirst)) ++finished;
  for (size_t other = 1; other < threads_; ++other) {
    while (TakePart(shares_[(own + other) % threads_], End::kLast)) ++finished;
  }
  if (finished > 0) unfinished_.fetch_sub(finished, std::memory_order_release);
}

void ThreadTeam::Help() {
  while (!dismissed_.load(std::memory_order_acquire)) {
    const uint32_t loop = loop_.load(std::memory_order_acquire);
    TakeParts();
    // Dismiss() says so first and changes the number then.
    if (dismissed_.load(std::memory_order_acquire)) return;
    int pauses = 0;
    while (pauses < kPauses && loop_.load(std::memory_order_relaxed) == loop) {
      hwy::Pause();
      ++pauses;
    }
    if (pauses == kPauses) loop_.wait(loop, std::memory_order_acquire);
  }
}

void ThreadTeam::Dismiss() {
  if (helping_) {
    dismissed_.store(true, std::memory_order_release);
    loop_.fetch_add(1, std::memory_order_release);
    loop_.notify_all();
    helpers_->wait();
    dismissed_.store(false, std::memory_order_relaxed);
    helping_ = false;
  }
  helpers_ = nullptr;
}

}  // namespace cssrun::internal
