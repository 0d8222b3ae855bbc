// Tests the paper's theorems about the code on the trains and membranes of both engines.
//
// Tolerances are bounds on the errors of the engines' arithmetic. In float, each rounding has an
// error of 2^-24 of the value. In integers, each rounded weight that is added has an error of half
// a unit, and growing rounds as well; the plan gives the units.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "tests/oracle/network_parts.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

using oracle::Draw;
using oracle::Train;

constexpr double kFloatRounding = 1.0 / (1 << 24);

double SumOfWeights(double beta, uint32_t timesteps) {
  double sum = 0;
  for (uint32_t k = 0; k < timesteps; ++k) sum += std::pow(beta, k);
  return sum;
}

double Decode(const Train& train, size_t neuron, double beta) {
  double value = 0;
  for (const std::vector<int8_t>& spikes : train) value = beta * value + spikes[neuron];
  return value;
}

std::shared_ptr<const Network> Load(const format::NetworkT& description, EngineKind engine) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes({bytes.data(), bytes.size()}, "coding", engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  if (!network.ok()) return nullptr;
  EXPECT_EQ(network.value()->engine(), engine) << network.value()->why_float();
  return network.value();
}

Train TrainOf(const Recording& recording, uint32_t timesteps) {
  const size_t neurons = recording.spikes.size() / timesteps;
  Train train;
  for (auto step = recording.spikes.begin(); step != recording.spikes.end();
       step += static_cast<std::ptrdiff_t>(neurons)) {
    train.emplace_back(step, step + static_cast<std::ptrdiff_t>(neurons));
  }
  return train;
}

// Returns the encoder's train of one image, of bytes or of floats.
template <class Pixel>
Train EncoderTrain(const std::shared_ptr<const Network>& network,
                   const std::vector<Pixel>& pixels) {
  SessionOptions options;
  options.record = {{.layer = 0}};
  Answer answer;
  EXPECT_TRUE(Session(network, options).Run(pixels, answer, PixelOrder::kPlanar).ok());
  return TrainOf(answer.recordings[0], network->timesteps());
}

// Values from -limit to limit, and the pixels of 0 to 1 that are normalized to them.
struct Values {
  std::vector<float> pixels;
  std::vector<double> normalized;  // as the network normalizes them
};

// Makes a network whose encoder has the wanted T, beta and amplitude, and whose pixels become
// values from -limit to limit.
format::NetworkT EncoderNetwork(uint32_t timesteps, float beta, float amplitude, double limit) {
  format::NetworkT network = oracle::ChainNetwork(0, timesteps, beta, 0);
  network.nodes[0]->amplitude = amplitude;
  network.preprocessing->mean.assign(3, 0.5F);
  network.preprocessing->stddev.assign(3, static_cast<float>(0.5 / limit));
  return network;
}

Values DrawValues(const format::NetworkT& network, uint32_t seed, bool bytes) {
  std::mt19937 generator(seed);
  Values values;
  const auto stddev = static_cast<double>(network.preprocessing->stddev[0]);
  for (size_t i = 0; i < 48; ++i) {
    const float pixel =
        bytes ? static_cast<float>(std::uniform_int_distribution<int>(0, 255)(generator)) / 255.0F
              : std::uniform_real_distribution<float>(0, 1)(generator);
    values.pixels.push_back(pixel);
    values.normalized.push_back((static_cast<double>(pixel) - 0.5) / stddev);
  }
  return values;
}

// Returns the train of `values`, which are passed as bytes if they have them.
Train Encode(const std::shared_ptr<const Network>& network, const Values& values, bool bytes) {
  if (!bytes) return EncoderTrain(network, values.pixels);
  std::vector<uint8_t> pixels;
  for (const float pixel : values.pixels) {
    pixels.push_back(static_cast<uint8_t>(std::lround(pixel * 255.0F)));
  }
  return EncoderTrain(network, pixels);
}

// Returns a bound on the encoder's error: its membrane is rounded twice a step, each time by a
// share of the value that is left.
double EncoderTolerance(double beta, uint32_t timesteps) {
  return 2 * (timesteps + 1) * kFloatRounding * (SumOfWeights(beta, timesteps) + 1);
}

class CodingTest : public testing::TestWithParam<EngineKind> {};

