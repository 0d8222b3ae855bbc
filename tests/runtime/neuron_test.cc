// Compares the float engine's vectors of neurons with the equations of one neuron
// (runtime/neuron/neuron.h). They must give the same bits for every instruction set, on odd numbers
// of channels, pools and paddings.
#include "runtime/neuron/neuron.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "format/geometry.h"
#include "hwy/highway.h"
#include "runtime/aligned.h"
#include "runtime/float/kernels.h"
#include "runtime/neuron/settled.h"
#include "tests/runtime/instruction_sets.h"

namespace cssrun {
namespace {

using internal::ChannelBlocks;
using internal::EventFrame;
using internal::NeuronParameters;

constexpr uint32_t kTimesteps = 6;

internal::Layer RandomLayer(std::mt19937& random) {
  const auto draw = [&](int first, int last) {
    return std::uniform_int_distribution<int>(first, last)(random);
  };
  internal::Layer layer;
  const auto channels = static_cast<uint32_t>(draw(1, 150));
  const auto height = static_cast<uint32_t>(draw(1, 5));
  const auto width = static_cast<uint32_t>(draw(1, 5));
  layer.potential = format::Extent(channels, height, width);
  layer.extent = layer.potential;
  if (draw(0, 1) == 1) {
    const int kernel = draw(1, 3);
    const int pad = draw(0, kernel - 1);
    layer.pool = format::Window(kernel, kernel, draw(1, 2), draw(1, 2), pad, pad, pad, pad, 1, 1);
    const auto pooled = [&](uint32_t size, int stride) {
      return static_cast<uint32_t>(std::max(0, static_cast<int>(size) + 2 * pad - kernel) / stride +
                                   1);
    };
    layer.extent = format::Extent(channels, pooled(height, layer.pool->stride_y()),
                                  pooled(width, layer.pool->stride_x()));
  }
  layer.neuron.beta = std::vector<float>{1, 1.25F, 1.5F, 2}[static_cast<size_t>(draw(0, 3))];
  layer.neuron.spike_weight = std::pow(layer.neuron.beta, static_cast<float>(draw(0, 3)));
  layer.neuron.rectify = draw(0, 1) == 1;
  layer.neuron.negative_spikes = draw(0, 1) == 1;
  for (uint32_t i = 0; i < kTimesteps; ++i) {
    layer.thresholds.push_back(layer.neuron.spike_weight * 0.25F * static_cast<float>(draw(1, 4)));
  }
  return layer;
}

// Runs one channel of one position at a time, as neuron.h says.
struct PlainNeurons {
  PlainNeurons(const internal::Layer& described, size_t row_stride)
      : layer(described), stride(row_stride) {}

  std::vector<int> Fire(uint32_t index, const std::vector<float>& h, std::vector<float>& g) const {
    std::vector<int> spikes;
    for (int y = 0; y < static_cast<int>(layer.extent.height()); ++y) {
      for (int x = 0; x < static_cast<int>(layer.extent.width()); ++x) {
        for (size_t c = 0; c < layer.extent.channels(); ++c) {
          const size_t position = static_cast<size_t>(y) * layer.extent.width() + x;
          spikes.push_back(internal::Fire(layer.neuron, layer.thresholds[index],
                                          LargestMember(h, y, x, c), g[position * stride + c]));
        }
      }
    }
    return spikes;
  }

  float LargestMember(const std::vector<float>& h, int y, int x, size_t c) const {
    const format::Window pool = layer.pool.value_or(format::UnitWindow());
    float largest = std::numeric_limits<float>::lowest();
    for (int ky = 0; ky < pool.kernel_y(); ++ky) {
      for (int kx = 0; kx < pool.kernel_x(); ++kx) {
        const int row = y * pool.stride_y() - pool.pad_top() + ky;
        const int column = x * pool.stride_x() - pool.pad_left() + kx;
        if (row < 0 || row >= static_cast<int>(layer.potential.height())) continue;
        if (column < 0 || column >= static_cast<int>(layer.potential.width())) continue;
        const size_t position = static_cast<size_t>(row) * layer.potential.width() + column;
        largest = std::max(largest, h[position * stride + c]);
      }
    }
    return largest;
  }

