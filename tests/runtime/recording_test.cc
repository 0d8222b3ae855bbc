// Compares recorded spikes and membranes with the neuron equation and with whole runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cssrun/cssrun.h"
#include "runtime/neuron/settled.h"
#include "tests/oracle/reference.h"
#include "tests/runtime/random_run.h"

namespace cssrun {
namespace {

using RecordingTest = RandomRunTest;

// Computes every layer's neuron equation again, in double, from the recorded spikes only.
TEST_P(RecordingTest, RecordingsObeyTheNeuronEquation) {
  size_t compared = 0;
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    const size_t last = description_.nodes.size() - 1;
    SessionOptions options = {.statistics = true};
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
          // Weights are rounded, so each recorded index is compared with the one before it only,
          // and only where neither is clamped at 0, saturated, or a pool's.
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

TEST_P(RecordingTest, AnEndedRunRecordsWhatItReached) {
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

TEST_P(RecordingTest, RefusesToRecordALayerThatIsNotThere) {
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

INSTANTIATE_TEST_SUITE_P(Engines, RecordingTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
