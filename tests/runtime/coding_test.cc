// What the paper proves about the code, as properties of the equations and of the engine.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"

namespace cssrun {
namespace {

using oracle::Train;

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

// A network whose encoder has the wanted T, beta and amplitude; the layers do not matter here.
format::NetworkT EncoderNetwork(uint32_t timesteps, float beta, float amplitude) {
  format::NetworkT network = oracle::ChainNetwork(0, timesteps, beta, 0);
  network.nodes[0]->amplitude = amplitude;
  return network;
}

TEST(CodingTest, EncodedValueIsLessThanOneAmplitudeOff) {  // Theorem 3
  std::mt19937 generator(1);
  for (int round = 0; round < 300; ++round) {
    const auto timesteps = std::uniform_int_distribution<uint32_t>(1, 16)(generator);
    const float beta = std::uniform_real_distribution<float>(1.001F, 2.0F)(generator);
    const float theta = std::uniform_real_distribution<float>(0.01F, 3.0F)(generator);
    const format::NetworkT network = EncoderNetwork(timesteps, beta, theta);
    const double limit = theta * SumOfWeights(static_cast<double>(beta), timesteps);
    std::vector<double> inputs(48);
    for (double& a : inputs) a = std::uniform_real_distribution<double>(-limit, limit)(generator);
    const oracle::NodeRun run = oracle::RunEncoder(network, inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const double decoded = theta * Decode(run.train, i, static_cast<double>(beta));
      EXPECT_LT(std::abs(decoded - inputs[i]), static_cast<double>(theta))
          << "a " << inputs[i] << " T " << timesteps << " beta " << beta << " theta " << theta;
    }
  }
}

TEST(CodingTest, WithBetaTwoATrainDecodesToTheNearestMultipleOfTheAmplitude) {
  std::mt19937 generator(2);
  for (uint32_t timesteps = 1; timesteps <= 12; ++timesteps) {
    const format::NetworkT network = EncoderNetwork(timesteps, 2.0F, 1.0F);
    const double limit = SumOfWeights(2, timesteps) + 0.49;
    std::vector<double> inputs(48);
    for (double& a : inputs) a = std::uniform_real_distribution<double>(-limit, limit)(generator);
    const oracle::NodeRun run = oracle::RunEncoder(network, inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      EXPECT_EQ(Decode(run.train, i, 2), std::round(inputs[i])) << inputs[i] << " T " << timesteps;
    }
  }
}

// Theorem 2: what a TSA layer sends decodes to what it received, up to what stays in the membrane:
// sum of inputs = sent + residual, exactly, at every T, beta and L.
TEST(CodingTest, SpikesAndResidualAddUpToTheInput) {
  size_t fitting = 0, within = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    std::mt19937 generator(seed);
    const auto timesteps = std::uniform_int_distribution<uint32_t>(4, 14)(generator);
    const auto silent = std::uniform_int_distribution<uint32_t>(1, 3)(generator);
    const float beta = std::uniform_real_distribution<float>(1.2F, 2.0F)(generator);
    format::NetworkT network = oracle::ChainNetwork(1, timesteps, beta, silent);
    network.nodes[1]->rectify = false;
    const std::vector<uint8_t> pixels = oracle::RandomPixels(network, seed);
    const std::vector<oracle::NodeRun> runs = oracle::RunNetwork(network, pixels);
    const double b = static_cast<double>(beta);
    const double weight = std::pow(b, silent);
    for (size_t position = 0; position < 16; ++position) {
      for (size_t target = 0; target < 3; ++target) {
        double received =
            SumOfWeights(b, timesteps) * static_cast<double>(network.nodes[1]->bias[target]);
        for (size_t source = 0; source < 3; ++source) {
          const auto w =
              static_cast<double>(network.nodes[1]->synapses[0]->weights[target * 3 + source]);
          received += w * Decode(runs[0].train, source * 16 + position, b);
        }
        const size_t neuron = target * 16 + position;
        const double sent = Decode(runs[1].train, neuron, b);
        const double residual = runs[1].potentials[neuron] / weight - sent;
        EXPECT_NEAR(received, sent + residual, 1e-9 * std::max(1.0, std::abs(received)));
        // A value that the train can carry leaves less than one amplitude behind, unless spikes
        // were sent in vain before the potential turned.
        if (std::abs(received) > 0.9 * SumOfWeights(b, timesteps)) continue;
        ++fitting;
        within += std::abs(residual) < 1.0;
      }
    }
  }
  EXPECT_GT(fitting, 2000U);
  EXPECT_GT(within, fitting * 98 / 100) << fitting;
}

}  // namespace
}  // namespace cssrun
