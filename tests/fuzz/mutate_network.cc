#include "tests/fuzz/mutate_network.h"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "tests/oracle/random_network.h"

namespace cssrun::fuzz {
namespace {

using format::Extent;
using format::NetworkT;
using format::NodeT;
using format::SynapsesT;
using format::Window;

std::unique_ptr<SynapsesT> Copy(const SynapsesT& s) {
  auto copy = std::make_unique<SynapsesT>();
  copy->source = s.source;
  copy->delay = s.delay;
  copy->kind = s.kind;
  if (s.average != nullptr) copy->average = std::make_unique<Window>(*s.average);
  copy->window = std::make_unique<Window>(*s.window);
  copy->groups = s.groups;
  copy->channel_offset = s.channel_offset;
  copy->weights = s.weights;
  copy->spread_y = s.spread_y;
  copy->spread_x = s.spread_x;
  return copy;
}

bool SourcesComeFirst(const NetworkT& network) {
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    for (const auto& s : network.nodes[i]->synapses) {
      if (s->source >= i) return false;
    }
  }
  return true;
}

class Mutation {
 public:
  Mutation(std::mt19937& random, NetworkT& network) : random_(random), network_(network) {}

  void Apply() {
    switch (Below(12)) {
      case 0:
        return Code();
      case 1:
        return Preprocessing();
      case 2:
        return Lists();
      case 3:
        return Timing();
      case 4:
      case 5:
      case 6:
        return Node(*OneOf(network_.nodes));
      default:
        return Edge();
    }
  }

 private:
  size_t Below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  bool Coin() { return Below(2) == 0; }

  template <class T>
  T& OneOf(std::vector<T>& list) {
    return list[Below(list.size())];
  }

  int64_t Integer(int64_t old) {
    constexpr std::array<int64_t, 22> kInteresting = {0,
                                                      1,
                                                      2,
                                                      3,
                                                      7,
                                                      8,
                                                      16,
                                                      31,
                                                      63,
                                                      64,
                                                      127,
                                                      255,
                                                      256,
                                                      1023,
                                                      1024,
                                                      16384,
                                                      1 << 16,
                                                      1 << 20,
                                                      1LL << 30,
                                                      (1LL << 31) - 1,
                                                      -(1LL << 31),
                                                      (1LL << 32) - 1};
    switch (Below(4)) {
      case 0:
        return old + 1;
      case 1:
        return old - 1;
      case 2:
        return -old;
      default:
        return kInteresting[Below(kInteresting.size())];
    }
  }

  float Real(float old) {
    using Limits = std::numeric_limits<float>;
    constexpr std::array<float, 14> kInteresting = {0.0F,
                                                    -0.0F,
                                                    1.0F,
                                                    -1.0F,
                                                    0.5F,
                                                    2.0F,
                                                    1e-30F,
                                                    1e30F,
                                                    Limits::max(),
                                                    Limits::lowest(),
                                                    Limits::denorm_min(),
                                                    Limits::infinity(),
                                                    Limits::quiet_NaN(),
                                                    255.0F};
    switch (Below(4)) {
      case 0:
        return old * 1.01F;
      case 1:
        return -old;
      case 2:
        return old * 1e4F;
      default:
        return kInteresting[Below(kInteresting.size())];
    }
  }

  template <class T>
  void Change(T& field) {
    field = static_cast<T>(Integer(static_cast<int64_t>(field)));
  }
  void Change(float& field) { field = Real(field); }
  void Change(bool& field) { field = !field; }

  template <class T>
  void ChangeList(std::vector<T>& list) {
    const size_t way = Below(4);
    if (way == 0 || list.empty()) {
      list.push_back(T());
    } else if (way == 1) {
      list.pop_back();
    } else {
      Change(OneOf(list));
    }
  }

  void Change(Extent& e) {
    std::array<int64_t, 3> sizes = {e.channels(), e.height(), e.width()};
    int64_t& size = sizes[Below(3)];
    size = Integer(size);
    e = Extent(static_cast<uint32_t>(sizes[0]), static_cast<uint32_t>(sizes[1]),
               static_cast<uint32_t>(sizes[2]));
  }

  void Change(Window& w) {
    std::array<int32_t, 10> f = {w.kernel_y(),   w.kernel_x(),  w.stride_y(),   w.stride_x(),
                                 w.pad_top(),    w.pad_left(),  w.pad_bottom(), w.pad_right(),
                                 w.dilation_y(), w.dilation_x()};
    int32_t& field = f[Below(f.size())];
    field = static_cast<int32_t>(Integer(field));
    w = Window(f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]);
  }

  // Removes, adds or changes the window.
  void ChangeOptional(std::unique_ptr<Window>& window) {
    if (window == nullptr) {
      window = std::make_unique<Window>(2, 2, Coin() ? 1 : 2, 2, 0, 0, 0, 0, 1, 1);
    } else if (Below(4) == 0) {
      window.reset();
    } else {
      Change(*window);
    }
  }

