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

bool IsDirect(const format::NetworkT& network, const format::SynapsesT& s) {
  return network.code->input == format::InputCoding::Direct && s.source == 0;
}

// The sum that one position of one channel gets of pixels: in float, tap after tap.
struct PixelMap {
  std::vector<float> values;  // [channel, row, column]
  int height = 0, width = 0;
};

float PixelAt(const PixelMap& map, size_t c, int y, int x) {
  if (y < 0 || y >= map.height || x < 0 || x >= map.width) return 0;
  return map.values[(c * static_cast<size_t>(map.height) + static_cast<size_t>(y)) *
                        static_cast<size_t>(map.width) +
                    static_cast<size_t>(x)];
}

// What the image brings to each membrane [channel, row, column] at each step, in amplitudes.
std::vector<float> DirectPotentials(const format::NetworkT& network, const format::NodeT& node,
                                    const std::vector<double>& inputs) {
  const auto height = static_cast<int>(node.potential->height());
  const auto width = static_cast<int>(node.potential->width());
  const size_t channels = node.potential->channels();
  std::vector<float> potentials(channels * static_cast<size_t>(height * width), 0.0F);
  const format::Extent& image = *network.nodes[0]->extent;
  const double scale = SumOfWeights(network) * static_cast<double>(network.nodes[0]->amplitude);
  for (const auto& s : node.synapses) {
    if (!IsDirect(network, *s)) continue;
    PixelMap seen;
    seen.height = static_cast<int>(image.height());
    seen.width = static_cast<int>(image.width());
    for (const double input : inputs) seen.values.push_back(static_cast<float>(input / scale));
    if (s->average != nullptr) {
      const format::Window& w = *s->average;
      PixelMap means;
      means.height = (seen.height + w.pad_top() + w.pad_bottom() - w.kernel_y()) / w.stride_y() + 1;
      means.width = (seen.width + w.pad_left() + w.pad_right() - w.kernel_x()) / w.stride_x() + 1;
      for (size_t c = 0; c < image.channels(); ++c) {
        for (int y = 0; y < means.height; ++y) {
          for (int x = 0; x < means.width; ++x) {
            float sum = 0;
            for (int ky = 0; ky < w.kernel_y(); ++ky) {
              for (int kx = 0; kx < w.kernel_x(); ++kx) {
                sum += PixelAt(seen, c, y * w.stride_y() - w.pad_top() + ky,
                               x * w.stride_x() - w.pad_left() + kx);
              }
            }
            means.values.push_back(sum);
          }
        }
      }
      seen = means;
    }
    const format::Window& w = *s->window;
    const size_t sources = image.channels() / s->groups;
    const size_t targets = channels / s->groups;
    for (size_t target = 0; target < channels; ++target) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          float& sum = potentials[(target * static_cast<size_t>(height) + static_cast<size_t>(y)) *
                                      static_cast<size_t>(width) +
                                  static_cast<size_t>(x)];
          for (int ky = 0; ky < w.kernel_y(); ++ky) {
            for (int kx = 0; kx < w.kernel_x(); ++kx) {
              const int sy = y * w.stride_y() - w.pad_top() + ky * w.dilation_y();
              const int sx = x * w.stride_x() - w.pad_left() + kx * w.dilation_x();
              if (s->kind == SynapseKind::Identity) {
                const int64_t c = static_cast<int64_t>(target) - s->channel_offset;
                if (c < 0 || c >= image.channels()) continue;
                sum += s->weights[0] * PixelAt(seen, static_cast<size_t>(c), sy, sx);
                continue;
              }
              for (size_t j = 0; j < sources; ++j) {
                const size_t weight = ((target * sources + j) * static_cast<size_t>(w.kernel_y()) +
                                       static_cast<size_t>(ky)) *
                                          static_cast<size_t>(w.kernel_x()) +
                                      static_cast<size_t>(kx);
                sum += s->weights[weight] * PixelAt(seen, target / targets * sources + j, sy, sx);
              }
            }
          }
        }
      }
    }
  }
  return potentials;
}

// The largest weight in units: weights are kept in 11 bits where that costs no speed, else in 8.
double LargestWeight(const format::NetworkT& network, const format::NodeT& node,
                     const format::SynapsesT& s) {
  const uint32_t sources = network.nodes[s.source]->extent->channels();
  const uint32_t targets = node.potential->channels();
  const bool depthwise = s.groups == sources && s.groups == targets;
  const bool gathered = sources > 32 || targets > 32 || s.groups > 1 || s.window->stride_y() > 1 ||
                        s.window->stride_x() > 1;
  const size_t taps = s.weights.size() / targets / (sources / s.groups);
  const size_t seen = std::min(sources, std::max(sources / s.groups, 32U));
  const bool wide = depthwise || (gathered ? targets * taps * seen * 2 <= 256 << 10
                                           : s.weights.size() / targets <= 640);
  return wide ? 1023 : 127;
}