  const internal::Layer& layer;
  size_t stride;
};

std::vector<int> Unpack(const internal::Layer& layer, const EventFrame& events) {
  const size_t channels = layer.extent.channels();
  std::vector<int> spikes(Positions(layer.extent) * channels, 0);
  for (size_t p = 0; p < Positions(layer.extent); ++p) {
    for (uint32_t i = events.bounds[2 * p]; i < events.bounds[2 * p + 2]; ++i) {
      spikes[p * channels + events.channels[i]] = i < events.bounds[2 * p + 1] ? 1 : -1;
    }
  }
  return spikes;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Integrates and fires for some steps with random input; returns the number of spikes of both
// signs.
void CompareOnRandomInput(const internal::Layer& layer, std::mt19937& random, size_t& positive,
                          size_t& negative) {
  const ChannelBlocks blocks = ChannelBlocks::For(layer.potential.channels());
  const size_t stride = blocks.stride();
  const size_t size = Positions(layer.potential) * stride;
  const size_t sent_size = Positions(layer.extent) * stride;
  auto membranes = internal::AllocateAligned<float>(size);
  auto sent = internal::AllocateAligned<float>(sent_size);
  auto bias = internal::AllocateAligned<float>(stride);
  std::normal_distribution<float> normal(0, layer.neuron.spike_weight);
  std::fill_n(membranes.get(), size, 0.0F);
  // No neuron fires where there is no channel, whatever is there.
  for (size_t i = 0; i < size; ++i) {
    if (i % stride >= layer.potential.channels())
      membranes[i] = i % 3 == 0 ? -kInfinity : kInfinity;
  }
  std::fill_n(sent.get(), sent_size, 0.0F);
  std::fill_n(bias.get(), stride, 0.0F);
  for (size_t c = 0; c < layer.potential.channels(); ++c) bias[c] = normal(random) / 4;
  std::vector<float> plain_h(membranes.get(), membranes.get() + size), plain_g(sent_size, 0.0F);
  const PlainNeurons plain(layer, stride);
  const internal::NeuronArrays neurons = {membranes.get(), sent.get()};
  std::vector<uint16_t> scratch;
  EventFrame events(Positions(layer.extent), layer.extent.channels());

  for (uint32_t index = 0; index < kTimesteps; ++index) {
    const bool input_arrives = index < kTimesteps - 1;
    internal::IntegrateLayer(layer, blocks, input_arrives ? bias.get() : nullptr, neurons);
    for (size_t i = 0; i < size; ++i) {
      plain_h[i] =
          internal::Integrate(layer.neuron, input_arrives ? bias[i % stride] : 0.0F, plain_h[i]);
      ASSERT_EQ(membranes[i], plain_h[i]);
      if (i % stride >= layer.potential.channels()) continue;
      // Multiples of a quarter often meet a threshold exactly.
      const float input = std::nearbyint(normal(random) * 4) / 4;
      membranes[i] += input;
      plain_h[i] += input;
    }
    internal::FireLayer(layer, blocks, index, neurons, scratch, events);
    const std::vector<int> spikes = plain.Fire(index, plain_h, plain_g);
    ASSERT_EQ(Unpack(layer, events), spikes);
    for (size_t i = 0; i < sent_size; ++i) {
      if (i % stride >= layer.extent.channels()) continue;
      ASSERT_EQ(sent[i], plain_g[i]);
    }
    positive += static_cast<size_t>(std::ranges::count(spikes, 1));
    negative += static_cast<size_t>(std::ranges::count(spikes, -1));
  }
}

TEST(NeuronTest, VectorsAreTheScalarEquationsForEveryInstructionSet) {
  ForEveryInstructionSet([] {
    std::mt19937 random(1);
    size_t positive = 0;
    size_t negative = 0;
    for (int i = 0; i < 200 && !HasFatalFailure(); ++i) {
      SCOPED_TRACE(i);
      CompareOnRandomInput(RandomLayer(random), random, positive, negative);
    }
    EXPECT_GT(positive, 10000U);
    EXPECT_GT(negative, 10000U);
  });
}

TEST(NeuronTest, ASpikeIsTakenOffByWhatWasSent) {
  const NeuronParameters tsa = {.beta = 2, .spike_weight = 4};
  float g = 0;
  EXPECT_EQ(internal::Fire(tsa, 2, 3, g), 1);
  EXPECT_EQ(g, 4);
  EXPECT_EQ(internal::Drive(tsa, 3, g), -1);
  // A step later both have doubled. The remainder of -2 reaches the threshold, so a spike takes it
  // back.
  EXPECT_EQ(internal::Fire(tsa, 2, 6, g), -1);
  EXPECT_EQ(g, 4);
}

TEST(NeuronTest, RectificationBoundsWhatTheTrainSaysAndNotTheMembrane) {
  const NeuronParameters relu = {.beta = 1.5F, .rectify = true};
  float g = 0;
  EXPECT_EQ(internal::Fire(relu, 0.5F, -10, g), 0);
  g = 1;  // sent too early: spikes take it back to 0, not to -10
  EXPECT_EQ(internal::Drive(relu, -10, g), -1);
}

TEST(NeuronTest, WithoutNegativeSpikesNothingIsTakenBack) {
  const NeuronParameters p = {.beta = 1, .negative_spikes = false};
  float g = 3;
  EXPECT_EQ(internal::Fire(p, 1, 0, g), 0);
  EXPECT_EQ(g, 3);
}

TEST(NeuronTest, RateCodedIntegrateAndFireCountsItsInput) {
  const NeuronParameters rate = {.beta = 1, .rectify = true};
  float h = 0.5F;
  float g = 0;
  int spikes = 0;
  for (int step = 0; step < 10; ++step) {
    h = internal::Integrate(rate, 0.3F, h);
    spikes += internal::Fire(rate, 1, h, g);
  }
  EXPECT_EQ(spikes, 3);
}

TEST(NeuronTest, SettledCodesHaveTheirWholeInputBeforeTheFirstSpike) {
  for (uint32_t timesteps = 1; timesteps <= 9; ++timesteps) {
    for (uint32_t silent = 0; silent <= 8; ++silent) {
      // Input index T - 1 is consumed at step T - 1, spike index 0 leaves at step L.
      const bool expected = timesteps - 1 <= silent && timesteps <= 8;
      EXPECT_EQ(internal::IsSettled(2, timesteps, silent), expected);
      EXPECT_FALSE(internal::IsSettled(1.5F, timesteps, silent));
    }
  }
}

}  // namespace
}  // namespace cssrun
