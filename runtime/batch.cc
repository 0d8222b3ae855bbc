#include "cssrun/batch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/assert.h"
#include "runtime/engine/allowed_threads.h"
#include "runtime/engine/handover.h"
#include "runtime/seconds_since.h"
#include "runtime/within_memory.h"
#include "tbb/parallel_pipeline.h"
#include "tbb/task_arena.h"

namespace cssrun {
namespace {

using internal::Handover;

using internal::SecondsSince;

// How a batch divides its threads: `images` images run at the same time, each on `sharing` threads,
// and images * sharing <= the threads asked for.
struct Threads {
  unsigned images = 1;
  unsigned sharing = 1;

  static Threads For(unsigned threads, const SessionOptions& options) {
    Threads shared;
    const unsigned all = ThreadCount(threads);
    shared.sharing = std::min(ThreadCount(options.threads), all);
    shared.images = all / shared.sharing;
    CSSRUN_ASSERT(shared.images >= 1 && shared.images * shared.sharing <= all);
    return shared;
  }
};

// One image in the pipeline. Once it has been delivered, its buffers are used for another image.
template <class Pixel>
struct Item {
  size_t index = 0;
  std::vector<Pixel> pixels;
  ImageOutcome outcome;
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
  item.outcome.answer.logits.clear();  // those of the previous image
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
  // Make all sessions before any image is loaded: with wrong options no image is.
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

  // Images are delivered in order. Four per thread are in flight, so that threads can go on with
  // later images while a slow one holds up delivery.
  std::vector<Item<Pixel>> items(size_t{all_threads} * 4);
  const internal::AllowedThreads allowed(all_threads);
  // With several images at a time, this arena has one slot per image, and the threads that share an
  // image work in the arena of its session. With one image at a time, this arena has all threads:
  // those that do not run it load the next ones.
  tbb::task_arena arena(static_cast<int>(images == 1 ? all_threads : images));
  const auto run_mode =
      images == 1 ? tbb::filter_mode::serial_in_order : tbb::filter_mode::parallel;
  // A thread keeps its slot of the arena and runs one image at a time, so a slot's session is used
  // by one thread at a time. With one image at a time the run stage is serial, and one session is
  // enough.
  const auto session_of_thread = [&]() -> Session& {
    const int slot = images == 1 ? 0 : tbb::this_task_arena::current_thread_index();
    CSSRUN_ASSERT(slot >= 0 && static_cast<size_t>(slot) < sessions.size());
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
                                               // At most items.size() images are in flight and
                                               // delivery is in order, so this item's previous
                                               // image has been delivered.
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

template <class Pixel, class LoadPixels>
Status RunChecked(const std::shared_ptr<const Network>& network, const SessionOptions& options,
                  size_t count, unsigned threads, const LoadPixels& load,
                  const DeliverOutcome& deliver, PixelOrder order) {
  return internal::WithinMemory(
      [&] { return RunAll<Pixel>(network, options, count, threads, load, deliver, order); });
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
