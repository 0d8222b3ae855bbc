// Notices Ctrl-C and SIGTERM, so that a stream ends with its summary.
#ifndef CSSRUN_TOOLS_STREAM_INTERRUPT_H_
#define CSSRUN_TOOLS_STREAM_INTERRUPT_H_

#include <atomic>
#include <csignal>

namespace cssrun::tools {

// While this lives, the first SIGINT or SIGTERM sets the flag and interrupts waiting; the second
// one ends the process as usual. Signals that are ignored stay so. There is one at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static const std::atomic<bool>& flag();

 private:
  struct sigaction before_[2] = {};
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_STREAM_INTERRUPT_H_
