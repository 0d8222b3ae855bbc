// How many threads oneTBB may run in this process.
#ifndef CSSRUN_RUNTIME_ENGINE_ALLOWED_THREADS_H_
#define CSSRUN_RUNTIME_ENGINE_ALLOWED_THREADS_H_

namespace cssrun::internal {

// While it lives, oneTBB may run `threads` threads, even on fewer cores: otherwise it would run as
// many as there are cores, and print a warning to standard error. The largest number of all that
// live counts, whereas oneTBB itself obeys the smallest of its controls. Never allows less than
// oneTBB's default, so that it takes nothing from the rest of the process. Thread-safe.
class AllowedThreads {
 public:
  explicit AllowedThreads(unsigned threads);
  ~AllowedThreads();
  AllowedThreads(const AllowedThreads&) = delete;
  AllowedThreads& operator=(const AllowedThreads&) = delete;

 private:
  unsigned threads_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_ALLOWED_THREADS_H_
