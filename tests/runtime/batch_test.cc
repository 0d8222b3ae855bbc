// Tests RunImages: order, failures, threads, exceptions.
#include "cssrun/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

constexpr uint32_t kSeed = 11;

std::shared_ptr<const Network> Load(const format::NetworkT& description, EngineKind engine) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes({bytes.data(), bytes.size()}, "random", engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

class BatchTest : public testing::TestWithParam<EngineKind> {
 protected:
  Status LoadBytes(size_t index, std::vector<uint8_t>& pixels) const {
    pixels = oracle::RandomPixels(description_, static_cast<uint32_t>(index));
    return Status::Ok();
  }
  LoadImage Loader() const {
    return [this](size_t index, std::vector<uint8_t>& pixels) { return LoadBytes(index, pixels); };
  }

  const format::NetworkT description_ = oracle::RandomNetwork(kSeed);
  const std::shared_ptr<const Network> network_ = Load(description_, GetParam());
};

TEST_P(BatchTest, DeliversInOrderAndReportsFailures) {
  const auto load = [&](size_t index, std::vector<uint8_t>& pixels) {
    if (index % 7 == 3) return Status::Io("image " + std::to_string(index));
    return LoadBytes(index, pixels);
  };
  std::vector<std::vector<std::vector<float>>> runs;
  for (const unsigned threads : {1U, 4U}) {
    for (const unsigned sharing : {1U, 2U, 4U, 9U, 0U}) {
      std::vector<std::vector<float>> logits;
      SessionOptions options;
      options.threads = sharing;
      const Status status = RunImages(network_, options, 40, threads, load,
                                      [&](size_t index, const ImageOutcome& outcome) {
                                        EXPECT_EQ(index, logits.size());
                                        EXPECT_EQ(outcome.status.ok(), index % 7 != 3);
                                        logits.push_back(outcome.answer.logits);
                                        return true;
                                      });
      EXPECT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(logits.size(), 40U);
      runs.push_back(logits);
    }
  }
  for (const auto& run : runs) EXPECT_EQ(run, runs.front());
}

TEST_P(BatchTest, FloatsAndPlanesGiveTheAnswersOfBytes) {
  std::vector<std::vector<float>> bytes;
  std::vector<std::vector<float>> floats;
  const auto keep = [](std::vector<std::vector<float>>& logits) {
    return [&logits](size_t, const ImageOutcome& outcome) {
      EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
      logits.push_back(outcome.answer.logits);
      return true;
    };
  };
  EXPECT_TRUE(RunImages(network_, {}, 10, 3, Loader(), keep(bytes)).ok());
  const InputFormat& input = network_->input();
  const size_t positions = size_t{input.height} * input.width;
  const Status status = RunImages(
      network_, {}, 10, 3,
      [&](size_t index, std::vector<float>& pixels) {
        std::vector<uint8_t> interleaved;
        Status loaded = LoadBytes(index, interleaved);
        pixels.resize(interleaved.size());
        for (size_t i = 0; i < interleaved.size(); ++i) {
          const size_t channel = i % input.channels;
          pixels[channel * positions + i / input.channels] =
              static_cast<float>(interleaved[i]) / 255.0F;
        }
        return loaded;
      },
      keep(floats), PixelOrder::kPlanar);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(bytes.size(), 10U);
  EXPECT_EQ(bytes, floats);
}

TEST_P(BatchTest, AFloatOutOfRangeFailsItsImageAlone) {
  std::vector<StatusCode> codes;
  const Status status = RunImages(
      network_, {}, 3, 1,
      [&](size_t index, std::vector<float>& pixels) {
        const InputFormat& input = network_->input();
        pixels.assign(size_t{input.channels} * input.height * input.width,
                      index == 1 ? 1.5F : 0.5F);
        return Status::Ok();
      },
      [&](size_t, const ImageOutcome& outcome) {
        codes.push_back(outcome.status.code());
        return true;
      });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(codes, (std::vector{StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kOk}));
}

TEST_P(BatchTest, WithoutImagesNothingIsCalled) {
  bool called = false;
  const Status status = RunImages(
      network_, {}, 0, 4,
      [&](size_t, std::vector<uint8_t>&) {
        called = true;
        return Status::Ok();
      },
      [&](size_t, const ImageOutcome&) { return called = true; });
  EXPECT_TRUE(status.ok());
  EXPECT_FALSE(called);
}

TEST_P(BatchTest, DeliverEndsTheRun) {
  size_t delivered = 0;
  const Status status = RunImages(network_, {}, 1000, 2, Loader(),
                                  [&](size_t, const ImageOutcome&) { return ++delivered < 5; });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(delivered, 5U);
}

TEST_P(BatchTest, WrongOptionsFailBeforeAnImageIsLoaded) {
  std::atomic<int> loads = 0;
  SessionOptions options;
  options.record = {{.layer = 1000}};
  const Status status = RunImages(
      network_, options, 10, 2,
      [&](size_t index, std::vector<uint8_t>& pixels) {
        ++loads;
        return LoadBytes(index, pixels);
      },
      [](size_t, const ImageOutcome&) { return true; });
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("layer 1000"), std::string::npos) << status.message();
  EXPECT_EQ(loads, 0);
}

