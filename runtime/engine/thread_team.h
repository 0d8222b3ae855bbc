// The threads of an engine, which share the layers of one image or frame.
#ifndef CSSRUN_RUNTIME_ENGINE_THREAD_TEAM_H_
#define CSSRUN_RUNTIME_ENGINE_THREAD_TEAM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "runtime/engine/allowed_threads.h"
#include "tbb/task_arena.h"
#include "tbb/task_group.h"

namespace cssrun::internal {

// A layer is shared by 20 to 60 short parallel loops an image. oneTBB starts each by letting a
// thread steal a task, which takes 12 to 15 us; layers take 15 to 300 us. So oneTBB provides the
// threads once per image. They spin, and take the parts of all loops by themselves:
//
//   caller     | ForEach: part 0, 1 | serial | ForEach: part 0, 1, 2 | serial | ...   return
//   helper     | spins    part 3, 2 | spins    comes late: part 3    | spins            ends
//
// Each thread has a share of neighbouring parts and begins with the first. Then it takes the parts
// that others have left, their last ones first. So a thread mostly reads what it wrote in the layer
// before, which is in its own caches.
//
// If a helper comes late or never, because its thread is busy elsewhere, others take its parts: the
// caller waits only for parts that somebody has begun.
//
// One Run() at a time; ForEach() is called by the thread that called Run(), and not by a part.
class ThreadTeam {
 public:
  explicit ThreadTeam(unsigned threads);

  unsigned threads() const { return threads_; }

  // Number of the calling thread in the team, below threads(). Inside Run().
  size_t thread() const {
    return arena_ == nullptr ? 0
                             : static_cast<size_t>(tbb::this_task_arena::current_thread_index());
  }

  // Returns run(). While it runs, ForEach() has all threads.
  template <class Function>
  auto Run(const Function& run) {
    if (arena_ == nullptr) return run();
    // The caller may be inside an arena of that size already: RunImages() is.
    const bool inside = tbb::this_task_arena::current_thread_index() >= 0 &&
                        tbb::this_task_arena::max_concurrency() == static_cast<int>(threads_);
    if (inside) return RunInside(run);
    return arena_->execute([&] { return RunInside(run); });
  }

  // Calls part(0) to part(parts - 1) and returns when all have returned. Any thread may call any
  // part in any order; one thread mostly calls neighbours. part() must not throw.
  template <class Function>
  void ForEach(uint32_t parts, const Function& part) {
    if (arena_ == nullptr || parts <= 1) {
      for (uint32_t p = 0; p < parts; ++p) part(p);
      return;
    }
    ShareParts(
        parts,
        [](const void* function, uint32_t p) { (*static_cast<const Function*>(function))(p); },
        &part);
  }

 private:
  using Call = void (*)(const void* function, uint32_t part);

  // Ends the helpers of a Run(), however it ends.
  struct Dismissal {
    ThreadTeam* team;
    ~Dismissal() { team->Dismiss(); }
  };

  template <class Function>
  auto RunInside(const Function& run) {
    // Isolated: while it waits for its helpers, a thread must not begin with something else.
    return tbb::this_task_arena::isolate([&] {
      tbb::task_group helpers;
      helpers_ = &helpers;
      const Dismissal dismissal{this};
      // What shared its layers once does so again, and threads take a while to come.
      if (has_shared_) StartHelpers();
      return run();
    });
  }

  // The parts that a thread has left: number of the loop, first part, last part (32, 16 and 16
  // bits). Taking one fails if a new loop has begun. In a cache line of its own.
  struct alignas(64) Share {
    std::atomic<uint64_t> left = 0;
  };
  enum class End : uint8_t { kFirst, kLast };

  void StartHelpers();
  void ShareParts(uint32_t parts, Call call, const void* function);
  void TakeParts();
  // Calls a part of `share`, from one of its ends. Returns false where none is left.
  bool TakePart(Share& share, End end);
  void Help();
  void Dismiss();

  unsigned threads_;
  // Only with several threads.
  std::unique_ptr<AllowedThreads> allowed_;
  std::unique_ptr<tbb::task_arena> arena_;

  tbb::task_group* helpers_ = nullptr;  // of this Run()
  bool helping_ = false;                // they were started
  bool has_shared_ = false;             // some Run() had a loop of several parts
  // Of this loop: read only by who has taken a part of it.
  Call call_ = nullptr;
  const void* function_ = nullptr;
  uint32_t parts_ = 0;
  uint32_t together_ = 1;            // calls of a part, where a share could not count them
  std::unique_ptr<Share[]> shares_;  // by thread()
  alignas(64) std::atomic<uint32_t> loop_ = 0;  // number of the loop
  std::atomic<bool> dismissed_ = false;
  alignas(64) std::atomic<uint32_t> unfinished_ = 0;  // parts of this loop
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_THREAD_TEAM_H_
