// What ThreadSanitizer has to be told of TBB.
#ifndef CSSRUN_RUNTIME_ENGINE_HANDOVER_H_
#define CSSRUN_RUNTIME_ENGINE_HANDOVER_H_

#include <atomic>
#include <cstdint>

namespace cssrun::internal {

// Marks the begin and the end of what TBB runs in order on several threads, such as a pipeline's
// stage, for ThreadSanitizer. TBB orders these itself, but Debian's build of TBB does not tell
// ThreadSanitizer, which would then report races that do not exist. Costs two atomic additions.
class Handover {
 public:
  // `order`: of all that is handed over.
  explicit Handover(std::atomic<uint64_t>& order) : order_(order) {
    order_.fetch_add(1, std::memory_order_acq_rel);
  }
  ~Handover() { order_.fetch_add(1, std::memory_order_acq_rel); }
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

 private:
  std::atomic<uint64_t>& order_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_HANDOVER_H_