TEST_P(CodingTest, EncodedValueIsLessThanOneAmplitudeOff) {  // Theorem 3
  Draw draw(1);
  for (uint32_t round = 0; round < 300; ++round) {
    const uint32_t timesteps = draw.Count(1, 16);
    const float beta = 1.001F + 0.999F * static_cast<float>(draw.Integer(0, 1000)) / 1000;
    const float theta = 0.01F + 3.0F * static_cast<float>(draw.Integer(0, 1000)) / 1000;
    const auto b = static_cast<double>(beta);
    const double amplitude = theta;
    const double limit = amplitude * SumOfWeights(b, timesteps);
    const format::NetworkT description = EncoderNetwork(timesteps, beta, theta, limit);
    const std::shared_ptr<const Network> network = Load(description, GetParam());
    ASSERT_NE(network, nullptr);
    const bool bytes = round % 2 == 0;
    const Values values = DrawValues(description, round, bytes);
    const Train train = Encode(network, values, bytes);
    const double most = amplitude * (1 + EncoderTolerance(b, timesteps));
    for (size_t i = 0; i < values.normalized.size(); ++i) {
      ASSERT_LT(std::abs(amplitude * Decode(train, i, b) - values.normalized[i]), most)
          << "a " << values.normalized[i] << " T " << timesteps << " beta " << beta << " theta "
          << theta;
    }
  }
}

TEST_P(CodingTest, WithBetaTwoATrainDecodesToTheNearestMultipleOfTheAmplitude) {
  size_t decoded = 0;
  for (uint32_t timesteps = 1; timesteps <= 12; ++timesteps) {
    const double limit = SumOfWeights(2, timesteps) + 0.49;
    const format::NetworkT description = EncoderNetwork(timesteps, 2.0F, 1.0F, limit);
    const std::shared_ptr<const Network> network = Load(description, GetParam());
    ASSERT_NE(network, nullptr);
    for (const bool bytes : {false, true}) {
      const Values values = DrawValues(description, timesteps, bytes);
      const Train train = Encode(network, values, bytes);
      for (size_t i = 0; i < values.normalized.size(); ++i) {
        const double nearest = std::round(values.normalized[i]);
        const double to_tie = 0.5 - std::abs(values.normalized[i] - nearest);
        if (to_tie < EncoderTolerance(2, timesteps))
          continue;  // the train may be that of either neighbour
        ASSERT_EQ(Decode(train, i, 2), nearest) << values.normalized[i] << " T " << timesteps;
        ++decoded;
      }
    }
  }
  EXPECT_GT(decoded, 12 * 2 * 48 * 9 / 10);
}

// One run of an image, with the spikes of all nodes but the readout, and the membranes of one node.
struct LayerRun {
  std::vector<Train> trains;
  std::vector<float> membranes;  // [index of T + L][neuron], of `node`; empty if not asked for
};

LayerRun RunLayers(const std::shared_ptr<const Network>& network,
                   const std::vector<uint8_t>& pixels, size_t node, bool membranes) {
  SessionOptions options;
  const size_t layers = network->layers().size() - 1;
  for (size_t layer = 0; layer < layers; ++layer) {
    options.record.push_back({.layer = layer, .membranes = membranes && layer == node});
  }
  Answer answer;
  EXPECT_TRUE(Session(network, options).Run(pixels, answer).ok());
  LayerRun run;
  for (const Recording& recording : answer.recordings) {
    run.trains.push_back(TrainOf(recording, network->timesteps()));
  }
  run.membranes = answer.recordings[node].membranes;
  return run;
}

// The amounts that spikes and biases add to each membrane of a node, in amplitudes at the weight of
// the last step.
struct Received {
  std::vector<double> value;
  std::vector<double> magnitude;    // sums of absolute values
  std::vector<double> most_events;  // the most weights that were added in one step
};

Received ReceivedBy(const format::NetworkT& network, size_t index,
                    const std::vector<Train>& trains) {
  const format::NodeT& node = *network.nodes[index];
  format::NodeT ones(node);
  for (auto& s : ones.synapses) std::fill(s->weights.begin(), s->weights.end(), 1.0F);
  const auto beta = static_cast<double>(network.code->beta);
  const size_t positions = size_t{node.potential->height()} * node.potential->width();
  const size_t neurons = positions * node.potential->channels();
  Received received;
  received.value.assign(neurons, 0);
  received.magnitude.assign(neurons, 0);
  received.most_events.assign(neurons, 0);
  for (uint32_t i = 0; i < network.code->timesteps; ++i) {
    const oracle::Inputs inputs = oracle::SumInputs(network, node, trains, i);
    const oracle::Inputs events = oracle::SumInputs(network, ones, trains, i);
    for (size_t j = 0; j < neurons; ++j) {
      const auto bias = static_cast<double>(node.bias[j / positions]);
      received.value[j] = beta * received.value[j] + inputs.sum[j] + bias;
      received.magnitude[j] = beta * received.magnitude[j] + inputs.magnitude[j] + std::abs(bias);
      received.most_events[j] = std::max(received.most_events[j], events.magnitude[j]);
    }
  }
  return received;
}