// The largest scale, from half of `limit` on, at which all weights of the channel's first
// convolution of spikes are whole numbers; 0 if there is none.
double WholeScale(const format::NetworkT& network, const format::NodeT& node, size_t channel,
                  double limit) {
  for (const auto& s : node.synapses) {
    if (s->kind == SynapseKind::Identity || IsDirect(network, *s)) continue;
    const size_t fan_in = s->weights.size() / node.potential->channels();
    std::vector<double> weights;
    for (size_t k = 0; k < fan_in; ++k) {
      weights.push_back(static_cast<double>(s->weights[channel * fan_in + k]));
    }
    double largest = 0;
    for (const double weight : weights) largest = std::max(largest, std::abs(weight));
    const double most = std::floor(limit * largest);
    for (double whole = most; whole >= 1 && whole >= most / 2; --whole) {
      bool all = true;
      for (const double weight : weights) {
        const double scaled = weight * (whole / largest);
        all = all && std::abs(scaled - std::nearbyint(scaled)) < 1e-3;
      }
      if (all) return whole / largest;
    }
    return 0;
  }
  return 0;
}

// Units of one amplitude before the silent period, by channel.
std::vector<double> Scales(const format::NetworkT& network, const format::NodeT& node,
                           double gain) {
  const bool settled =
      network.code->beta == 2 && network.code->silent_steps + 1 >= network.code->timesteps;
  std::vector<double> scales(node.potential->channels(), 32767.0 / (settled ? 4 : 16) / gain);
  for (const auto& s : node.synapses) {
    if (IsDirect(network, *s)) continue;
    const size_t fan_in = s->weights.size() / scales.size();
    for (size_t c = 0; c < scales.size(); ++c) {
      double largest = 0;
      if (s->kind == SynapseKind::Identity) {
        largest = std::abs(static_cast<double>(s->weights[0]));
        scales[c] = std::min(scales[c], 8191 / largest);
        continue;
      }
      for (size_t k = 0; k < fan_in; ++k) {
        largest = std::max(largest, std::abs(static_cast<double>(s->weights[c * fan_in + k])));
      }
      if (largest > 0) {
        scales[c] = std::min(scales[c], LargestWeight(network, node, *s) / largest);
      }
    }
  }
  for (size_t c = 0; c < scales.size(); ++c) {
    const double whole = WholeScale(network, node, c, scales[c]);
    scales[c] =
        whole > 0 ? std::nearbyint(whole * gain) / gain : std::floor(scales[c] * gain) / gain;
  }
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

// A potential as a neuron sees it. Every member of a pool has its own, less what the pool has sent;
// where pools overlap, a position of the map has several.
struct Membrane {
  size_t position = 0;  // of the map
  size_t neuron = 0;    // of the spikes
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

}  // namespace

IntegerRun RunNodeInIntegers(const format::NetworkT& network, size_t index,
                             const std::vector<Train>& trains, const std::vector<double>& pixels) {
  const format::NodeT& node = *network.nodes[index];
  const auto beta = static_cast<double>(network.code->beta);
  const size_t steps = network.code->timesteps;
  const size_t silent = network.code->silent_steps;
  const double gain = std::pow(beta, silent);
  const std::vector<double> scales = Scales(network, node, gain);
  const format::NodeT quantized = Quantize(network, node, scales);
  const size_t positions = size_t{node.potential->height()} * node.potential->width();
  const size_t pooled = size_t{node.extent->height()} * node.extent->width();
  const std::vector<Membrane> membranes = MembranesOf(node);

  std::vector<double> m(scales.size() * membranes.size()), g(scales.size() * pooled, 0.0);
  std::vector<double> owed(scales.size(), 0.0), bias(scales.size());
  // What pixels bring at each step, in units; rounding keeps back what comes with the next step.
  std::vector<float> direct = DirectPotentials(network, node, pixels);
  for (size_t at = 0; at < direct.size(); ++at) {
    direct[at] *= static_cast<float>(scales[at / positions]);
  }
  std::vector<float> direct_owed(direct.size(), 0.0F);
  std::vector<double> direct_now(direct.size(), 0.0);
  IntegerRun run;
  run.exact_until.assign(g.size(), steps);
  for (size_t i = 0; i < steps + silent; ++i) {
    if (i < steps) {
      for (size_t c = 0; c < scales.size(); ++c) {
        const double wanted = beta * owed[c] + static_cast<double>(node.bias[c]) * scales[c];
        bias[c] = Clamp(std::nearbyint(wanted));
        owed[c] = std::clamp(wanted - bias[c], -1.0, 1.0);
      }
      for (size_t at = 0; at < direct.size(); ++at) {
        const float wanted = network.code->beta * direct_owed[at] + direct[at];
        direct_now[at] = Clamp(static_cast<double>(std::nearbyint(wanted)));
        direct_owed[at] = std::clamp(wanted - static_cast<float>(direct_now[at]), -1.0F, 1.0F);
      }
      const Inputs inputs = SumInputs(network, quantized, trains, i);
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
        if (std::abs(m[j]) + inputs.magnitude[at] > 32767) {
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
