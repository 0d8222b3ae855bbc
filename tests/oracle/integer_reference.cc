#include "tests/oracle/integer_reference.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "tests/oracle/direct_reference.h"

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

// All input is there when the first spike leaves.
bool IsSettled(const format::NetworkT& network) {
  return network.code->beta == 2 && network.code->timesteps <= 6 &&
         network.code->silent_steps + 1 >= network.code->timesteps;
}

// Every potential has one membrane, and sees every source position at most once.
bool IsPlain(const format::NodeT& node, const format::SynapsesT& s) {
  const auto alone = [](int64_t size, int64_t pooled, int64_t kernel, int64_t stride, int64_t pad) {
    return stride >= kernel && pad == 0 && (pooled - 1) * stride + kernel <= size;
  };
  if (const format::Window* pool = node.pool.get(); pool != nullptr) {
    if (!alone(node.potential->height(), node.extent->height(), pool->kernel_y(), pool->stride_y(),
               pool->pad_top()) ||
        !alone(node.potential->width(), node.extent->width(), pool->kernel_x(), pool->stride_x(),
               pool->pad_left())) {
      return false;
    }
  }
  const format::Window* mean = s.average.get();
  return mean == nullptr ||
         (mean->stride_y() == mean->kernel_y() && mean->stride_x() == mean->kernel_x() &&
          mean->pad_top() == 0 && mean->pad_left() == 0);
}

// Whether all spikes of a source are added as one number of steps: not from the encoder, whose
// values have signs.
bool AddsLevels(const format::NetworkT& network, const format::NodeT& node,
                const format::SynapsesT& s) {
  const format::NodeT& source = *network.nodes[s.source];
  return IsSettled(network) && IsPlain(node, s) && s.source != 0 && source.rectify &&
         s.groups == 1 && s.average == nullptr && node.extent->channels() > 8 &&
         size_t{node.potential->height()} * node.potential->width() >= 16;
}

// The largest weight in units: weights are kept in 11 bits where that costs no speed, else in 8.
double LargestWeight(const format::NetworkT& network, const format::NodeT& node,
                     const format::SynapsesT& s) {
  const uint32_t sources = network.nodes[s.source]->extent->channels();
  const uint32_t targets = node.potential->channels();
  const bool depthwise = s.groups == sources && s.groups == targets;
  const size_t taps = s.weights.size() / targets / (sources / s.groups);
  const size_t seen = std::min(sources, std::max(sources / s.groups, 32U));
  if (AddsLevels(network, node, s)) return 127;
  const bool wide = depthwise || targets * taps * seen * 2 <= 256 << 10;
  return wide ? 1023 : 127;
}

// Where a node has one convolution, the smallest scale of each channel at which its weights are
// whole numbers up to 127, if there is one.
void MakeWhole(const format::NetworkT& network, const format::NodeT& node,
               std::vector<double>& scales) {
  const format::SynapsesT* only = nullptr;
  for (const auto& s : node.synapses) {
    if (s->kind == SynapseKind::Identity || IsDirect(network, *s)) continue;
    if (only != nullptr) return;
    only = s.get();
  }
  if (only == nullptr) return;
  const size_t fan_in = only->weights.size() / scales.size();
  for (size_t c = 0; c < scales.size(); ++c) {
    double largest = 0;
    for (size_t k = 0; k < fan_in; ++k) {
      largest = std::max(largest, std::abs(static_cast<double>(only->weights[c * fan_in + k])));
    }
    for (int whole = 1; whole <= 127 && largest > 0; ++whole) {
      bool all = true;
      for (size_t k = 0; k < fan_in && all; ++k) {
        const double scaled =
            static_cast<double>(only->weights[c * fan_in + k]) * (whole / largest);
        all = std::abs(scaled - std::nearbyint(scaled)) < 1e-3;
      }
      if (!all) continue;
      if (whole / largest <= 8 * 32767.0 / std::exp2(network.code->timesteps)) {
        scales[c] = whole / largest;
      }
      break;
    }
  }
}

