#include <random>
#include <utility>

#include "tests/oracle/event_model.h"

namespace cssrun::oracle {
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
    const size_t kind = Between(0, 11);
    EventOp op = kind < 4    ? EventOp::kIf
                 : kind < 8  ? EventOp::kLif
                 : kind < 10 ? EventOp::kCuba
                             : EventOp::kThreshold;
    if (!must_spike && Chance(3)) op = EventOp::kLi;
    EventModelNode& node = Add(op);
    const bool alike = Chance(2);
    const bool leaks_to_level = op != EventOp::kCuba && Chance(8);
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
      if (op != EventOp::kCuba) continue;
      next(node.tau_syn, model_.dt * (1 + static_cast<double>(Between(0, 1000)) / 41));
      next(node.w_in, static_cast<double>(Between(1, 9)) / 3);
    }
    // A single neuron does not say its shape, without which a loop cannot begin.
    if (op != EventOp::kLi && node.to.size() > 1 && Chance(5)) AddLoop(node);
  }

  // Its spikes come back through a matrix, or on a map through a convolution of 3x3.
  void AddLoop(EventModelNode& node) {
    EventModelNode back;
    back.from = node.to;
    back.to = node.to;
    const bool flat = node.to.height * node.to.width == 1;
    back.op = flat ? EventOp::kDense : EventOp::kConv;
    if (!flat) {
      back.kernel_y = back.kernel_x = 3;
      back.pad_y = back.pad_x = 1;
    }
    const size_t weights = node.to.channels * node.to.channels * back.kernel_y * back.kernel_x;
    for (size_t i = 0; i < weights; ++i) back.weights.push_back(Weight() / 4);
    node.back.push_back(std::move(back));
  }

  std::mt19937 random_;
  EventModel model_;
  Map at_;
};

}  // namespace

EventModel RandomEventModel(uint32_t seed) { return ModelMaker(seed).Make(); }

}  // namespace cssrun::oracle
