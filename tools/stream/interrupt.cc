#include "tools/stream/interrupt.h"

#include <array>

namespace cssrun::tools {
namespace {

constexpr std::array<int, 2> kSignals = {SIGINT, SIGTERM};

// Global because a signal handler sets it.
std::atomic<bool> interrupted = false;
// Of riscv64, GCC 12 says "sometimes", since other operations than these call a library there.
static_assert(ATOMIC_BOOL_LOCK_FREE != 0);

}  // namespace

Interrupt::Interrupt() {
  interrupted = false;
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = true; };
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // without SA_RESTART: reading ends, too
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

const std::atomic<bool>& Interrupt::flag() { return interrupted; }

}  // namespace cssrun::tools
