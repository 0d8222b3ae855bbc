// The ways to run a session and what else it tells: pixels as floats and in planes, events,
// readings that may stop it, time limits, recordings. With both engines.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "runtime/neuron/settled.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"

namespace cssrun {
namespace {

constexpr uint32_t kSeeds = 40;

std::shared_ptr<const Network> Load(const format::NetworkT& description, EngineKind engine) {
  const flatbuffers::DetachedBuffer bytes = SerializeNetwork(description);
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes({bytes.data(), bytes.size()}, "random", engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

uint64_t Synops(const Answer& answer) {
  uint64_t synops = 0;
  for (const LayerStatistics& layer : answer.layers) synops += layer.synops;
  return synops;
}

void ExpectSame(const Answer& actual, const Answer& expected) {
  EXPECT_EQ(actual.logits, expected.logits);
  EXPECT_EQ(Synops(actual), Synops(expected));
  EXPECT_EQ(actual.steps, expected.steps);
  EXPECT_EQ(actual.ending, expected.ending);
}

class InputsTest : public testing::TestWithParam<EngineKind> {
 protected:
  void Draw(uint32_t seed, const oracle::RandomOptions& options = {}) {
    description_ = oracle::RandomNetwork(seed, options);
    pixels_ = oracle::RandomPixels(description_, seed);
    network_ = Load(description_, GetParam());
    ASSERT_NE(network_, nullptr);
    ASSERT_TRUE(Session(network_).Run(pixels_, plain_).ok());
    EXPECT_EQ(plain_.ending, Ending::kComplete);
  }

  template <class T>
  std::vector<T> Planes(const std::vector<T>& interleaved) const {
    const InputFormat& input = network_->input();
    std::vector<T> planes;
    for (size_t c = 0; c < input.channels; ++c) {
      for (size_t i = c; i < interleaved.size(); i += input.channels) {
        planes.push_back(interleaved[i]);
      }
    }
    return planes;
  }

  std::vector<float> Floats() const {
    std::vector<float> floats;
    for (const uint8_t pixel : pixels_) floats.push_back(static_cast<float>(pixel) / 255.0F);
    return floats;
  }

  format::NetworkT description_;
  std::vector<uint8_t> pixels_;
  std::shared_ptr<const Network> network_;
  Answer plain_;
};

TEST_P(InputsTest, FloatsAndPlanesAreTheSameImage) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    Session session(network_);
    Answer answer;
    ASSERT_TRUE(session.Run(Floats(), answer).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(Planes(pixels_), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(Planes(Floats()), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(pixels_, answer).ok());
    ExpectSame(answer, plain_);
  }
}

// The same where pixels reach the first layers by multiplication; then nobody can bring events.
TEST_P(InputsTest, DirectInputTakesTheSameImagesAndNoEvents) {
  for (uint32_t seed = 100; seed < 100 + kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    oracle::RandomOptions options;
    options.direct = true;
    options.settled = seed % 2 == 0;
    Draw(seed, options);
    SessionOptions record;
    record.record = {{0, true, true}, {1, true, false}};
    Session session(network_, record);
    Answer answer;
    ASSERT_TRUE(session.Run(Floats(), answer).ok());
    ExpectSame(answer, plain_);
    EXPECT_TRUE(answer.recordings[0].spikes.empty());
    EXPECT_FALSE(answer.recordings[1].spikes.empty());
    ASSERT_TRUE(session.Run(Planes(pixels_), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(Planes(Floats()), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    const std::vector<InputEvent> events = {{0, 0, 1}};
    const Status status = session.Run(events, answer);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("--input css"), std::string::npos) << status.message();
  }
}

TEST_P(InputsTest, FloatsAreNotRoundedToEightBits) {
  Draw(3);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  std::vector<float> floats(pixels_.size());
  for (float& value : floats) value = uniform(random);
  SessionOptions options;
  options.record = {{0, true, false}};
  Session session(network_, options);
  Answer answer;
  ASSERT_TRUE(session.Run(floats, answer).ok());

  std::vector<double> normalized;
  const InputFormat& input = network_->input();
  for (size_t c = 0; c < input.channels; ++c) {
    for (size_t i = c; i < floats.size(); i += input.channels) {
      normalized.push_back((static_cast<double>(floats[i]) - static_cast<double>(input.mean[c])) /
                           static_cast<double>(input.stddev[c]));
    }
  }
  const oracle::NodeRun expected = oracle::RunEncoder(description_, normalized);
  size_t compared = 0;
  std::vector<bool> tied(normalized.size(), false);  // from there on it may have two trains
  for (size_t i = 0; i < expected.train.size(); ++i) {
    for (size_t j = 0; j < normalized.size(); ++j) {
      tied[j] = tied[j] || expected.margin[i][j] < 1e-5;
      if (tied[j]) continue;
      ++compared;
      EXPECT_EQ(answer.recordings[0].spikes[i * normalized.size() + j], expected.train[i][j]);
    }
  }
  EXPECT_GT(compared, normalized.size());
}

TEST_P(InputsTest, RefusesFloatsThatAreNoPixels) {
  Draw(3);
  Session session(network_);
  Answer answer;
  for (const float wrong : {-0.01F, 1.01F, 255.0F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> floats = Floats();
    floats[2] = wrong;
    const Status status = session.Run(floats, answer);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("pixel number 2"), std::string::npos) << status.message();
  }
  EXPECT_EQ(session.Run(std::vector<float>(5), answer).code(), StatusCode::kInvalidArgument);
}

TEST_P(InputsTest, EventsTakeThePlaceOfTheEncoder) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    SessionOptions options;
    options.record = {{0, true, false}};
    Session session(network_, options);
    Answer recorded;
    ASSERT_TRUE(session.Run(pixels_, recorded).ok());
    const std::vector<int8_t>& spikes = recorded.recordings[0].spikes;
    ASSERT_EQ(spikes.size(), pixels_.size() * network_->timesteps());
    std::vector<InputEvent> events;
    for (size_t i = 0; i < spikes.size(); ++i) {
      if (spikes[i] == 0) continue;
      events.push_back({static_cast<uint32_t>(i / pixels_.size()),
                        static_cast<uint32_t>(i % pixels_.size()), spikes[i]});
    }
    std::shuffle(events.begin(), events.end(), std::mt19937(seed));
    Answer answer;
    ASSERT_TRUE(session.Run(events, answer).ok());
    ExpectSame(answer, plain_);
    EXPECT_EQ(answer.layers[0].spikes, events.size());
    EXPECT_EQ(answer.recordings[0].spikes, spikes);
    // And nothing of them stays.
    ASSERT_TRUE(session.Run(pixels_, answer).ok());
    ExpectSame(answer, plain_);
  }
}

TEST_P(InputsTest, WithoutEventsTheLayersRunOnTheirBiases) {
  Draw(5);
  Session session(network_);
  Answer answer;
  ASSERT_TRUE(session.Run(std::span<const InputEvent>(), answer).ok());
  EXPECT_EQ(answer.layers[0].spikes, 0U);
  EXPECT_EQ(answer.layers[1].synops, 0U);
}

TEST_P(InputsTest, RefusesEventsThatCannotBe) {
  Draw(5);
  Session session(network_);
  Answer answer;
  const auto inputs = static_cast<uint32_t>(pixels_.size());
  const auto message = [&](const std::vector<InputEvent>& events) {
    const Status status = session.Run(events, answer);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    return status.message();
  };
  EXPECT_NE(message({{0, 0, 1}, {network_->timesteps(), 0, 1}}).find("event 1: step"),
            std::string::npos);
  EXPECT_NE(message({{0, inputs, 1}}).find("event 0: address"), std::string::npos);
  EXPECT_NE(message({{0, 0, 0}}).find("event 0: sign 0"), std::string::npos);
  EXPECT_NE(message({{0, 0, 2}}).find("event 0: sign 2"), std::string::npos);
  EXPECT_NE(message({{1, inputs - 1, 1}, {0, 0, 1}, {1, inputs - 1, -1}})
                .find("two events at step 1 of address " + std::to_string(inputs - 1)),
            std::string::npos);
}

TEST_P(InputsTest, OnReadingSeesEveryReadingAndMayStop) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    SessionOptions keep;
    keep.keep_readings = true;
    Answer kept;
    ASSERT_TRUE(Session(network_, keep).Run(pixels_, kept).ok());

    std::vector<Reading> seen;
    uint32_t stop_after = network_->timesteps();
    SessionOptions options;
    options.on_reading = [&](const Reading& reading) {
      seen.push_back(reading);
      return seen.size() != stop_after;
    };
    Session session(network_, options);
    Answer answer;
    for (; stop_after > 0; --stop_after) {
      seen.clear();
      ASSERT_TRUE(session.Run(pixels_, answer).ok());
      ASSERT_EQ(seen.size(), stop_after);
      for (size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i].step, kept.readings[i].step);
        EXPECT_EQ(seen[i].logits, kept.readings[i].logits);
        EXPECT_EQ(seen[i].margin, kept.readings[i].margin);
        EXPECT_EQ(seen[i].synops, kept.readings[i].synops);
      }
      EXPECT_EQ(answer.logits, seen.back().logits);
      EXPECT_EQ(answer.steps, seen.back().step);
      EXPECT_TRUE(answer.readings.empty());
      // Stopping at the last step stops nothing.
      EXPECT_EQ(answer.ending,
                stop_after == network_->timesteps() ? Ending::kComplete : Ending::kStopped);
    }
  }
}

