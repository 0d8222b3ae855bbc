#include "cssrun/batch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "tbb/global_control.h"
#include "tbb/parallel_pipeline.h"
#include "tbb/task_arena.h"

namespace cssrun {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// How the threads of a batch are shared out: images * sharing <= the threads asked for.
struct Threads {
  unsigned images = 1;   // at the same time
  unsigned sharing = 1;  // one image

  static Threads For(unsigned threads, const SessionOptions& options) {
    Threads shared;
    const unsigned all = ThreadCount(threads);
    shared.sharing = std::min(ThreadCount(options.threads), all);
    shared.images = all / shared.sharing;
    return shared;
  }
};

// One image on its way. Its buffers serve another when it has been delivered.
template <class Pixel>
struct Item {
  size_t index = 0;
  std::vector<Pixel> pixels;
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

template <class Pixel, class LoadPixels>
void Load(const LoadPixels& load, Item<Pixel>& item) {
  const auto start = std::chrono::steady_clock::now();
  item.outcome.status = load(item.index, item.pixels);
  item.outcome.load_seconds = SecondsSince(start);
}

template <class Pixel>
void Run(Session& session, PixelOrder order, Item<Pixel>& item) {
  item.outcome.run_seconds = 0;
  item.outcome.answer.logits.clear();  // of the image before
  if (!item.outcome.status.ok()) return;
  const auto start = std::chrono::steady_clock::now();
  item.outcome.status =
      session.Run(std::span<const Pixel>(item.pixels), item.outcome.answer, order);
  item.outcome.run_seconds = SecondsSince(start);
}

template <class Pixel, class LoadPixels>
Status RunAll(const std::shared_ptr<const Network>& network, SessionOptions options, size_t count,
              unsigned asked_threads, const LoadPixels& load, const DeliverOutcome& deliver,
              PixelOrder order) {
  const Threads threads = Threads::For(asked_threads, options);
  options.threads = threads.sharing;
  // All of them now, so that an image is loaded only where it can be run.
  std::vector<Session> sessions;
  for (size_t i = 0; i < std::min<size_t>(threads.images, std::max<size_t>(count, 1)); ++i) {
    Result<Session> session = Session::Create(network, options);
    if (!session.ok()) return session.status();
    sessions.push_back(std::move(session).value());
  }
  const auto images = static_cast<unsigned>(sessions.size());
  const unsigned all_threads = images * threads.sharing;
  size_t next = 0;
  std::atomic<bool> stopped = false;
  std::atomic<uint64_t> handovers = 0;

  // Enough images in flight that no thread waits for a slow one that must be delivered first.
  std::vector<Item<Pixel>> items(size_t{all_threads} * 4);
  // As many as were asked for, even on fewer cores: without this TBB warns on standard error.
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, all_threads);
  // Threads that share an image come to it in an arena of the session's own, unless there is but
  // one image at a time: then they load others meanwhile.
  tbb::task_arena arena(static_cast<int>(images == 1 ? all_threads : images));
  const auto run_mode =
      images == 1 ? tbb::filter_mode::serial_in_order : tbb::filter_mode::parallel;
  // A thread stays in its slot of the arena, and runs one image at a time.
  const auto session_of_thread = [&]() -> Session& {
    const int slot = images == 1 ? 0 : tbb::this_task_arena::current_thread_index();
    return sessions[static_cast<size_t>(slot)];
  };
  arena.execute([&] {
    tbb::parallel_pipeline(
        items.size(),
        tbb::make_filter<void, Item<Pixel>*>(tbb::filter_mode::serial_in_order,
                                             [&](tbb::flow_control& control) -> Item<Pixel>* {
                                               const Handover handover(handovers);
                                               if (next == count || stopped) {
                                                 control.stop();
                                                 return nullptr;
                                               }
                                               // Delivered in order: the one of so many before has
                                               // been.
                                               Item<Pixel>& item = items[next % items.size()];
                                               item.index = next++;
                                               return &item;
                                             }) &
            tbb::make_filter<Item<Pixel>*, Item<Pixel>*>(tbb::filter_mode::parallel,
                                                         [&](Item<Pixel>* item) {
                                                           const Handover handover(handovers);
                                                           Load(load, *item);
                                                           return item;
                                                         }) &
            tbb::make_filter<Item<Pixel>*, Item<Pixel>*>(run_mode,
                                                         [&](Item<Pixel>* item) {
                                                           const Handover handover(handovers);
                                                           Run(session_of_thread(), order, *item);
                                                           return item;
                                                         }) &
            tbb::make_filter<Item<Pixel>*, void>(
                tbb::filter_mode::serial_in_order, [&](Item<Pixel>* item) {
                  const Handover handover(handovers);
                  if (!stopped && !deliver(item->index, item->outcome)) stopped = true;
                }));
  });
  const Handover handover(handovers);
  return Status::Ok();
}

// What RunAll throws for want of memory is a Status; the rest is the callbacks'.
template <class Pixel, class LoadPixels>
Status RunChecked(const std::shared_ptr<const Network>& network, const SessionOptions& options,
                  size_t count, unsigned threads, const LoadPixels& load,
                  const DeliverOutcome& deliver, PixelOrder order) {
  try {
    return RunAll<Pixel>(network, options, count, threads, load, deliver, order);
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory();
  } catch (const std::length_error&) {
    return Status::OutOfMemory();
  }
}

}  // namespace

unsigned ThreadCount(unsigned threads) {
  if (threads != 0) return threads;
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1 : cores;
}

Status RunImages(const std::shared_ptr<const Network>& network, const SessionOptions& options,
                 size_t count, unsigned threads, const LoadImage& load,
                 const DeliverOutcome& deliver, PixelOrder order) {
  return RunChecked<uint8_t>(network, options, count, threads, load, deliver, order);
}

Status RunImages(const std::shared_ptr<const Network>& network, const SessionOptions& options,
                 size_t count, unsigned threads, const LoadFloatImage& load,
                 const DeliverOutcome& deliver, PixelOrder order) {
  return RunChecked<float>(network, options, count, threads, load, deliver, order);
}

}  // namespace cssrun
