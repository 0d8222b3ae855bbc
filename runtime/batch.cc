#include "cssrun/batch.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "tbb/enumerable_thread_specific.h"
#include "tbb/global_control.h"
#include "tbb/parallel_pipeline.h"
#include "tbb/task_arena.h"

namespace cssrun {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What a thread keeps from image to image.
struct Worker {
  Session session;
  std::vector<uint8_t> pixels;
};

struct Item {
  size_t index = 0;
  ImageOutcome outcome;
};

// TBB orders the stages of the pipeline itself, but Debian's build of it says nothing of that to
// ThreadSanitizer: a stage that begins and ends with this does. Costs nothing beside an image.
class Handover {
 public:
  explicit Handover(std::atomic<uint64_t>& order) : order_(order) {
    order_.fetch_add(1, std::memory_order_acq_rel);
  }
  ~Handover() { order_.fetch_add(1, std::memory_order_acq_rel); }
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

 private:
  std::atomic<uint64_t>& order_;
};

ImageOutcome RunImage(size_t index, const LoadImage& load, Worker& worker) {
  ImageOutcome outcome;
  const auto load_start = std::chrono::steady_clock::now();
  outcome.status = load(index, worker.pixels);
  outcome.load_seconds = SecondsSince(load_start);
  if (!outcome.status.ok()) return outcome;
  const auto run_start = std::chrono::steady_clock::now();
  outcome.status = worker.session.Run(worker.pixels, outcome.answer);
  outcome.run_seconds = SecondsSince(run_start);
  return outcome;
}

}  // namespace

unsigned ThreadCount(unsigned threads) {
  if (threads != 0) return threads;
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1 : cores;
}

void RunImages(const std::shared_ptr<const Network>& network, const SessionOptions& options,
               size_t count, unsigned threads, const LoadImage& load,
               const DeliverOutcome& deliver) {
  const unsigned workers = ThreadCount(threads);
  tbb::enumerable_thread_specific<Worker> worker([&] {
    return Worker{Session(network, options), {}};
  });
  size_t next = 0;
  std::atomic<bool> stopped = false;
  std::atomic<uint64_t> order = 0;

  // Enough images in flight that no thread waits for a slow one that must be delivered first.
  const size_t in_flight = size_t{workers} * 4;
  // As many as were asked for, even on fewer cores: without this TBB warns on standard error.
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism,
                                    size_t{workers} * ThreadCount(options.threads));
  tbb::task_arena arena(static_cast<int>(workers));
  arena.execute([&] {
    tbb::parallel_pipeline(
        in_flight,
        tbb::make_filter<void, size_t>(tbb::filter_mode::serial_in_order,
                                       [&](tbb::flow_control& control) -> size_t {
                                         const Handover handover(order);
                                         if (next == count || stopped) {
                                           control.stop();
                                           return 0;
                                         }
                                         return next++;
                                       }) &
            tbb::make_filter<size_t, Item>(
                tbb::filter_mode::parallel,
                [&](size_t index) {
                  const Handover handover(order);
                  return Item{index, RunImage(index, load, worker.local())};
                }) &
            tbb::make_filter<Item, void>(tbb::filter_mode::serial_in_order, [&](const Item& item) {
              const Handover handover(order);
              if (!stopped && !deliver(item.index, item.outcome)) stopped = true;
            }));
  });
  const Handover handover(order);
}

}  // namespace cssrun