TEST_P(BatchTest, ExceptionsOfCallbacksPassThroughAndWantOfMemoryIsAStatus) {
  const auto keep_on = [](size_t, const ImageOutcome&) { return true; };
  for (const unsigned threads : {1U, 3U}) {
    const auto throwing = [&](const auto& error) {
      return [&](size_t index, std::vector<uint8_t>& pixels) {
        if (index == 5) throw error;
        return LoadBytes(index, pixels);
      };
    };
    const std::runtime_error error("from the callback");
    EXPECT_THROW(std::ignore = RunImages(network_, {}, 20, threads, throwing(error), keep_on),
                 std::runtime_error);
    EXPECT_EQ(RunImages(network_, {}, 20, threads, throwing(std::bad_alloc()), keep_on).code(),
              StatusCode::kOutOfMemory);
    const auto deliver = [&](size_t index, const ImageOutcome&) -> bool {
      if (index == 5) throw error;
      return true;
    };
    EXPECT_THROW(std::ignore = RunImages(network_, {}, 20, threads, Loader(), deliver),
                 std::runtime_error);
    SessionOptions options;
    options.on_reading = [&](const Reading&) -> bool { throw error; };
    EXPECT_THROW(std::ignore = RunImages(network_, options, 20, threads, Loader(), keep_on),
                 std::runtime_error);
  }
}

void SetToMost(std::atomic<int>& most, int value) {
  int seen = most;
  while (value > seen && !most.compare_exchange_weak(seen, value)) {
  }
}

// Counts how many of something go on at the same time, and keeps the most.
class Gauge {
 public:
  explicit Gauge(std::atomic<int>& most) : most_(most) {}
  void Enter() { SetToMost(most_, ++now_); }
  void Leave() { --now_; }

 private:
  std::atomic<int>& most_;
  std::atomic<int> now_ = 0;
};

int ThreadsOfTheProcess() {
  const std::filesystem::directory_iterator threads("/proc/self/task");
  return static_cast<int>(std::distance(begin(threads), end(threads)));
}

struct ThreadsUsed {
  std::atomic<int> callbacks = 0;  // of all kinds, at the same time
  std::atomic<int> runs = 0;       // images that run at the same time
  std::atomic<int> threads = 0;    // of the process
};

void CountThreads(const std::shared_ptr<const Network>& network, const LoadImage& load,
                  unsigned threads, unsigned sharing, ThreadsUsed& used) {
  Gauge callbacks(used.callbacks);
  Gauge runs(used.runs);
  const auto stay = [&] {
    callbacks.Enter();
    // The sleep is long enough for all threads to arrive.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    SetToMost(used.threads, ThreadsOfTheProcess());
    callbacks.Leave();
  };
  SessionOptions options;
  options.threads = sharing;
  options.on_reading = [&](const Reading&) {
    runs.Enter();
    stay();
    runs.Leave();
    return false;  // one reading of each image is enough
  };
  const Status status = RunImages(
      network, options, 12, threads,
      [&](size_t index, std::vector<uint8_t>& pixels) {
        stay();
        return load(index, pixels);
      },
      [&](size_t, const ImageOutcome& outcome) {
        EXPECT_TRUE(outcome.status.ok());
        stay();
        return true;
      });
  EXPECT_TRUE(status.ok());
}

TEST_P(BatchTest, NeverUsesMoreThreadsThanAskedFor) {
  for (const unsigned threads : {1U, 3U, 5U}) {
    for (const unsigned sharing : {1U, 2U, 9U, 0U}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, " + std::to_string(sharing) +
                   " to an image");
      ThreadsUsed used;
      CountThreads(network_, Loader(), threads, sharing, used);
      EXPECT_LE(used.callbacks, static_cast<int>(threads));
      EXPECT_LE(used.runs, static_cast<int>(threads / std::min(ThreadCount(sharing), threads)));
    }
  }
}

TEST_P(BatchTest, ImagesRunAtTheSameTime) {
  std::atomic<int> inside = 0;
  std::atomic<bool> met = false;
  SessionOptions options;
  options.on_reading = [&](const Reading&) {
    met = ++inside > 1 || met;
    // The first thread waits here for a second one.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!met && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    --inside;
    return false;
  };
  EXPECT_TRUE(RunImages(network_, options, 4, 2, Loader(), [](size_t, const ImageOutcome&) {
                return true;
              }).ok());
  EXPECT_TRUE(met);
}

// This test needs a process of its own, in which no other test has left threads.
TEST_P(BatchTest, TheProcessHasNoMoreThreadsThanAskedFor) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have threads of their own";
#endif
  // The layers are large enough to be shared between threads.
  const format::NetworkT wide = oracle::WideNetwork(16, 32, 64, 1);
  const std::shared_ptr<const Network> network = Load(wide, GetParam());
  ASSERT_NE(network, nullptr);
  const auto load = [&](size_t index, std::vector<uint8_t>& pixels) {
    pixels = oracle::RandomPixels(wide, static_cast<uint32_t>(index));
    return Status::Ok();
  };
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  struct Case {
    unsigned threads, sharing;
  };
  for (const auto [threads, sharing] : {Case{3, 1}, Case{3, 3}, Case{4, 2}, Case{5, 2}}) {
    EXPECT_EXIT(
        {
          ThreadsUsed used;
          CountThreads(network, load, threads, sharing, used);
          std::fprintf(stderr, "%d threads", used.threads.load());
          std::_Exit(used.threads >= 2 && used.threads <= static_cast<int>(threads) ? 0 : 1);
        },
        testing::ExitedWithCode(0), "threads");
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, BatchTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