// Returns the network with the weights that the engine adds; for the integer engine these are whole
// units.
format::NetworkT AsAdded(const format::NetworkT& description, const Network& network) {
  format::NetworkT added(description);
  if (network.engine() == EngineKind::kFloat) return added;
  const internal::IntegerPlan plan = integer_tests::PlanOf(network);
  for (size_t i = 1; i + 1 < added.nodes.size(); ++i) {
    const std::vector<double>& scales = plan.layers[i].scales;
    for (auto& s : added.nodes[i]->synapses) {
      const size_t fan_in = s->weights.size() / scales.size();
      for (size_t k = 0; k < s->weights.size(); ++k) {
        const double scale = scales[k / fan_in];
        const double units = std::nearbyint(static_cast<double>(s->weights[k]) * scale);
        s->weights[k] = static_cast<float>(units / scale);
      }
    }
  }
  return added;
}

// Returns a bound on the error of floats after the last step, in amplitudes. At each step a
// membrane grows, and weights and a bias are added. Each of these rounds once, by a share of at
// most the sum of absolute values. The same holds for the spikes sent.
double FloatTolerance(const format::NetworkT& network, const Received& received, size_t neuron) {
  const uint32_t steps = network.code->timesteps + network.code->silent_steps;
  const double sent =
      SumOfWeights(static_cast<double>(network.code->beta), network.code->timesteps);
  return kFloatRounding * steps * (received.most_events[neuron] + 4) *
         (received.magnitude[neuron] + sent);
}

// Returns a bound on the additional error of integers, with `scale` units an amplitude before the
// silent period.
double IntegerTolerance(const format::NetworkT& network, double scale) {
  const auto beta = static_cast<double>(network.code->beta);
  const uint32_t steps = network.code->timesteps + network.code->silent_steps;
  // The error of growing at each step, in units. Doubling is exact and halves are rounded. Another
  // factor is rounded to 1/32768, which is half a unit of the largest membrane, and so is its
  // product.
  const double growth = beta == 2 ? 0 : beta == 1.5 ? 0.5 : 1;
  double off = 0;
  for (uint32_t i = 0; i < steps; ++i) off = beta * off + growth;
  const double gain = std::pow(beta, network.code->silent_steps);
  // The rounding errors of biases cancel, except for half a unit of the last one. A membrane is
  // recorded after it has grown once more.
  return (off / beta + gain / 2) / (scale * gain);
}