TEST_P(InputsTest, AnAnswerKeepsNoReadingsOfTheRunBefore) {
  Draw(7);
  bool stop = false;
  SessionOptions options;
  options.keep_readings = true;
  options.on_reading = [&](const Reading&) { return !stop; };
  Session session(network_, options);
  Answer answer;
  ASSERT_TRUE(session.Run(pixels_, answer).ok());
  ASSERT_EQ(answer.readings.size(), network_->timesteps());
  const Reading first = answer.readings[0];
  stop = true;
  ASSERT_TRUE(session.Run(pixels_, answer).ok());
  ASSERT_EQ(answer.readings.size(), network_->timesteps());
  EXPECT_EQ(answer.readings[0].logits, first.logits);
  EXPECT_EQ(answer.readings[0].synops, first.synops);
  for (size_t i = 1; i < answer.readings.size(); ++i) {
    EXPECT_TRUE(answer.readings[i].logits.empty());
    EXPECT_EQ(answer.readings[i].step, 0U);
  }
  ASSERT_TRUE(Session(network_).Run(pixels_, answer).ok());
  EXPECT_TRUE(answer.readings.empty());
}

TEST_P(InputsTest, ACancelledRunFailsAndTheNextIsWhole) {
  Draw(7);
  std::atomic<bool> cancel = true;
  SessionOptions options;
  options.cancel = &cancel;
  Session session(network_, options);
  Answer answer;
  const Status status = session.Run(pixels_, answer);
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_NE(status.message().find("cancelled at step 0"), std::string::npos) << status.message();
  cancel = false;
  ASSERT_TRUE(session.Run(pixels_, answer).ok());
  ExpectSame(answer, plain_);
}