// Units of one amplitude before the silent period, by channel.
std::vector<double> Scales(const format::NetworkT& network, const format::NodeT& node,
                           double gain) {
  const double largest_scale =
      IsSettled(network) ? 32767.0 / std::exp2(network.code->timesteps + 1) : 32767.0 / 16 / gain;
  std::vector<double> scales(node.potential->channels(), largest_scale);
  for (const auto& s : node.synapses) {
    if (IsDirect(network, *s)) continue;
    const size_t fan_in = s->weights.size() / scales.size();
    for (size_t c = 0; c < scales.size(); ++c) {
      double largest = 0;
      if (s->kind == SynapseKind::Identity) {
        if (IsSettled(network) && IsPlain(node, *s)) continue;  // added in float
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
  if (IsSettled(network)) {
    MakeWhole(network, node, scales);
    return scales;
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

// A settled node: what came in, as one number, in signed binary digits.
IntegerRun RunSettled(const format::NetworkT& network, size_t index,
                      const std::vector<Train>& trains, const std::vector<double>& pixels) {
  const format::NodeT& node = *network.nodes[index];
  const size_t steps = network.code->timesteps;
  const std::vector<double> scales = Scales(network, node, 1);
  const format::NodeT quantized = Quantize(network, node, scales);
  format::NodeT in_units;
  format::NodeT shortcuts;  // are not rounded
  in_units.potential = std::make_unique<format::Extent>(*node.potential);
  shortcuts.potential = std::make_unique<format::Extent>(*node.potential);
  for (size_t s = 0; s < node.synapses.size(); ++s) {
    const format::SynapsesT& given = *node.synapses[s];
    const bool real = given.kind == SynapseKind::Identity && IsPlain(node, given);
    format::NodeT& to = real ? shortcuts : in_units;
    to.synapses.push_back(
        std::make_unique<format::SynapsesT>(real ? given : *quantized.synapses[s]));
  }
  // Sums that nothing joins have 32 bits.
  bool exact = true;
  size_t summed = 0;
  for (const auto& s : node.synapses) {
    if (IsDirect(network, *s) || (s->kind == SynapseKind::Identity && IsPlain(node, *s))) continue;
    exact = exact && AddsLevels(network, node, *s) && summed++ == 0;
  }
  const size_t positions = size_t{node.potential->height()} * node.potential->width();
  const size_t neurons = scales.size() * positions;
  const std::vector<float> direct = DirectPotentials(network, node, pixels);
  std::vector<double> units(neurons, 0.0), real(neurons, 0.0), magnitude(neurons, 0.0);
  std::vector<char> saturated(neurons, 0);
  for (size_t i = 0; i < steps; ++i) {
    const Inputs sums = SumInputs(network, in_units, trains, i);
    const Inputs plain = SumInputs(network, shortcuts, trains, i);
    for (size_t j = 0; j < neurons; ++j) {
      if (exact) {
        units[j] = 2 * units[j] + sums.sum[j];
      } else {
        if (2 * std::abs(units[j]) + sums.magnitude[j] > 32767) saturated[j] = 1;
        units[j] = Clamp(Clamp(2 * units[j]) + sums.sum[j]);
      }
      real[j] = 2 * real[j] + plain.sum[j];
      magnitude[j] = 2 * magnitude[j] + plain.magnitude[j];
    }
  }
  std::vector<double> z(neurons);
  for (size_t j = 0; j < neurons; ++j) {
    const size_t c = j / positions;
    const double came = units[j] / scales[c];
    const double all_steps = SumOfWeights(network);
    const double bias = static_cast<double>(node.bias[c]) * all_steps +
                        static_cast<double>(node.initial_potential) * std::exp2(steps);
    const double of_pixels = static_cast<double>(direct[j]) * all_steps;
    z[j] = came + bias + of_pixels + real[j];
    magnitude[j] += std::abs(came) + std::abs(bias) + std::abs(of_pixels) + 1;
  }
  const std::vector<Membrane> membranes = MembranesOf(node);
  const size_t pooled = size_t{node.extent->height()} * node.extent->width();
  IntegerRun run;
  std::vector<double> top(scales.size() * pooled, -1e30), largest(scales.size() * pooled, 0.0);
  run.exact_until.assign(top.size(), steps);
  for (size_t c = 0; c < scales.size(); ++c) {
    for (const Membrane& membrane : membranes) {
      const size_t at = c * positions + membrane.position;
      const size_t neuron = c * pooled + membrane.neuron;
      top[neuron] = std::max(top[neuron], z[at]);
      largest[neuron] = std::max(largest[neuron], magnitude[at]);
      if (saturated[at] != 0) run.exact_until[neuron] = 0;
    }
  }
  std::vector<double> sent(top.size(), 0.0);
  for (size_t k = 0; k < steps; ++k) {
    const double weight = std::exp2(steps - 1 - k);
    // Thresholds are whole parts of an amplitude.
    const double parts = std::exp2(14 - static_cast<double>(steps));
    const double v =
        std::max(1.0, std::nearbyint(static_cast<double>(node.thresholds[k]) * weight * parts)) /
        parts;
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

IntegerRun RunNodeInIntegers(const format::NetworkT& network, size_t index,
                             const std::vector<Train>& trains, const std::vector<double>& pixels) {
  if (IsSettled(network)) return RunSettled(network, index, trains, pixels);
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
