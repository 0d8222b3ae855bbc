#include "tests/oracle/integer_reference.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "tests/oracle/direct_reference.h"

namespace cssrun::oracle {
namespace {

using format::SynapseKind;

double Clamp(double value) { return std::clamp(value, -32768.0, 32767.0); }

// Returns whether a membrane may end up elsewhere when the same inputs, of which the sum and the
// sum of absolute values are given, are added in another order. This is so if it may saturate on
// the way and come back.
bool OrderMatters(double membrane, double sum, double magnitude) {
  const double up = (magnitude + sum) / 2;
  const double down = (magnitude - sum) / 2;
  return (membrane + up > 32767 && down > 0) || (membrane - down < -32768 && up > 0);
}

// Returns beta * value, rounded as the engine rounds it.
double Grow(double value, double beta, size_t index) {
  if (beta == 2) return Clamp(value + value);
  if (beta == 1.5) {
    const double odd = index % 2 == 0 ? 0 : 1;
    return Clamp(value + std::floor(Clamp(value + odd) / 2));
  }
  const double whole = std::floor(beta);
  const double fraction = std::min(32767.0, std::nearbyint((beta - whole) * 32768));
  double sum = std::floor((value * fraction + 16384) / 32768);
  for (int i = 0; i < static_cast<int>(whole); ++i) sum = Clamp(sum + value);
  return sum;
}

// A node's synapses, grouped by the way in which their values are added. Weights are in units,
// except for kFloat.
struct Parts {
  format::NodeT events;
  format::NodeT real;
  std::vector<format::NodeT> levels;  // each with one set of synapses
  bool weights_fit = true;
};

format::NodeT WithoutSynapses(const format::NodeT& node) {
  format::NodeT empty(node);
  empty.synapses.clear();
  return empty;
}

// Returns synapses with their weights in units. An identity has one weight for all channels, so it
// becomes a convolution with weights between equal channels.
std::unique_ptr<format::SynapsesT> Quantize(const format::NetworkT& network,
                                            const format::SynapsesT& s,
                                            const std::vector<double>& scales, int bits,
                                            bool& fit) {
  auto quantized = std::make_unique<format::SynapsesT>(s);
  const double largest = std::exp2(bits - 1) - 1;
  const auto units = [&](float weight, double scale) {
    const double rounded = std::nearbyint(static_cast<double>(weight) * scale);
    fit = fit && std::abs(rounded) <= largest;
    return static_cast<float>(rounded);
  };
  if (s.kind == SynapseKind::Convolution) {
    const size_t fan_in = s.weights.size() / scales.size();
    for (size_t i = 0; i < s.weights.size(); ++i) {
      quantized->weights[i] = units(s.weights[i], scales[i / fan_in]);
    }
    return quantized;
  }
  const auto sources = static_cast<int64_t>(network.nodes[s.source]->extent->channels());
  quantized->kind = SynapseKind::Convolution;
  quantized->weights.assign(scales.size() * static_cast<size_t>(sources), 0.0F);
  for (size_t c = 0; c < scales.size(); ++c) {
    const int64_t source = static_cast<int64_t>(c) - s.channel_offset;
    if (source < 0 || source >= sources) continue;
    quantized->weights[c * static_cast<size_t>(sources) + static_cast<size_t>(source)] =
        units(s.weights[0], scales[c]);
  }
  return quantized;
}

Parts TakeApart(const format::NetworkT& network, const format::NodeT& node,
                const Choices& choices) {
  Parts parts;
  parts.events = WithoutSynapses(node);
  parts.real = WithoutSynapses(node);
  auto choice = choices.synapses.begin();
  for (const auto& s : node.synapses) {
    if (IsDirect(network, *s)) continue;
    const auto& [addition, bits, own_scales] = *choice++;
    if (addition == Addition::kFloat) {
      parts.real.synapses.push_back(std::make_unique<format::SynapsesT>(*s));
      continue;
    }
    if (addition == Addition::kScaled) {
      auto scaled = Quantize(network, *s, own_scales, bits, parts.weights_fit);
      const size_t fan_in = scaled->weights.size() / own_scales.size();
      for (size_t i = 0; i < scaled->weights.size(); ++i) {
        scaled->weights[i] =
            static_cast<float>(static_cast<double>(scaled->weights[i]) / own_scales[i / fan_in]);
      }
      parts.real.synapses.push_back(std::move(scaled));
      continue;
    }
    auto quantized = Quantize(network, *s, choices.scales, bits, parts.weights_fit);
    if (addition == Addition::kEvents) {
      parts.events.synapses.push_back(std::move(quantized));
    } else {
      parts.levels.push_back(WithoutSynapses(node));
      parts.levels.back().synapses.push_back(std::move(quantized));
    }
  }
  return parts;
}

// A potential as a neuron sees it. Each member of a pool has a potential of its own, less what the
// pool has sent. Where pools overlap, a position of the map has several potentials.
struct Membrane {
  size_t position = 0;  // in the map
  size_t neuron = 0;    // of the layer's spikes
};

std::vector<Membrane> MembranesOf(const format::NodeT& node) {
  std::vector<Membrane> membranes;
  const format::Window one(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  const format::Window& w = node.pool == nullptr ? one : *node.pool;
  const auto height = static_cast<int>(node.potential->height());
  const auto width = static_cast<int>(node.potential->width());
  const auto pooled_width = static_cast<int>(node.extent->width());
  for (int py = 0; py < static_cast<int>(node.extent->height()); ++py) {
    for (int px = 0; px < pooled_width; ++px) {
      for (int ky = 0; ky < w.kernel_y(); ++ky) {
        for (int kx = 0; kx < w.kernel_x(); ++kx) {
          const int y = py * w.stride_y() - w.pad_top() + ky * w.dilation_y();
          const int x = px * w.stride_x() - w.pad_left() + kx * w.dilation_x();
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          membranes.push_back(
              {static_cast<size_t>(y * width + x), static_cast<size_t>(py * pooled_width + px)});
        }
      }
    }
  }
  return membranes;
}

// The sums of a settled node's synapses after the last step, by membrane.
struct SettledSums {
  std::vector<double> units;
  std::vector<double> real;            // in amplitudes
  std::vector<double> real_magnitude;  // sums of absolute values
  std::vector<char> unsure;            // the sums depend on the order of additions
};

SettledSums SumSettled(const format::NetworkT& network, const Parts& parts, bool exact,
                       const std::vector<Train>& trains) {
  const format::Extent& map = *parts.events.potential;
  const size_t neurons = size_t{map.channels()} * map.height() * map.width();
  const size_t steps = network.code->timesteps;
  SettledSums sums;
  sums.units.assign(neurons, 0.0);
  sums.real.assign(neurons, 0.0);
  sums.real_magnitude.assign(neurons, 0.0);
  sums.unsure.assign(neurons, 0);
  for (size_t i = 0; i < steps; ++i) {
    const Inputs events = SumInputs(network, parts.events, trains, i);
    const Inputs real = SumInputs(network, parts.real, trains, i);
    for (size_t j = 0; j < neurons; ++j) {
      const double grown = Clamp(2 * sums.units[j]);
      if (OrderMatters(grown, events.sum[j], events.magnitude[j])) sums.unsure[j] = 1;
      sums.units[j] = Clamp(grown + events.sum[j]);
      sums.real[j] = 2 * sums.real[j] + real.sum[j];
      sums.real_magnitude[j] = 2 * sums.real_magnitude[j] + real.magnitude[j];
    }
  }
  // Levels are added once all steps have come.
  std::vector<double> joined(neurons, 0.0);
  for (size_t j = 0; j < neurons; ++j) joined[j] = std::abs(sums.units[j]);
  for (const format::NodeT& levels : parts.levels) {
    std::vector<double> whole(neurons, 0.0);
    for (size_t i = 0; i < steps; ++i) {
      const Inputs inputs = SumInputs(network, levels, trains, i);
      for (size_t j = 0; j < neurons; ++j) whole[j] = 2 * whole[j] + inputs.sum[j];
    }
    for (size_t j = 0; j < neurons; ++j) {
      joined[j] += std::abs(whole[j]);
      sums.units[j] += whole[j];
    }
  }
  for (size_t j = 0; j < neurons && !exact; ++j) {
    if (joined[j] > 32767) sums.unsure[j] = 1;
  }
  return sums;
}

// Runs a settled node: its input becomes one number, which is written in signed binary digits.
IntegerRun RunSettled(const format::NetworkT& network, size_t index, const Choices& choices,
                      const std::vector<Train>& trains, const std::vector<double>& pixels) {
  const format::NodeT& node = *network.nodes[index];
  const size_t steps = network.code->timesteps;
  const std::vector<double>& scales = choices.scales;
  const Parts parts = TakeApart(network, node, choices);
  const SettledSums sums = SumSettled(network, parts, choices.exact, trains);
  const size_t positions = size_t{node.potential->height()} * node.potential->width();
  const size_t neurons = scales.size() * positions;
  const std::vector<float> direct = DirectPotentials(network, node, pixels);
  std::vector<double> whole;
  if (choices.whole_pixels) whole = WholePixelSums(network, node, pixels, scales);
  std::vector<double> magnitude = sums.real_magnitude;
  std::vector<double> z(neurons);
  for (size_t j = 0; j < neurons; ++j) {
    const size_t c = j / positions;
    const double came = sums.units[j] / scales[c];
    const double all_steps = SumOfWeights(network);
    const double bias = static_cast<double>(node.bias[c]) * all_steps +
                        static_cast<double>(node.initial_potential) * std::exp2(steps);
    const double of_pixels =
        choices.whole_pixels ? whole[j] / scales[c] : static_cast<double>(direct[j]) * all_steps;
    z[j] = came + bias + of_pixels + sums.real[j];
    magnitude[j] += std::abs(came) + std::abs(bias) + std::abs(of_pixels) + 1;
  }
  const std::vector<Membrane> membranes = MembranesOf(node);
  const size_t pooled = size_t{node.extent->height()} * node.extent->width();
  IntegerRun run;
  run.weights_fit = parts.weights_fit;
  std::vector<double> top(scales.size() * pooled, -1e30), largest(scales.size() * pooled, 0.0);
  run.exact_until.assign(top.size(), steps);
  for (size_t c = 0; c < scales.size(); ++c) {
    for (const Membrane& membrane : membranes) {
      const size_t at = c * positions + membrane.position;
      const size_t neuron = c * pooled + membrane.neuron;
      top[neuron] = std::max(top[neuron], z[at]);
      largest[neuron] = std::max(largest[neuron], magnitude[at]);
      if (sums.unsure[at] != 0) run.exact_until[neuron] = 0;
    }
  }
  if (node.lowest_level != 0 || node.highest_level != 0) {
    for (double& z_of_pool : top) {
      z_of_pool = std::clamp(z_of_pool, static_cast<double>(node.lowest_level),
                             static_cast<double>(node.highest_level));
    }
  }
  run.potentials = top;
  std::vector<double> sent(top.size(), 0.0);
  for (size_t k = 0; k < steps; ++k) {
    const double weight = std::exp2(steps - 1 - k);
    // Thresholds are whole fractions of an amplitude.
    const double fractions = std::exp2(14 - static_cast<double>(steps));
    const double v = std::max(1.0, std::nearbyint(static_cast<double>(node.thresholds[k]) * weight *
                                                  fractions)) /
                     fractions;
    std::vector<int8_t> spikes(top.size());
    for (size_t j = 0; j < top.size(); ++j) {
      const double rest = top[j] - sent[j];
      const double o = node.rectify ? std::max(rest, -sent[j]) : rest;
      spikes[j] = static_cast<int8_t>((o >= v) - (network.code->negative_spikes && o <= -v));
      if (std::abs(std::abs(o) - v) < 1e-6 * largest[j]) {
        run.exact_until[j] = std::min(run.exact_until[j], k);
      }
      sent[j] += spikes[j] * weight;
    }
    run.train.push_back(std::move(spikes));
  }
  return run;
}

}  // namespace

IntegerRun RunNodeInIntegers(const format::NetworkT& network, size_t index, const Choices& choices,
                             const std::vector<Train>& trains, const std::vector<double>& pixels) {
  if (choices.settled) return RunSettled(network, index, choices, trains, pixels);
  const format::NodeT& node = *network.nodes[index];
  const auto beta = static_cast<double>(network.code->beta);
  const size_t steps = network.code->timesteps;
  const size_t silent = network.code->silent_steps;
  const double gain = std::pow(beta, silent);
  const std::vector<double>& scales = choices.scales;
  const Parts parts = TakeApart(network, node, choices);
  const size_t positions = size_t{node.potential->height()} * node.potential->width();
  const size_t pooled = size_t{node.extent->height()} * node.extent->width();
  const std::vector<Membrane> membranes = MembranesOf(node);

  std::vector<double> m(scales.size() * membranes.size()), g(scales.size() * pooled, 0.0);
  std::vector<double> carry(scales.size(), 0.0), bias(scales.size());
  // The amounts that pixels add at each step, in units. Rounding carries its remainder to the next
  // step.
  std::vector<float> direct = DirectPotentials(network, node, pixels);
  for (size_t at = 0; at < direct.size(); ++at) {
    direct[at] *= static_cast<float>(scales[at / positions]);
  }
  std::vector<float> direct_carry(direct.size(), 0.0F);
  std::vector<double> direct_now(direct.size(), 0.0);
  IntegerRun run;
  run.weights_fit = parts.weights_fit;
  run.exact_until.assign(g.size(), steps);
  for (size_t i = 0; i < steps + silent; ++i) {
    if (i < steps) {
      for (size_t c = 0; c < scales.size(); ++c) {
        const double wanted = beta * carry[c] + static_cast<double>(node.bias[c]) * scales[c];
        bias[c] = Clamp(std::nearbyint(wanted));
        carry[c] = std::clamp(wanted - bias[c], -1.0, 1.0);
      }
      for (size_t at = 0; at < direct.size(); ++at) {
        const float wanted = network.code->beta * direct_carry[at] + direct[at];
        direct_now[at] = Clamp(static_cast<double>(std::nearbyint(wanted)));
        direct_carry[at] = std::clamp(wanted - static_cast<float>(direct_now[at]), -1.0F, 1.0F);
      }
      const Inputs inputs = SumInputs(network, parts.events, trains, i);
      for (size_t j = 0; j < m.size(); ++j) {
        const size_t c = j / membranes.size();
        const Membrane& membrane = membranes[j % membranes.size()];
        const size_t at = c * positions + membrane.position;
        if (i == 0) {
          const auto initial = static_cast<double>(node.initial_potential);
          m[j] = Clamp(
              std::nearbyint((beta * initial + static_cast<double>(node.bias[c])) * scales[c]));
        } else {
          m[j] = Clamp(m[j] + bias[c]);
        }
        m[j] = Clamp(m[j] + direct_now[at]);
        if (OrderMatters(m[j], inputs.sum[at], inputs.magnitude[at])) {
          size_t& until = run.exact_until[c * pooled + membrane.neuron];
          until = std::min(until, i < silent ? 0 : i - silent);
        }
        m[j] = Clamp(m[j] + inputs.sum[at]);
      }
    }
    if (i >= silent) {
      std::vector<double> top(g.size(), -32768);
      for (size_t j = 0; j < m.size(); ++j) {
        double& largest =
            top[j / membranes.size() * pooled + membranes[j % membranes.size()].neuron];
        largest = std::max(largest, m[j]);
      }
      std::vector<int8_t> spikes(g.size());
      std::vector<double> sent(g.size());
      for (size_t j = 0; j < g.size(); ++j) {
        const double unit = std::nearbyint(scales[j / pooled] * gain);
        const auto share = static_cast<double>(node.thresholds[i - silent]);
        const double v = std::max(1.0, Clamp(std::nearbyint(share * unit)));
        const double o = node.rectify ? std::max(top[j], -g[j]) : top[j];
        spikes[j] = static_cast<int8_t>((o >= v) - (network.code->negative_spikes && o <= -v));
        sent[j] = spikes[j] * unit;
        if (node.rectify) g[j] = Clamp(g[j] + sent[j]);
      }
      for (size_t j = 0; j < m.size(); ++j) {
        const size_t neuron = membranes[j % membranes.size()].neuron;
        m[j] = Clamp(m[j] - sent[j / membranes.size() * pooled + neuron]);
      }
      run.train.push_back(std::move(spikes));
    }
    for (double& value : m) value = Grow(value, beta, i);
    for (double& value : g) value = Grow(value, beta, i);
  }
  return run;
}

}  // namespace cssrun::oracle