// Theorem 2: a TSA layer's spikes decode to its input, up to the residual in the membrane: sum of
// inputs = sent + residual, at every T, beta and L.
TEST_P(CodingTest, SpikesAndResidualAddUpToTheInput) {
  size_t fitting = 0;
  size_t within = 0;
  double largest_tolerance = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const uint32_t silent = draw.Count(1, 2);
    const float beta = draw.OneOf<float>({1.25F, 1.5F, 1.5F, 1.7F, 2.0F, 2.0F});
    // With more timesteps the rounding of growth would be as large as a spike.
    const bool few = GetParam() == EngineKind::kInteger && beta != 2;
    const uint32_t timesteps = draw.Count(4, few ? 8 : 14);
    format::NetworkT description = oracle::ChainNetwork(1, timesteps, beta, silent);
    description.nodes[1]->rectify = false;
    const std::shared_ptr<const Network> network = Load(description, GetParam());
    ASSERT_NE(network, nullptr);
    const LayerRun run = RunLayers(network, oracle::RandomPixels(description, seed), 1, true);
    const Received received = ReceivedBy(AsAdded(description, *network), 1, run.trains);
    const std::vector<double> scales = GetParam() == EngineKind::kInteger
                                           ? integer_tests::PlanOf(*network).layers[1].scales
                                           : std::vector<double>();
    const auto b = static_cast<double>(beta);
    const size_t neurons = received.value.size();
    const size_t steps = timesteps + silent;
    ASSERT_EQ(run.membranes.size(), steps * neurons);
    for (size_t neuron = 0; neuron < neurons; ++neuron) {
      // 16 bits hold 16 amplitudes. A membrane of at most six is sure to hold the next step's
      // input.
      bool saturates = false;
      for (size_t i = 0; i < steps; ++i) {
        saturates = saturates || std::abs(run.membranes[i * neurons + neuron]) > 6;
      }
      if (saturates && network->engine() == EngineKind::kInteger) continue;
      const double sent = Decode(run.trains[1], neuron, b);
      const double residual = run.membranes[(steps - 1) * neurons + neuron];
      double tolerance = FloatTolerance(description, received, neuron);
      if (!scales.empty()) tolerance += IntegerTolerance(description, scales[neuron / 16]);
      largest_tolerance = std::max(largest_tolerance, tolerance);
      ASSERT_NEAR(received.value[neuron], sent + residual, tolerance) << "neuron " << neuron;
      // A value that the train can carry leaves a residual of less than one amplitude, unless the
      // neuron sent spikes in vain before its potential changed sign.
      if (std::abs(received.value[neuron]) > 0.9 * SumOfWeights(b, timesteps)) continue;
      ++fitting;
      within += std::abs(residual) < 1.0;
    }
  }
  std::printf("%zu values fit, %zu within one amplitude; tolerance %.3g at most\n", fitting, within,
              largest_tolerance);
  EXPECT_LT(largest_tolerance, 0.5) << "a tolerance of a spike would show nothing";
  EXPECT_GT(fitting, 2000U);
  EXPECT_GT(within, fitting * 98 / 100) << fitting;
}

// Where all input comes before the first spike, a train is the input rounded to whole amplitudes.
TEST_P(CodingTest, SettledNeuronsSendTheNearestMultipleOfTheAmplitude) {
  size_t decoded = 0;
  size_t close = 0;
  size_t levels = 0;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    // Few channels are summed as events, many as levels.
    format::NetworkT description =
        seed % 2 == 0 ? oracle::WideNetwork(4, 6, 5, 1) : oracle::WideNetwork(4, 24, 20, 1);
    const uint32_t timesteps = 2 + seed % 5;
    description.code->timesteps = timesteps;
    description.code->silent_steps = timesteps - 1;
    description.nodes[0]->amplitude = static_cast<float>(2.2136 / SumOfWeights(2, timesteps));
    for (auto& node : description.nodes) {
      if (!node->thresholds.empty()) node->thresholds.assign(timesteps, 0.5F);
    }
    description.nodes[2]->rectify = seed % 4 < 2;
    oracle::SetTiming(description);
    const std::shared_ptr<const Network> network = Load(description, GetParam());
    ASSERT_NE(network, nullptr);
    if (GetParam() == EngineKind::kInteger) {
      const internal::LayerPlan plan = integer_tests::PlanOf(*network).layers[2];
      levels += plan.synapses[0].kernel.name == "level_conv";
    }
    const LayerRun run = RunLayers(network, oracle::RandomPixels(description, seed), 2, false);
    const double most = SumOfWeights(2, timesteps);
    for (const size_t node : {1U, 2U}) {
      const Received received = ReceivedBy(AsAdded(description, *network), node, run.trains);
      for (size_t neuron = 0; neuron < received.value.size(); ++neuron) {
        const double lowest = description.nodes[node]->rectify ? 0 : -most;
        const double value = std::clamp(received.value[neuron], lowest, most);
        const double nearest = std::round(value);
        // The integer engine rounds down to 2^(T-14) amplitudes, which moves no potential across a
        // threshold, and its sums are exact.
        const double off = FloatTolerance(description, received, neuron);
        if (0.5 - std::abs(value - nearest) < off) {
          ++close;
          continue;
        }
        ASSERT_EQ(Decode(run.trains[node], neuron, 2), nearest)
            << "node " << node << " neuron " << neuron << " received " << received.value[neuron];
        ++decoded;
      }
    }
  }
  EXPECT_GT(decoded, 10'000U);
  EXPECT_LT(close * 100, decoded);
  EXPECT_EQ(levels, GetParam() == EngineKind::kInteger ? 20U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Engines, CodingTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat),
                         [](const auto& tested) {
                           return std::string(tested.param == EngineKind::kInteger ? "integer"
                                                                                   : "floating");
                         });

}  // namespace
}  // namespace cssrun