TEST_P(InputsTest, AnotherThreadCancelsARun) {
  Draw(7);
  std::atomic<bool> cancel = false;
  SessionOptions options;
  options.cancel = &cancel;
  Session session(network_, options);
  std::thread other([&] { cancel = true; });
  Answer answer;
  Status status;
  while (status.ok()) status = session.Run(pixels_, answer);
  other.join();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

TEST_P(InputsTest, WhatIsReadBeforeTheTimeLimitIsTheAnswer) {
  int late = 0;
  for (uint32_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    SessionOptions keep;
    keep.keep_readings = true;
    Answer kept;
    ASSERT_TRUE(Session(network_, keep).Run(pixels_, kept).ok());
    // The callback uses up all of the time at a reading of its choice.
    for (uint32_t reading = 0; reading + 1 < network_->timesteps(); ++reading) {
      uint32_t count = 0;
      SessionOptions options;
      options.time_limit = std::chrono::seconds(5);
      // Enough for a busy machine; the callback waits for the rest of it only in one case.
      options.on_reading = [&](const Reading&) {
        ++count;
        return true;
      };
      Answer answer;
      ASSERT_TRUE(Session(network_, options).Run(pixels_, answer).ok());
      EXPECT_EQ(answer.ending, Ending::kComplete);
      EXPECT_EQ(answer.logits, plain_.logits);
      options.time_limit = std::chrono::milliseconds(40);
      count = 0;
      options.on_reading = [&](const Reading&) {
        if (count++ == reading) std::this_thread::sleep_for(std::chrono::milliseconds(41));
        return true;
      };
      const Status status = Session(network_, options).Run(pixels_, answer);
      if (!status.ok()) continue;  // the machine was busy before the first reading
      ASSERT_EQ(answer.ending, Ending::kLate);
      ASSERT_LE(count, reading + 1);
      EXPECT_EQ(answer.logits, kept.readings[count - 1].logits);
      EXPECT_EQ(answer.steps, kept.readings[count - 1].step);
      ++late;
      break;
    }
  }
  EXPECT_GT(late, 0);
}

TEST_P(InputsTest, ATimeLimitBeforeTheFirstReadingIsAnError) {
  Draw(7);
  SessionOptions options;
  options.time_limit = std::chrono::nanoseconds(1);
  Session session(network_, options);
  Answer answer;
  const Status status = session.Run(pixels_, answer);
  EXPECT_EQ(status.code(), StatusCode::kTimedOut);
  EXPECT_NE(status.message().find("before the first reading"), std::string::npos)
      << status.message();
}

// Every layer's neuron equation again, in double, from the recorded spikes alone.
TEST_P(InputsTest, RecordingsObeyTheNeuronEquation) {
  size_t compared = 0;
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    const size_t last = description_.nodes.size() - 1;
    SessionOptions options;
    for (size_t layer = 0; layer <= last; ++layer) options.record.push_back({layer, true, true});
    Session session(network_, options);
    Answer answer;
    ASSERT_TRUE(session.Run(pixels_, answer).ok());
    ExpectSame(answer, plain_);
    ASSERT_EQ(answer.recordings.size(), last + 1);
    EXPECT_TRUE(answer.recordings[0].membranes.empty());
    EXPECT_TRUE(answer.recordings[last].spikes.empty());
    EXPECT_TRUE(answer.recordings[last].membranes.empty());

    const uint32_t timesteps = network_->timesteps();
    const uint32_t silent = description_.code->silent_steps;
    std::vector<oracle::Train> trains(last);
    for (size_t node = 0; node < last; ++node) {
      const std::vector<int8_t>& spikes = answer.recordings[node].spikes;
      const size_t neurons = network_->layers()[node].neurons;
      ASSERT_EQ(spikes.size(), neurons * timesteps);
      for (auto step = spikes.begin(); step != spikes.end();
           step += static_cast<std::ptrdiff_t>(neurons)) {
        trains[node].emplace_back(step, step + static_cast<std::ptrdiff_t>(neurons));
      }
      EXPECT_EQ(answer.layers[node].spikes,
                static_cast<uint64_t>(std::count_if(spikes.begin(), spikes.end(),
                                                    [](int8_t spike) { return spike != 0; })));
    }
    const auto beta = static_cast<double>(description_.code->beta);
    const double weight = std::pow(beta, silent);
    for (size_t node = 1; node < last; ++node) {
      SCOPED_TRACE(node);
      const format::NodeT& description = *description_.nodes[node];
      const size_t neurons = network_->layers()[node].neurons;
      const std::vector<float>& membranes = answer.recordings[node].membranes;
      const bool settled = internal::IsSettled(description_.code->beta, timesteps, silent);
      if (network_->engine() == EngineKind::kInteger && settled) {
        EXPECT_TRUE(membranes.empty());
        continue;
      }
      ASSERT_EQ(membranes.size(), neurons * (timesteps + silent));
      std::vector<double> h, g(neurons, 0.0), arrived, arrived_magnitude;
      std::vector<bool> clamped_before(neurons, true);
      double scale = 1;
      for (uint32_t index = 0; index < timesteps + silent; ++index) {
        if (index < timesteps) {
          const oracle::Inputs inputs = oracle::SumInputs(description_, description, trains, index);
          if (h.empty()) {
            h.assign(inputs.sum.size(), static_cast<double>(description.initial_potential));
          }
          const size_t positions = h.size() / description.bias.size();
          arrived = inputs.sum;
          arrived_magnitude = inputs.magnitude;
          for (size_t i = 0; i < h.size(); ++i) {
            const auto bias = static_cast<double>(description.bias[i / positions]);
            arrived[i] += bias;
            arrived_magnitude[i] += std::abs(bias);
            h[i] = beta * h[i] + arrived[i];
            scale = std::max(scale, std::abs(h[i]));
          }
        } else {
          for (double& potential : h) potential *= beta;
          std::ranges::fill(arrived, 0.0);
          std::ranges::fill(arrived_magnitude, 0.0);
        }
        std::vector<double> top = oracle::PoolMembranes(description, h);
        ASSERT_EQ(top.size(), neurons);
        for (size_t i = 0; i < neurons; ++i) {
          g[i] *= beta;
          if (index >= silent) g[i] += weight * trains[node][index - silent][i];
          if (description.rectify) top[i] = std::max(top[i], 0.0);
          const auto actual = static_cast<double>(membranes[index * neurons + i]);
          if (network_->engine() == EngineKind::kFloat) {
            ASSERT_NEAR(actual, (top[i] - g[i]) / weight, 1e-3 * scale)
                << "index " << index << " neuron " << i;
            ++compared;
            continue;
          }
          // Weights are rounded, so only from one recorded index to the next; where neither is
          // clamped at 0, saturated, or a pool's.
          const bool clamped = description.rectify && top[i] < 0.5 * weight;
          if (index > 0 && !description.pool && !clamped && !clamped_before[i]) {
            const auto before = static_cast<double>(membranes[(index - 1) * neurons + i]);
            const double spike =
                index >= silent ? static_cast<double>(trains[node][index - silent][i]) : 0.0;
            const double expected = beta * before + arrived[i] / weight - spike;
            if (std::abs(beta * before) + arrived_magnitude[i] / weight < 15 &&
                std::abs(beta * expected) < 15) {
              ASSERT_NEAR(actual, expected, 0.02 + 0.02 * arrived_magnitude[i] / weight)
                  << "index " << index << " neuron " << i;
              ++compared;
            }
          }
          clamped_before[i] = clamped;
        }
      }
    }
  }
  EXPECT_GT(compared, 10'000U);
}

TEST_P(InputsTest, AnEndedRunRecordsWhatItReached) {
  Draw(9);
  SessionOptions whole_options;
  whole_options.record = {{1, true, true}};
  Answer whole, ended;
  ASSERT_TRUE(Session(network_, whole_options).Run(pixels_, whole).ok());
  SessionOptions options = whole_options;
  options.on_reading = [](const Reading&) { return false; };
  Session session(network_, options);
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(session.Run(pixels_, ended).ok());
    const size_t neurons = network_->layers()[1].neurons;
    const std::vector<int8_t>& spikes = ended.recordings[0].spikes;
    ASSERT_EQ(spikes.size(), whole.recordings[0].spikes.size());
    const uint32_t reached =
        std::min(ended.steps - network_->layers()[1].offset, network_->timesteps());
    for (size_t i = 0; i < spikes.size(); ++i) {
      EXPECT_EQ(spikes[i], i < reached * neurons ? whole.recordings[0].spikes[i] : 0);
    }
  }
}

TEST_P(InputsTest, RefusesToRecordALayerThatIsNotThere) {
  Draw(9);
  SessionOptions options;
  options.record = {{network_->layers().size(), true, false}};
  const Result<Session> created = Session::Create(network_, options);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.status().code(), StatusCode::kInvalidArgument);
  Session session(network_, options);
  Answer answer;
  EXPECT_EQ(session.Run(pixels_, answer).message(), created.status().message());
}

INSTANTIATE_TEST_SUITE_P(Engines, InputsTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
