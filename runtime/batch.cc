#include "cssrun/batch.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "tbb/enumerable_thread_specific.h"
#include "tbb/global_control.h"
#include "tbb/parallel_pipeline.h"
#include "tbb/task_arena.h"

namespace cssrun {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One image on its way. Its buffers serve another when it has been delivered.
struct Item {
  size_t index = 0;
  std::vector<uint8_t> pixels;
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

void Load(const LoadImage& load, Item& item) {
  const auto start = std::chrono::steady_clock::now();
  item.outcome.status = load(item.index, item.pixels);
  item.outcome.load_seconds = SecondsSince(start);
}

void Run(Session& session, Item& item) {
  item.outcome.run_seconds = 0;
  item.outcome.answer.logits.clear();  // of the image before
  if (!item.outcome.status.ok()) return;
  const auto start = std::chrono::steady_clock::now();
  item.outcome.status = session.Run(item.pixels, item.outcome.answer);
  item.outcome.run_seconds = SecondsSince(start);
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
  // Sessions; each may have threads of its own. Images are decoded by whichever thread is free.
  const unsigned workers = ThreadCount(threads);
  const unsigned all_threads = workers * ThreadCount(options.threads);
  tbb::enumerable_thread_specific<Session> session([&] { return Session(network, options); });
  size_t next = 0;
  std::atomic<bool> stopped = false;
  std::atomic<uint64_t> order = 0;

  // Enough images in flight that no thread waits for a slow one that must be delivered first.
  std::vector<Item> items(size_t{all_threads} * 4);
  // As many as were asked for, even on fewer cores: without this TBB warns on standard error.
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, all_threads);
  tbb::task_arena arena(static_cast<int>(all_threads));
  const auto run_mode =
      workers == 1 ? tbb::filter_mode::serial_in_order : tbb::filter_mode::parallel;
  // With one session it is not that of the thread that happens to run it.
  std::optional<Session> only;
  if (workers == 1) only.emplace(network, options);
  arena.execute([&] {
    tbb::parallel_pipeline(
        items.size(),
        tbb::make_filter<void, Item*>(tbb::filter_mode::serial_in_order,
                                      [&](tbb::flow_control& control) -> Item* {
                                        const Handover handover(order);
                                        if (next == count || stopped) {
                                          control.stop();
                                          return nullptr;
                                        }
                                        // Delivered in order: the one of so many before has been.
                                        Item& item = items[next % items.size()];
                                        item.index = next++;
                                        return &item;
                                      }) &
            tbb::make_filter<Item*, Item*>(tbb::filter_mode::parallel,
                                           [&](Item* item) {
                                             const Handover handover(order);
                                             Load(load, *item);
                                             return item;
                                           }) &
            tbb::make_filter<Item*, Item*>(run_mode,
                                           [&](Item* item) {
                                             const Handover handover(order);
                                             Run(only.has_value() ? *only : session.local(), *item);
                                             return item;
                                           }) &
            tbb::make_filter<Item*, void>(tbb::filter_mode::serial_in_order, [&](Item* item) {
              const Handover handover(order);
              if (!stopped && !deliver(item->index, item->outcome)) stopped = true;
            }));
  });
  const Handover handover(order);
}

}  // namespace cssrun
