#include "tests/oracle/integer_reference.h"

#include <algorithm>
#include <cmath>

namespace cssrun::oracle {
namespace {

using format::SynapseKind;

double Clamp(double value) { return std::clamp(value, -32768.0, 32767.0); }

// beta * value, rounded as the engine rounds it.
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

// Units of one amplitude before the silent period, by channel.
std::vector<double> Scales(const format::NodeT& node, double gain) {
  std::vector<double> scales(node.potential->channels(), 32767.0 / 16 / gain);
  for (const auto& s : node.synapses) {
    const size_t fan_in = s->weights.size() / scales.size();
    for (size_t c = 0; c < scales.size(); ++c) {
      double largest = 0;
      if (s->kind == SynapseKind::Identity) {
        largest = std::abs(static_cast<double>(s->weights[0]));
        scales[c] = std::min(scales[c], 32767.0 / 4 / largest);
        continue;
      }
      for (size_t k = 0; k < fan_in; ++k) {
        largest = std::max(largest, std::abs(static_cast<double>(s->weights[c * fan_in + k])));
      }
      if (largest > 0) scales[c] = std::min(scales[c], (fan_in <= 640 ? 1023 : 127) / largest);
    }
  }
  for (double& scale : scales) scale = std::floor(scale * gain) / gain;
  return scales;
}

// The node with its weights in units. An identity has one weight for all channels, so it becomes a
// convolution of weights between equal channels.
format::NodeT Quantize(const format::NetworkT& network, const format::NodeT& node,
                       const std::vector<double>& scales) {
  format::NodeT quantized(node);
  for (auto& s : quantized.synapses) {
    const size_t fan_in = s->weights.size() / scales.size();
    if (s->kind == SynapseKind::Convolution) {
      for (size_t i = 0; i < s->weights.size(); ++i) {
        const double units = static_cast<double>(s->weights[i]) * scales[i / fan_in];
        s->weights[i] = static_cast<float>(std::nearbyint(units));
      }
      continue;
    }
    const auto weight = static_cast<double>(s->weights[0]);
    const auto sources = static_cast<int64_t>(network.nodes[s->source]->extent->channels());
    s->kind = SynapseKind::Convolution;
    s->weights.assign(scales.size() * static_cast<size_t>(sources), 0.0F);
    for (size_t c = 0; c < scales.size(); ++c) {
      const int64_t source = static_cast<int64_t>(c) - s->channel_offset;
      if (source < 0 || source >= sources) continue;
      s->weights[c * static_cast<size_t>(sources) + static_cast<size_t>(source)] =
          static_cast<float>(std::nearbyint(weight * scales[c]));
    }
  }
  return quantized;
}

}  // namespace

IntegerRun RunNodeInIntegers(const format::NetworkT& network, size_t index,
                             const std::vector<Train>& trains) {
  const format::NodeT& node = *network.nodes[index];
  const auto beta = static_cast<double>(network.code->beta);
  const size_t steps = network.code->timesteps;
  const size_t silent = network.code->silent_steps;
  const double gain = std::pow(beta, silent);
  const std::vector<double> scales = Scales(node, gain);
  const format::NodeT quantized = Quantize(network, node, scales);
  const size_t positions = size_t{node.potential->height()} * node.potential->width();
  const size_t pooled = size_t{node.extent->height()} * node.extent->width();

  std::vector<double> m(scales.size() * positions), g(scales.size() * pooled, 0.0);
  std::vector<double> owed(scales.size(), 0.0), bias(scales.size());
  IntegerRun run;
  run.exact_until.assign(g.size(), steps);
  for (size_t i = 0; i < steps + silent; ++i) {
    if (i < steps) {
      for (size_t c = 0; c < scales.size(); ++c) {
        const double wanted = beta * owed[c] + static_cast<double>(node.bias[c]) * scales[c];
        bias[c] = Clamp(std::nearbyint(wanted));
        owed[c] = std::clamp(wanted - bias[c], -1.0, 1.0);
      }
      const Inputs inputs = SumInputs(network, quantized, trains, i);
      for (size_t j = 0; j < m.size(); ++j) {
        const size_t c = j / positions;
        if (i == 0) {
          const auto initial = static_cast<double>(node.initial_potential);
          m[j] = Clamp(std::nearbyint(
              (beta * initial + static_cast<double>(node.bias[c])) * scales[c]));
        } else {
          m[j] = Clamp(m[j] + bias[c]);
        }
        if (std::abs(m[j]) + inputs.magnitude[j] > 32767) {
          // Every pooled neuron of the channel: which one it is does not matter.
          for (size_t p = 0; p < pooled; ++p) {
            size_t& until = run.exact_until[c * pooled + p];
            until = std::min(until, i < silent ? 0 : i - silent);
          }
        }
        m[j] = Clamp(m[j] + inputs.sum[j]);
      }
    }
    if (i >= silent) {
      const std::vector<double> top = PoolMembranes(node, m);
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
        if (node.pool == nullptr) {
          m[j] = Clamp(m[j] - sent[j]);
          continue;
        }
        // Pools do not overlap here: at most one takes this membrane.
        const size_t x = j % node.potential->width();
        const size_t y = j / node.potential->width() % node.potential->height();
        const auto stride_x = static_cast<size_t>(node.pool->stride_x());
        const auto stride_y = static_cast<size_t>(node.pool->stride_y());
        const size_t px = x / stride_x, py = y / stride_y;
        if (px >= node.extent->width() || py >= node.extent->height()) continue;
        if (x - px * stride_x >= static_cast<size_t>(node.pool->kernel_x())) continue;
        if (y - py * stride_y >= static_cast<size_t>(node.pool->kernel_y())) continue;
        m[j] = Clamp(m[j] - sent[j / positions * pooled + py * node.extent->width() + px]);
      }
      run.train.push_back(std::move(spikes));
    }
    for (double& value : m) value = Grow(value, beta, i);
    for (double& value : g) value = Grow(value, beta, i);
  }
  return run;
}

}  // namespace cssrun::oracle
