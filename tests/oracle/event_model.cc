#include "tests/oracle/event_model.h"

#include <algorithm>
#include <cmath>
#include <random>

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

}  // namespace

EventReference::EventReference(const EventModel& model) : model_(model) {
  for (const EventModelNode& node : model.nodes) {
    if (!node.has_neurons()) continue;
    potentials_.emplace_back(node.to.size(), 0.0);
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
    switch (node.op) {
      case EventOp::kConv:
        x = Convolve(node, x);
        break;
      case EventOp::kDense:
        x = Multiply(node, x);
        break;
      case EventOp::kSumPool:
      case EventOp::kAvgPool:
        x = Pool(node, x);
        break;
      case EventOp::kFlatten:
        break;
      case EventOp::kScale:
        for (size_t i = 0; i < x.size(); ++i) x[i] *= node.weights[i % node.weights.size()];
        break;
      default:
        Fire(node, layer, x, bias);
        x = spikes_[layer];
        bias.assign(x.size(), 0.0);
        ++layer;
    }
  }
}

namespace {

class ModelMaker {
 public:
  explicit ModelMaker(uint32_t seed) : random_(seed) {}

  EventModel Make() {
    model_.dt = 1.0 / static_cast<double>(Between(1, 8) * 1024);
    model_.several = Chance(3);
    model_.reset = model_.several ? ModelReset::kSubtract : static_cast<ModelReset>(Between(0, 2));
    model_.floor_at_threshold = Chance(3);
    at_ = {Between(1, 5), Between(1, 9), Between(1, 9)};
    if (Chance(6)) at_ = {Between(1, 20), 1, 1};
    model_.input = at_;
    const size_t maps = Between(1, 3);
    const bool dense = Chance(2);
    for (size_t i = 0; i < maps; ++i) {
      Linear();
      Neurons(i + 1 < maps || dense);
    }
    if (dense) {
      AddDense();
      Neurons(false);
    }
    return std::move(model_);
  }

 private:
  size_t Between(size_t low, size_t high) {
    return std::uniform_int_distribution<size_t>(low, high)(random_);
  }
  bool Chance(size_t of) { return Between(1, of) == 1; }
  // A multiple of 1/32 from -1 to 1.
  double Weight() { return (static_cast<double>(Between(0, 64)) - 32 + 4) / 32; }

  EventModelNode& Add(EventOp op) {
    model_.nodes.emplace_back();
    model_.nodes.back().op = op;
    model_.nodes.back().from = at_;
    model_.nodes.back().to = at_;
    return model_.nodes.back();
  }

  static size_t Windowed(size_t size, size_t kernel, size_t stride, size_t pad, size_t dilation) {
    const size_t reach = (kernel - 1) * dilation + 1;
    return size + 2 * pad < reach ? 0 : (size + 2 * pad - reach) / stride + 1;
  }

  bool SetWindow(EventModelNode& node) {
    node.to.height =
        Windowed(node.from.height, node.kernel_y, node.stride_y, node.pad_y, node.dilation_y);
    node.to.width =
        Windowed(node.from.width, node.kernel_x, node.stride_x, node.pad_x, node.dilation_x);
    return node.to.height > 0 && node.to.width > 0;
  }

  void Linear() {
    if (Chance(3)) AddPool();
    if (Chance(5)) Add(EventOp::kScale).weights = {Chance(2) ? 0.5 : 2.0};
    if (Chance(8)) {
      AddDense();
    } else if (Chance(8)) {
      return;  // straight into the neurons
    } else {
      AddConv();
    }
    if (Chance(6)) AddPool();  // after the weights
  }

  void AddConv() {
    EventModelNode& node = Add(EventOp::kConv);
    node.to.channels = Between(1, 20);
    if (Chance(3)) {
      node.groups = Chance(2) ? at_.channels : 1;
      node.to.channels = node.groups * Between(1, 4);
    }
    do {
      node.kernel_y = Between(1, 4);
      node.kernel_x = Between(1, 4);
      node.stride_y = Between(1, 3);
      node.stride_x = Between(1, 3);
      node.pad_y = Between(0, 2);
      node.pad_x = Between(0, 2);
      node.dilation_y = Between(1, 2);
      node.dilation_x = Between(1, 2);
    } while (!SetWindow(node));
    const size_t weights =
        node.to.channels * (at_.channels / node.groups) * node.kernel_y * node.kernel_x;
    for (size_t i = 0; i < weights; ++i) node.weights.push_back(Weight());
    AddBias(node);
    at_ = node.to;
  }

  void AddDense() {
    if (at_.height * at_.width > 1) {
      Add(EventOp::kFlatten);
    }
    EventModelNode& node = Add(EventOp::kDense);
    node.to = {Between(1, 20), 1, 1};
    for (size_t i = 0; i < node.to.size() * at_.size(); ++i) node.weights.push_back(Weight());
    AddBias(node);
    at_ = node.to;
  }

  void AddBias(EventModelNode& node) {
    if (!Chance(6)) return;
    for (size_t i = 0; i < node.to.channels; ++i) node.bias.push_back(Weight() / 4);
  }

  void AddPool() {
    EventModelNode node;
    node.op = Chance(2) ? EventOp::kSumPool : EventOp::kAvgPool;
    node.from = at_;
    node.to = at_;
    // Of an average only powers of two: a division by them is exact.
    node.kernel_y = Between(1, 2);
    node.kernel_x = Chance(3) ? 4 : Between(1, 2);
    node.stride_y = Between(1, 3);
    node.stride_x = Between(1, 3);
    node.pad_y = Between(0, 1);
    node.pad_x = Between(0, 1);
    if (!SetWindow(node)) return;
    model_.nodes.push_back(node);
    at_ = node.to;
  }

  void Neurons(bool must_spike) {
    const size_t kind = Between(0, 9);
    EventOp op = kind < 4 ? EventOp::kIf : kind < 8 ? EventOp::kLif : EventOp::kThreshold;
    if (!must_spike && Chance(3)) op = EventOp::kLi;
    EventModelNode& node = Add(op);
    const bool alike = Chance(2);
    const bool leaks_to_level = Chance(8);
    for (size_t i = 0; i < node.to.size(); ++i) {
      const bool first = i == 0 || !alike;
      const auto next = [&](std::vector<double>& numbers, double number) {
        numbers.push_back(first ? number : numbers.front());
      };
      next(node.threshold, static_cast<double>(Between(4, 40)) / 16);
      next(node.v_reset, -static_cast<double>(Between(0, 8)) / 16);
      next(node.tau, model_.dt * (1 + static_cast<double>(Between(0, 1000)) / 37));
      // As exporters have it, or so that gains cancel dt.
      next(node.r, static_cast<double>(Between(1, 9)) * 1.7);
      next(node.v_leak, leaks_to_level ? static_cast<double>(Between(0, 8)) / 64 : 0);
    }
  }

  std::mt19937 random_;
  EventModel model_;
  Map at_;
};

}  // namespace

EventModel RandomEventModel(uint32_t seed) { return ModelMaker(seed).Make(); }

}  // namespace cssrun::oracle