  void Code() {
    format::CodeT& code = *network_.code;
    switch (Below(6)) {
      case 0:
        return Change(code.timesteps);
      case 1:
        return Change(code.beta);
      case 2:
        return Change(code.silent_steps);
      case 3:
        return Change(code.negative_spikes);
      case 4:
        code.input = static_cast<format::InputCoding>(Below(3));
        return;
      default:
        return Change(code.early_exit_margin);
    }
  }

  // Gives the network pictures if it has none, and changes something in them.
  void Pictures() {
    auto& pictures = network_.preprocessing->pictures;
    if (pictures == nullptr) {
      pictures = std::make_unique<format::PicturesT>();
      pictures->shorter_side = std::exchange(network_.preprocessing->resize, 0);
      pictures->height = pictures->width = pictures->shorter_side;
    }
    switch (Below(7)) {
      case 0:
        return Change(pictures->shorter_side);
      case 1:
        return Change(pictures->height);
      case 2:
        return Change(pictures->width);
      case 3:
        pictures->resizing = static_cast<format::Resizing>(Below(8));
        return;
      case 4:
        pictures->interpolation = static_cast<format::Interpolation>(Below(8));
        return;
      case 5:
        pictures->colours = static_cast<format::Colours>(Below(4));
        return;
      default:
        pictures->exif = !pictures->exif;
    }
  }

  void Preprocessing() {
    switch (Below(4)) {
      case 0:
        return Change(network_.preprocessing->resize);
      case 3:
        return Pictures();
      case 1:
        return ChangeList(network_.preprocessing->mean);
      default:
        return ChangeList(network_.preprocessing->stddev);
    }
  }

  void Lists() {
    switch (Below(5)) {
      case 0:
        network_.labels.emplace_back("\x1b[31m");
        return;
      case 1:
        network_.labels.clear();
        return;
      case 2:
        if (network_.nodes.size() > 1) network_.nodes.erase(network_.nodes.begin() + 1);
        return;
      case 3:
        std::swap(OneOf(network_.nodes), OneOf(network_.nodes));
        return;
      default:
        return Change(network_.format_version);
    }
  }

  // Changes T or L and everything that depends on them, so that the network stays sound.
  void Timing() {
    if (!SourcesComeFirst(network_)) return;
    const auto timesteps = static_cast<uint32_t>(1 + Below(12));
    network_.code->timesteps = timesteps;
    network_.code->silent_steps = static_cast<uint32_t>(Below(4));
    for (const std::unique_ptr<NodeT>& node : network_.nodes) {
      if (!node->thresholds.empty()) node->thresholds.resize(timesteps, 0.5F);
    }
    oracle::SetTiming(network_);
  }

  void Node(NodeT& node) {
    switch (Below(11)) {
      case 0:
        node.kind = static_cast<format::NodeKind>(Below(4));
        return;
      case 1:
        return Change(*node.extent);
      case 2:
        return Change(*node.potential);
      case 3:
        return Change(node.offset);
      case 4:
        return Change(node.rectify);
      case 5:
        return ChangeOptional(node.pool);
      case 6:
        return Change(node.amplitude);
      case 7:
        return ChangeList(node.thresholds);
      case 8:
        return Change(node.initial_potential);
      case 9:
        return ChangeList(node.bias);
      default:
        // Changes both sizes at once, which only a pool or a window can then contradict.
        Change(*node.extent);
        *node.potential = *node.extent;
        return;
    }
  }

  void Edge() {
    NodeT& node = *OneOf(network_.nodes);
    if (node.synapses.empty()) return;
    SynapsesT& s = *OneOf(node.synapses);
    switch (Below(12)) {
      case 10:
        return Change(Coin() ? s.spread_y : s.spread_x);
      case 0:
        return Change(s.source);
      case 1:
        return Change(s.delay);
      case 2:
        s.kind = static_cast<format::SynapseKind>(Below(3));
        return;
      case 3:
        return ChangeOptional(s.average);
      case 4:
      case 5:
        return Change(*s.window);
      case 6:
        return Change(s.groups);
      case 7:
        return Change(s.channel_offset);
      case 8:
        node.synapses.push_back(Copy(s));
        return;
      case 9:
        if (s.weights.empty()) return;
        for (int i = 0; i < 8; ++i) Change(OneOf(s.weights));
        return;
      default:
        return ChangeList(s.weights);
    }
  }

  std::mt19937& random_;
  NetworkT& network_;
};

}  // namespace

void MutateNetwork(std::mt19937& random, NetworkT& network) {
  if (!network.nodes.empty()) Mutation(random, network).Apply();
}

}  // namespace cssrun::fuzz
