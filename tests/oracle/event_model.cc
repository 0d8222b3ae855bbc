#include "tests/oracle/event_model.h"

#include <algorithm>
#include <cmath>

namespace cssrun::oracle {
namespace {

// What is nearer to 0 is 0.
double Flush(double x) { return std::abs(x) < std::ldexp(1.0, -100) ? 0 : x; }

std::vector<double> Convolve(const EventModelNode& node, const std::vector<double>& x) {
  std::vector<double> sums(node.to.size(), 0);
  const size_t group_from = node.from.channels / node.groups;
  const size_t group_to = node.to.channels / node.groups;
  for (size_t o = 0; o < node.to.channels; ++o) {
    for (size_t row = 0; row < node.to.height; ++row) {
      for (size_t column = 0; column < node.to.width; ++column) {
        double sum = 0;
        for (size_t i = 0; i < group_from; ++i) {
          for (size_t ky = 0; ky < node.kernel_y; ++ky) {
            for (size_t kx = 0; kx < node.kernel_x; ++kx) {
              const size_t y = row * node.stride_y + ky * node.dilation_y;
              const size_t z = column * node.stride_x + kx * node.dilation_x;
              if (y < node.pad_y || y - node.pad_y >= node.from.height) continue;
              if (z < node.pad_x || z - node.pad_x >= node.from.width) continue;
              const size_t channel = o / group_to * group_from + i;
              const size_t at =
                  (channel * node.from.height + y - node.pad_y) * node.from.width + z - node.pad_x;
              sum +=
                  node.weights[((o * group_from + i) * node.kernel_y + ky) * node.kernel_x + kx] *
                  x[at];
            }
          }
        }
        sums[(o * node.to.height + row) * node.to.width + column] = sum;
      }
    }
  }
  return sums;
}

std::vector<double> Pool(const EventModelNode& node, const std::vector<double>& x) {
  std::vector<double> sums(node.to.size(), 0);
  for (size_t at = 0; at < sums.size(); ++at) {
    const size_t column = at % node.to.width;
    const size_t row = at / node.to.width % node.to.height;
    const size_t channel = at / node.to.width / node.to.height;
    for (size_t ky = 0; ky < node.kernel_y; ++ky) {
      for (size_t kx = 0; kx < node.kernel_x; ++kx) {
        const size_t y = row * node.stride_y + ky;
        const size_t z = column * node.stride_x + kx;
        if (y < node.pad_y || y - node.pad_y >= node.from.height) continue;
        if (z < node.pad_x || z - node.pad_x >= node.from.width) continue;
        sums[at] +=
            x[(channel * node.from.height + y - node.pad_y) * node.from.width + z - node.pad_x];
      }
    }
    if (node.op == EventOp::kAvgPool) {
      sums[at] /= static_cast<double>(node.kernel_y * node.kernel_x);
    }
  }
  return sums;
}

std::vector<double> Multiply(const EventModelNode& node, const std::vector<double>& x) {
  std::vector<double> sums(node.to.size(), 0);
  for (size_t o = 0; o < sums.size(); ++o) {
    for (size_t i = 0; i < x.size(); ++i) sums[o] += node.weights[o * x.size() + i] * x[i];
  }
  return sums;
}

std::vector<double> Apply(const EventModelNode& node, const std::vector<double>& x) {
  std::vector<double> y = x;
  switch (node.op) {
    case EventOp::kConv:
      return Convolve(node, x);
    case EventOp::kDense:
      return Multiply(node, x);
    case EventOp::kSumPool:
    case EventOp::kAvgPool:
      return Pool(node, x);
    case EventOp::kScale:
      for (size_t i = 0; i < y.size(); ++i) y[i] *= node.weights[i % node.weights.size()];
      return y;
    default:
      return y;  // flattened
  }
}

}  // namespace

EventReference::EventReference(const EventModel& model) : model_(model) {
  for (const EventModelNode& node : model.nodes) {
    if (!node.has_neurons()) continue;
    potentials_.emplace_back(node.to.size(), 0.0);
    currents_.emplace_back(node.to.size(), 0.0);
    spikes_.emplace_back(node.to.size(), 0.0);
    counts_.emplace_back(node.to.size(), 0);
  }
}

// A bias comes at each step, beside what spikes bring: the reading has it apart from their sum.
void EventReference::Fire(const EventModelNode& node, size_t layer, const std::vector<double>& x,
                          const std::vector<double>& bias) {
  for (size_t i = 0; i < x.size(); ++i) {
    double& v = potentials_[layer][i];
    double spikes = 0;
    double threshold = node.threshold.empty() ? 0 : node.threshold[i];
    double reset = 0;
    if (node.op == EventOp::kThreshold) {
      v = Flush(x[i] + bias[i]);
      spikes = v > threshold ? 1 : 0;
      if (spikes > 0) v = 0;
      spikes_[layer][i] = spikes;
      counts_[layer][i] += static_cast<uint64_t>(spikes);
      continue;
    }
    if (node.op == EventOp::kIf) {
      v = Flush(v + (x[i] + bias[i]));
    } else if (node.op == EventOp::kCuba) {
      const double rate = model_.dt / node.tau[i];
      const double current_rate = model_.dt / node.tau_syn[i];
      double& current = currents_[layer][i];
      current = Flush((1 - current_rate) * current + (x[i] + bias[i]));
      v = Flush((1 - rate) * v + rate * node.r[i] * (current_rate * node.w_in[i]) * current);
    } else {
      const double rate = model_.dt / node.tau[i];
      const double gain = rate * node.r[i];
      const double leak = rate * node.v_leak[i];
      v = Flush((1 - rate) * v + (gain * x[i] + (leak + gain * bias[i])));
    }
    if (node.op != EventOp::kLi) {
      if (model_.several) {
        if (v >= threshold) spikes = std::min(std::floor(v / threshold), 65535.0);
      } else {
        spikes = v > threshold ? 1 : 0;
      }
      if (spikes > 0) {
        if (model_.reset == ModelReset::kValue) reset = node.v_reset[i];
        v = model_.reset == ModelReset::kSubtract ? v - spikes * threshold : reset;
      }
      if (model_.floor_at_threshold) v = std::max(v, -threshold);
    }
    spikes_[layer][i] = spikes;
    counts_[layer][i] += static_cast<uint64_t>(spikes);
  }
}

void EventReference::Step(const std::vector<double>& input) {
  std::vector<double> x = input;
  std::vector<double> bias(x.size(), 0.0);  // of the last operation
  size_t layer = 0;
  for (const EventModelNode& node : model_.nodes) {
    if (!node.has_neurons() && node.op != EventOp::kFlatten) {
      for (size_t i = 0; i < x.size(); ++i) x[i] += bias[i];
      bias.assign(node.to.size(), 0.0);
      for (size_t i = 0; i < bias.size() && !node.bias.empty(); ++i) {
        bias[i] = node.bias[i / (node.to.height * node.to.width)];
      }
    }
    if (!node.has_neurons()) {
      x = Apply(node, x);
      continue;
    }
    for (const EventModelNode& back : node.back) {
      const std::vector<double> more = Apply(back, spikes_[layer]);
      for (size_t i = 0; i < x.size(); ++i) x[i] += more[i];
    }
    Fire(node, layer, x, bias);
    x = spikes_[layer];
    bias.assign(x.size(), 0.0);
    ++layer;
  }
}

}  // namespace cssrun::oracle
