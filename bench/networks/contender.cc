#include "bench/networks/contender.h"

#include <omp.h>

#include <chrono>
#include <thread>
#include <utility>

#include "bench/opponents/onednn_int8.h"
#include "runtime/seconds_since.h"
#include "tools/image_set.h"

namespace cssrun::bench {
namespace {

using Clock = std::chrono::steady_clock;
using converter::DenseNetwork;
using converter::Model;

// Runs pictures `first`, `first` + `step`, ... of `count` on a session.
Status RunSession(Session& session, const Pictures& pictures, size_t first, size_t end,
                  size_t step) {
  Answer answer;
  for (size_t i = first; i < end; i += step) {
    Status status = session.Run(pictures.set.pixels[i % pictures.count()], answer);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

// The same on the ANN.
Status RunDense(DenseNetwork& dense, const Pictures& pictures, size_t classes, size_t first,
                size_t end, size_t step) {
  std::vector<float> logits(classes);
  for (size_t i = first; i < end; i += step) {
    Status status = dense.Run(pictures.normalized[i % pictures.count()], logits, {}, {});
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

// Runs `run(thread)` on every thread; returns the first failure.
Status OnThreads(size_t threads, const std::function<Status(size_t thread)>& run) {
  std::vector<Status> statuses(threads, Status::Ok());
  std::vector<std::thread> running;
  for (size_t t = 0; t < threads; ++t) running.emplace_back([&, t] { statuses[t] = run(t); });
  for (std::thread& thread : running) thread.join();
  for (const Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Result<double> Timed(const std::function<Status()>& run) {
  const Clock::time_point start = Clock::now();
  const Status status = run();
  if (!status.ok()) return status;
  return internal::SecondsSince(start);
}

Result<std::vector<size_t>> AnswersOf(DenseNetwork& dense, const Pictures& pictures,
                                      size_t classes) {
  std::vector<size_t> answers;
  std::vector<float> logits(classes);
  for (const std::vector<float>& image : pictures.normalized) {
    if (Status status = dense.Run(image, logits, {}, {}); !status.ok()) return status;
    answers.push_back(BestClass(logits));
  }
  return answers;
}

// A network of oneDNN that takes one picture at a time.
Contender OneByOne(std::string name, std::shared_ptr<DenseNetwork> dense, const Pictures& pictures,
                   size_t classes, unsigned threads) {
  const auto turn = [&pictures, dense, classes, threads](size_t first, size_t count) {
    omp_set_num_threads(static_cast<int>(threads));
    return Timed([&] { return RunDense(*dense, pictures, classes, first, first + count, 1); });
  };
  const auto answer = [&pictures, dense, classes] { return AnswersOf(*dense, pictures, classes); };
  return {std::move(name), turn, answer};
}

// Runs whole batches, of which only the network's own time counts.
Result<double> BatchTurn(DenseNetwork& dense, const Pictures& pictures, size_t batch,
                         size_t classes, size_t first, size_t count) {
  std::vector<float> packed;
  std::vector<float> logits(batch * classes);
  double seconds = 0;
  size_t done = 0;
  for (; done < count; done += batch) {
    packed.clear();
    for (size_t i = 0; i < batch; ++i) {
      const auto& image = pictures.normalized[(first + done + i) % pictures.count()];
      packed.insert(packed.end(), image.begin(), image.end());
    }
    const Result<double> ran = Timed([&] { return dense.Run(packed, logits, {}, {}); });
    if (!ran.ok()) return ran.status();
    seconds += ran.value();
  }
  return seconds * static_cast<double>(count) / static_cast<double>(done);
}

// Runs pictures one after another.
auto TurnOf(const std::shared_ptr<Session>& session, const Pictures& pictures) {
  return [&pictures, session](size_t first, size_t count) {
    return Timed([&] { return RunSession(*session, pictures, first, first + count, 1); });
  };
}

}  // namespace

Result<Pictures> ReadPictures(const std::string& folder, const Network& network, size_t most) {
  Pictures pictures;
  const auto warnings = tools::ReadImageSet(
      folder, network.labels(), network.input(), {}, [](size_t, size_t) {}, pictures.set);
  if (!warnings.ok()) return warnings.status();
  if (pictures.count() > most) {
    pictures.set.pixels.resize(most);
    pictures.set.truth.resize(most);
  }
  for (const std::vector<uint8_t>& pixels : pictures.set.pixels) {
    pictures.normalized.emplace_back(pixels.size());
    converter::NormalizePixels(pixels, network.input(), pictures.normalized.back());
  }
  return pictures;
}

Result<std::unique_ptr<DenseNetwork>> CreateDense(const Model& model, size_t batch,
                                                  unsigned threads) {
  omp_set_num_threads(static_cast<int>(threads));
  return DenseNetwork::Create(model.graph, static_cast<int64_t>(batch));
}

Result<Contender> SnnLatency(const std::shared_ptr<const Network>& network,
                             const Pictures& pictures, unsigned threads) {
  SessionOptions options;
  options.threads = threads;
  auto session = std::make_shared<Session>(network, options);
  const auto turn = TurnOf(session, pictures);
  const auto answer = [&pictures, session]() -> Result<std::vector<size_t>> {
    std::vector<size_t> answers;
    Answer one;
    for (const std::vector<uint8_t>& pixels : pictures.set.pixels) {
      if (Status status = session->Run(pixels, one); !status.ok()) return status;
      answers.push_back(one.best());
    }
    return answers;
  };
  return Contender{"snn", turn, answer};
}

Result<Contender> SnnCounting(const std::shared_ptr<const Network>& network,
                              const Pictures& pictures, unsigned threads) {
  SessionOptions options;
  options.threads = threads;
  options.statistics = true;
  return Contender{"snn_counting", TurnOf(std::make_shared<Session>(network, options), pictures)};
}

Contender SnnThroughput(const std::shared_ptr<const Network>& network, const Pictures& pictures,
                        unsigned threads) {
  auto sessions = std::make_shared<std::vector<Session>>();
  for (unsigned i = 0; i < threads; ++i) sessions->emplace_back(network);
  return {"snn_throughput", [&pictures, sessions](size_t first, size_t count) {
            const size_t step = sessions->size();
            return Timed([&] {
              return OnThreads(step, [&](size_t t) {
                return RunSession((*sessions)[t], pictures, first + t, first + count, step);
              });
            });
          }};
}

Result<Contender> DenseLatency(const Model& model, const Pictures& pictures, size_t batch,
                               unsigned threads) {
  auto created = CreateDense(model, batch, threads);
  if (!created.ok()) return created.status();
  std::shared_ptr<DenseNetwork> dense = std::move(created).value();
  if (batch == 1) return OneByOne("dense", std::move(dense), pictures, model.classes, threads);
  const size_t classes = model.classes;
  const auto turn = [&pictures, dense, batch, classes, threads](size_t first, size_t count) {
    omp_set_num_threads(static_cast<int>(threads));
    return BatchTurn(*dense, pictures, batch, classes, first, count);
  };
  return Contender{"dense_batch" + std::to_string(batch), turn};
}

Result<Contender> DenseThroughput(const Model& model, const Pictures& pictures, unsigned threads) {
  auto copies = std::make_shared<std::vector<std::unique_ptr<DenseNetwork>>>();
  for (unsigned i = 0; i < threads; ++i) {
    auto created = CreateDense(model, 1, 1);
    if (!created.ok()) return created.status();
    copies->push_back(std::move(created).value());
  }
  const size_t classes = model.classes;
  const auto turn = [&pictures, copies, classes](size_t first, size_t count) {
    const size_t step = copies->size();
    return Timed([&] {
      return OnThreads(step, [&](size_t t) {
        omp_set_num_threads(1);
        return RunDense(*(*copies)[t], pictures, classes, first + t, first + count, step);
      });
    });
  };
  return Contender{"dense_throughput", turn};
}

Result<Contender> Int8Latency(const Model& model, const Pictures& calibration,
                              const Pictures& pictures, const InputFormat& input,
                              unsigned threads) {
  omp_set_num_threads(static_cast<int>(threads));
  auto created = CreateOneDnnInt8(model.graph, calibration.set, input);
  if (!created.ok()) return created.status();
  return OneByOne("dense_int8", std::move(created).value(), pictures, model.classes, threads);
}

}  // namespace cssrun::bench
