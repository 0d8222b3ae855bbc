#include "runtime/engine/thread_team.h"

#include <algorithm>
#include <thread>

#include "hwy/cache_control.h"
#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

// Pauses, of 10 to 40 ns each, before a thread gives way to others: longer than the serial work
// between two layers.
constexpr int kPauses = 4096;

uint32_t PartsOf(uint64_t ticket) { return static_cast<uint32_t>(ticket); }
uint64_t NextLoop(uint64_t ticket, uint32_t parts) { return ((ticket >> 32) + 1) << 32 | parts; }

}  // namespace

ThreadTeam::ThreadTeam(unsigned threads) : threads_(threads) {
  CSSRUN_ASSERT(threads > 0);
  if (threads == 1) return;
  constexpr auto kAllowed = tbb::global_control::max_allowed_parallelism;
  allowed_ = std::make_unique<tbb::global_control>(
      kAllowed, std::max<size_t>(threads, tbb::global_control::active_value(kAllowed)));
  arena_ = std::make_unique<tbb::task_arena>(static_cast<int>(threads));
}

void ThreadTeam::StartHelpers() {
  for (unsigned helper = 1; helper < threads_; ++helper) helpers_->run([this] { Help(); });
  helping_ = true;
}

void ThreadTeam::ShareParts(uint32_t parts, Call call, const void* function) {
  CSSRUN_ASSERT(helpers_ != nullptr && unfinished_ == 0);
  call_ = call;
  function_ = function;
  parts_ = parts;
  unfinished_.store(parts, std::memory_order_relaxed);
  ticket_.store(NextLoop(ticket_.load(std::memory_order_relaxed), parts),
                std::memory_order_release);
  shares_ = true;
  if (helping_) {
    ticket_.notify_all();
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

void ThreadTeam::TakeParts() {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (PartsOf(ticket) > 0) {
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
      continue;
    }
    call_(function_, parts_ - PartsOf(ticket));
    unfinished_.fetch_sub(1, std::memory_order_release);
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

void ThreadTeam::Help() {
  while (!dismissed_.load(std::memory_order_acquire)) {
    TakeParts();
    const uint64_t empty = ticket_.load(std::memory_order_acquire);
    if (PartsOf(empty) > 0) continue;
    // Dismiss() says so first and changes the ticket then.
    if (dismissed_.load(std::memory_order_acquire)) return;
    int pauses = 0;
    while (pauses < kPauses && ticket_.load(std::memory_order_relaxed) == empty) {
      hwy::Pause();
      ++pauses;
    }
    if (pauses == kPauses) ticket_.wait(empty, std::memory_order_acquire);
  }
}

void ThreadTeam::Dismiss() {
  if (helping_) {
    dismissed_.store(true, std::memory_order_release);
    ticket_.store(NextLoop(ticket_.load(std::memory_order_relaxed), 0), std::memory_order_release);
    ticket_.notify_all();
    helpers_->wait();
    dismissed_.store(false, std::memory_order_relaxed);
    helping_ = false;
  }
  helpers_ = nullptr;
}

}  // namespace cssrun::internal
