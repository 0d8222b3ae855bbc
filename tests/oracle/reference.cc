#include "tests/oracle/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace cssrun::oracle {
namespace {

using format::Extent;
using format::NodeKind;
using format::NodeT;
using format::SynapseKind;
using format::SynapsesT;
using format::Window;

struct Map {
  size_t channels, height, width;
  explicit Map(const Extent& e) : channels(e.channels()), height(e.height()), width(e.width()) {}
  size_t size() const { return channels * height * width; }
  size_t at(size_t c, size_t y, size_t x) const { return (c * height + y) * width + x; }
};

int Output(int size, int kernel, int stride, int pads, int dilation) {
  return (size + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

// Sums of a window over each position: a mean without the division, which is in the weights.
struct Sums {
  int height, width;
  std::vector<double> value;   // sums of spikes, or of pixels
  std::vector<double> events;  // sums of their absolute values
};

Sums SumWindows(const Map& source, const std::vector<double>& spikes, const Window* w) {
  Sums sums;
  const int h = static_cast<int>(source.height), wd = static_cast<int>(source.width);
  if (w == nullptr) {
    sums.height = h;
    sums.width = wd;
    sums.value = spikes;
    for (const double s : spikes) sums.events.push_back(std::abs(s));
    return sums;
  }
  sums.height = Output(h, w->kernel_y(), w->stride_y(), w->pad_top() + w->pad_bottom(), 1);
  sums.width = Output(wd, w->kernel_x(), w->stride_x(), w->pad_left() + w->pad_right(), 1);
  for (size_t c = 0; c < source.channels; ++c) {
    for (int oy = 0; oy < sums.height; ++oy) {
      for (int ox = 0; ox < sums.width; ++ox) {
        double value = 0, events = 0;
        for (int ky = 0; ky < w->kernel_y(); ++ky) {
          for (int kx = 0; kx < w->kernel_x(); ++kx) {
            const int y = oy * w->stride_y() - w->pad_top() + ky;
            const int x = ox * w->stride_x() - w->pad_left() + kx;
            if (y < 0 || y >= h || x < 0 || x >= wd) continue;
            const double s = spikes[source.at(c, static_cast<size_t>(y), static_cast<size_t>(x))];
            value += s;
            events += std::abs(s);
          }
        }
        sums.value.push_back(value);
        sums.events.push_back(events);
      }
    }
  }
  return sums;
}

// The positions of `sums` at multiples of `sy` and `sx`, with zeros in between.
Sums SpreadOut(const Sums& sums, size_t channels, int sy, int sx) {
  Sums wide;
  wide.height = (sums.height - 1) * sy + 1;
  wide.width = (sums.width - 1) * sx + 1;
  for (size_t c = 0; c < channels; ++c) {
    for (int y = 0; y < wide.height; ++y) {
      for (int x = 0; x < wide.width; ++x) {
        const bool hit = y % sy == 0 && x % sx == 0;
        const size_t from = (c * static_cast<size_t>(sums.height) + static_cast<size_t>(y / sy)) *
                                static_cast<size_t>(sums.width) +
                            static_cast<size_t>(x / sx);
        wide.value.push_back(hit ? sums.value[from] : 0);
        wide.events.push_back(hit ? sums.events[from] : 0);
      }
    }
  }
  return wide;
}

// The amounts that are added to the membranes of a layer in one step.
struct Potentials {
  std::vector<double> sum;
  std::vector<double> magnitude;  // sum of absolute values
};

// Computes potentials += synapses * spikes; returns the synaptic operations.
double AddPotentials(const SynapsesT& s, const Map& source, const Map& target,
                     const std::vector<double>& spikes, Potentials& potentials) {
  const Sums view = SpreadOut(SumWindows(source, spikes, s.average.get()), source.channels,
                              s.spread_y, s.spread_x);
  const Window& w = *s.window;
  const size_t groups = s.groups;
  const size_t sources_per_group = source.channels / groups;
  const size_t targets_per_group = target.channels / groups;
  double synops = 0;
  for (size_t target_channel = 0; target_channel < target.channels; ++target_channel) {
    for (size_t oy = 0; oy < target.height; ++oy) {
      for (size_t ox = 0; ox < target.width; ++ox) {
        double sum = 0, magnitude = 0;
        for (int ky = 0; ky < w.kernel_y(); ++ky) {
          for (int kx = 0; kx < w.kernel_x(); ++kx) {
            const int y = static_cast<int>(oy) * w.stride_y() - w.pad_top() + ky * w.dilation_y();
            const int x = static_cast<int>(ox) * w.stride_x() - w.pad_left() + kx * w.dilation_x();
            if (y < 0 || y >= view.height || x < 0 || x >= view.width) continue;
            const auto width = static_cast<size_t>(view.width);
            const size_t position = static_cast<size_t>(y) * width + static_cast<size_t>(x);
            const size_t positions = static_cast<size_t>(view.height) * width;
            if (s.kind == SynapseKind::Identity) {
              const auto channel = static_cast<int64_t>(target_channel) - s.channel_offset;
              if (channel < 0 || channel >= static_cast<int64_t>(source.channels)) continue;
              const size_t i = static_cast<size_t>(channel) * positions + position;
              sum += static_cast<double>(s.weights[0]) * view.value[i];
              magnitude += std::abs(static_cast<double>(s.weights[0])) * view.events[i];
              synops += view.events[i];
              continue;
            }
            const size_t group = target_channel / targets_per_group;
            for (size_t j = 0; j < sources_per_group; ++j) {
              const size_t i = (group * sources_per_group + j) * positions + position;
              const size_t weight =
                  ((target_channel * sources_per_group + j) * static_cast<size_t>(w.kernel_y()) +
                   static_cast<size_t>(ky)) *
                      static_cast<size_t>(w.kernel_x()) +
                  static_cast<size_t>(kx);
              sum += static_cast<double>(s.weights[weight]) * view.value[i];
              magnitude += std::abs(static_cast<double>(s.weights[weight])) * view.events[i];
              synops += view.events[i];
            }
          }
        }
        potentials.sum[target.at(target_channel, oy, ox)] += sum;
        potentials.magnitude[target.at(target_channel, oy, ox)] += magnitude;
      }
    }
  }
  return synops;
}

std::vector<double> ToDouble(const std::vector<int8_t>& spikes) {
  return {spikes.begin(), spikes.end()};
}

// Returns the maximum over the members of each pool, or the membranes themselves without a pool.
std::vector<double> Pool(const NodeT& node, const std::vector<double>& h) {
  if (node.pool == nullptr) return h;
  const Map from(*node.potential), to(*node.extent);
  const Window& w = *node.pool;
  std::vector<double> top(to.size(), -std::numeric_limits<double>::infinity());
  for (size_t c = 0; c < to.channels; ++c) {
    for (size_t oy = 0; oy < to.height; ++oy) {
      for (size_t ox = 0; ox < to.width; ++ox) {
        for (int ky = 0; ky < w.kernel_y(); ++ky) {
          for (int kx = 0; kx < w.kernel_x(); ++kx) {
            const int y = static_cast<int>(oy) * w.stride_y() - w.pad_top() + ky;
            const int x = static_cast<int>(ox) * w.stride_x() - w.pad_left() + kx;
            if (y < 0 || y >= static_cast<int>(from.height) || x < 0 ||
                x >= static_cast<int>(from.width)) {
              continue;
            }
            double& best = top[to.at(c, oy, ox)];
            best = std::max(best, h[from.at(c, static_cast<size_t>(y), static_cast<size_t>(x))]);
          }
        }
      }
    }
  }
  return top;
}

}  // namespace

Inputs SumInputs(const format::NetworkT& network, const NodeT& node,
                 const std::vector<Train>& trains, size_t index) {
  const bool direct = network.code->input == format::InputCoding::Direct;
  const Map potential(*node.potential);
  Potentials potentials;
  potentials.sum.assign(potential.size(), 0.0);
  potentials.magnitude.assign(potential.size(), 0.0);
  for (const auto& s : node.synapses) {
    if (direct && s->source == 0) continue;
    AddPotentials(*s, Map(*network.nodes[s->source]->extent), potential,
                  ToDouble(trains[s->source][index]), potentials);
  }
  return {std::move(potentials.sum), std::move(potentials.magnitude)};
}

std::vector<double> PoolMembranes(const NodeT& node, const std::vector<double>& membranes) {
  return Pool(node, membranes);
}

NodeRun RunEncoder(const format::NetworkT& network, const std::vector<double>& inputs) {
  const NodeT& node = *network.nodes.front();
  const auto steps = network.code->timesteps;
  const auto beta = static_cast<double>(network.code->beta);
  NodeRun run;
  for (const double a : inputs) {
    run.potentials.push_back(a / static_cast<double>(node.amplitude) / std::pow(beta, steps));
  }
  std::vector<double> magnitude(inputs.size());
  for (size_t j = 0; j < inputs.size(); ++j) magnitude[j] = std::abs(run.potentials[j]);
  for (uint32_t i = 0; i < steps; ++i) {
    const auto v = static_cast<double>(node.thresholds[i]);
    std::vector<int8_t> spikes;
    std::vector<double> margin;
    for (size_t j = 0; j < inputs.size(); ++j) {
      double& m = run.potentials[j];
      m *= beta;
      magnitude[j] *= beta;
      const int spike = (m >= v) - (m <= -v);
      margin.push_back(std::abs(std::abs(m) - v) / (magnitude[j] + v));
      m -= spike;
      magnitude[j] += std::abs(spike);
      spikes.push_back(static_cast<int8_t>(spike));
    }
    run.train.push_back(spikes);
    run.margin.push_back(margin);
  }
  return run;
}

double SumOfWeights(const format::NetworkT& network) {
  double sum = 0;
  for (uint32_t k = 0; k < network.code->timesteps; ++k) {
    sum += std::pow(static_cast<double>(network.code->beta), k);
  }
  return sum;
}

NodeRun RunNode(const format::NetworkT& network, size_t index, const std::vector<Train>& trains,
                const std::vector<double>& inputs) {
  const NodeT& node = *network.nodes[index];
  const auto steps = network.code->timesteps;
  const auto beta = static_cast<double>(network.code->beta);
  const bool fires = node.kind == NodeKind::Neurons;
  const uint32_t silent = fires ? network.code->silent_steps : 0;
  const double weight = std::pow(beta, silent);
  const Map potential(*node.potential), extent(*node.extent);

  NodeRun run;
  Potentials h;
  h.sum.assign(potential.size(), static_cast<double>(node.initial_potential));
  h.magnitude.assign(potential.size(), std::abs(static_cast<double>(node.initial_potential)));
  std::vector<double> g(extent.size(), 0.0), g_magnitude(extent.size(), 0.0);
  double synops = 0;
  const bool direct = network.code->input == format::InputCoding::Direct;
  std::vector<double> pixels(inputs);
  for (double& pixel : pixels) {
    pixel /= static_cast<double>(network.nodes[0]->amplitude) * SumOfWeights(network);
  }
  for (uint32_t i = 0; i < steps + silent; ++i) {
    for (auto* values : {&h.sum, &h.magnitude, &g, &g_magnitude}) {
      for (double& value : *values) value *= beta;
    }
    if (i < steps) {
      for (size_t j = 0; j < potential.size(); ++j) {
        const auto bias = static_cast<double>(node.bias[j / (potential.height * potential.width)]);
        h.sum[j] += bias;
        h.magnitude[j] += std::abs(bias);
      }
      for (const auto& s : node.synapses) {
        const Map source(*network.nodes[s->source]->extent);
        if (direct && s->source == 0) {
          AddPotentials(*s, source, potential, pixels, h);
        } else {
          synops += AddPotentials(*s, source, potential, ToDouble(trains[s->source][i]), h);
        }
      }
    }
    if (!fires || i < silent) continue;
    const double v = static_cast<double>(node.thresholds[i - silent]) * weight;
    const std::vector<double> top = Pool(node, h.sum);
    const std::vector<double> top_magnitude = Pool(node, h.magnitude);
    std::vector<int8_t> spikes;
    std::vector<double> margin;
    for (size_t j = 0; j < top.size(); ++j) {
      double reached = top[j];
      if (node.lowest_level != 0 || node.highest_level != 0) {
        const double amplitude =
            weight * std::pow(beta, -static_cast<double>(steps - 1 - (i - silent)));
        reached =
            std::clamp(reached, node.lowest_level * amplitude, node.highest_level * amplitude);
      }
      const double o = (node.rectify ? std::max(reached, 0.0) : reached) - g[j];
      int spike = o >= v ? 1 : 0;
      if (network.code->negative_spikes && o <= -v) spike = -1;
      const double distance =
          network.code->negative_spikes ? std::abs(std::abs(o) - v) : std::abs(o - v);
      margin.push_back(distance / (top_magnitude[j] + g_magnitude[j] + v));
      g[j] += weight * spike;
      g_magnitude[j] += weight * std::abs(spike);
      spikes.push_back(static_cast<int8_t>(spike));
    }
    run.train.push_back(spikes);
    run.margin.push_back(margin);
  }
  run.potentials = h.sum;
  run.synops = static_cast<uint64_t>(std::llround(synops));
  return run;
}

std::vector<double> Normalize(const format::NetworkT& network, const std::vector<uint8_t>& pixels) {
  const Map map(*network.nodes.front()->extent);
  std::vector<double> inputs(map.size());
  for (size_t i = 0; i < pixels.size(); ++i) {
    const size_t c = i % map.channels;
    inputs[c * map.height * map.width + i / map.channels] =
        (static_cast<double>(static_cast<float>(pixels[i]) / 255.0F) -
         static_cast<double>(network.preprocessing->mean[c])) /
        static_cast<double>(network.preprocessing->stddev[c]);
  }
  return inputs;
}

std::vector<NodeRun> RunNetwork(const format::NetworkT& network,
                                const std::vector<uint8_t>& pixels) {
  const std::vector<double> inputs = Normalize(network, pixels);
  std::vector<NodeRun> runs(1);
  if (network.code->input == format::InputCoding::Spikes) runs[0] = RunEncoder(network, inputs);
  std::vector<Train> trains = {runs[0].train};
  for (size_t node = 1; node < network.nodes.size(); ++node) {
    runs.push_back(RunNode(network, node, trains, inputs));
    trains.push_back(runs.back().train);
  }
  return runs;
}

}  // namespace cssrun::oracle
