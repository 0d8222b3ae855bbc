#include "tests/oracle/kind_network.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/oracle/network_parts.h"

namespace cssrun::oracle {
namespace {

using format::Extent;
using format::NetworkT;
using format::NodeKind;
using format::NodeT;
using format::Window;

struct Code {
  uint32_t timesteps = 1;
  float beta = 2;
  uint32_t silent = 0;
};

Code DrawCode(Draw& draw, bool settled, bool long_train) {
  Code code;
  if (settled) {
    code.timesteps = long_train ? draw.Count(7, 8) : draw.Count(1, 6);
    code.silent = code.timesteps - 1 + draw.Count(0, 1);
    return code;
  }
  code.beta = draw.OneOf<float>({1.0F, 1.1F, 1.5F, 1.7F, 2.0F});
  code.timesteps = draw.Chance(0.2) ? draw.Count(7, 12) : draw.Count(2, 6);
  const auto most =
      static_cast<int>(code.timesteps) - 2;  // one less than settled layers have at least
  code.silent = draw.Count(0, std::min(3, most));
  return code;
}

// Draws a network node by node.
class Builder {
 public:
  Builder(const KindOptions& options, uint32_t seed) : options_(options), draw_(seed) {
    Code code = DrawCode(draw_, options.settled, options.long_train);
    if (options.kind == Kind::kWinograd) {
      code.timesteps = 7;
      code.silent = 6;
    }
    negative_ = draw_.Chance(0.8);
    const uint32_t channels = draw_.Count(1, 4);
    const uint32_t height = draw_.Count(5, 9);
    const uint32_t width = draw_.Count(5, 9);
    network_ = EmptyNetwork(code.timesteps, code.beta, code.silent, negative_,
                            Extent(channels, height, width));
    direct_ = options.join == Join::kPixels || draw_.Chance(0.2);
  }

  NetworkT Build() {
    const Join second =
        draw_.OneOf<Join>({Join::kNothing, Join::kNothing, Join::kNothing, Join::kAlignedShortcut,
                           Join::kCopiedShortcut, Join::kOtherShortcut, Join::kDisjointPool});
    std::unique_ptr<NodeT> subject = Subject();
    Add(options_.join, *subject);
    if (options_.join != Join::kNothing && second != options_.join) Add(second, *subject);
    draw_.Shuffle(subject->synapses);
    network_.nodes.push_back(std::move(subject));
    if (draw_.Chance(0.6)) {  // another layer reads its spikes, or levels
      const uint32_t source = static_cast<uint32_t>(network_.nodes.size()) - 1;
      const Extent from = *network_.nodes[source]->extent;
      const uint32_t channels = draw_.Chance(0.7) ? draw_.Count(9, 40) : Channels(draw_, 20);
      const Extent to(channels, from.height(), from.width());
      auto reader = Neurons(to);
      reader->synapses.push_back(
          Convolution(draw_, source, from, Fitted(from, to, 3, 1, 1), to.channels(), 1, false));
      network_.nodes.push_back(std::move(reader));
    }
    AddReadout(draw_, false, network_);
    SetTiming(network_);
    if (options_.settled && draw_.Chance(0.3)) {
      for (auto& node : network_.nodes) {
        for (auto& s : node->synapses) MakeWhole(draw_, *node, *s);
      }
    }
    if (direct_) {
      network_.code->input = format::InputCoding::Direct;
      network_.nodes[0]->thresholds.clear();
      network_.code->whole_pixels = draw_.Chance(0.5);
    }
    return std::move(network_);
  }

 private:
  std::unique_ptr<NodeT> Neurons(const Extent& extent) {
    auto node = Node("layer" + std::to_string(network_.nodes.size()), NodeKind::Neurons, extent);
    node->rectify = draw_.Chance(0.8);
    if (network_.code->beta == 1.0F) node->initial_potential = draw_.Normal(0.3F);
    // With 0.75, the converter's, settled layers may send levels alone.
    const float share = draw_.OneOf<float>({0.5F, 0.6875F, 0.75F, 0.75F, 0.75F});
    node->thresholds = Thresholds(network_.code->timesteps, negative_ ? share : 1.0F);
    DrawBias(draw_, network_.code->timesteps, false, *node);
    if (options_.long_train && draw_.Chance(0.3)) {  // as a model of 8 bits with a zero point
      node->lowest_level = -draw_.Integer(0, 100);
      node->highest_level = draw_.Integer(1, 127);
    }
    return node;
  }

  // Adds a layer of any size, driven by the image, and returns its index.
  uint32_t Source(const Extent& extent, bool rectify) {
    auto node = Neurons(extent);
    node->rectify = rectify;
    const Extent& image = *network_.nodes[0]->extent;
    const int kernel = draw_.Integer(1, 2);
    const Window window = Fitted(image, extent, kernel, 1, kernel - 1);
    node->synapses.push_back(Convolution(draw_, 0, image, window, extent.channels(), 1, false));
    network_.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(network_.nodes.size()) - 1;
  }

  // Draws the layer under test with its main synapses.
  std::unique_ptr<NodeT> Subject() {
    switch (options_.kind) {
      case Kind::kRowScatter:
        return RowScatter();
      case Kind::kTileGather:
        return TileGather();
      case Kind::kDepthwise:
        return Depthwise();
      case Kind::kLevelConv:
        return Levels();
      case Kind::kWinograd:
        return Winograd();
      case Kind::kShortcut:
        break;
    }
    return MainShortcut();
  }

  // Sizes for which the engine does not choose levels. Settled layers use levels unless the source
  // is signed, or the layer is narrow or has few positions.
  struct Sizes {
    Extent source;
    uint32_t targets = 1;
    bool rectify = true;
  };
  Sizes SizesWithoutLevels(int most_sources, int most_targets) {
    const uint32_t sources = Channels(draw_, most_sources);
    uint32_t height = draw_.Count(4, 9);
    uint32_t width = draw_.Chance(0.2) ? draw_.Count(1, 2) : draw_.Count(4, 9);
    Sizes sizes;
    sizes.targets = Channels(draw_, most_targets);
    sizes.rectify = draw_.Chance(0.8);
    if (options_.settled) {
      switch (draw_.Integer(0, 2)) {
        case 0:
          sizes.targets = draw_.Count(1, 8);
          break;
        case 1:
          sizes.rectify = false;
          break;
        default:
          height = 1;
          width = draw_.Count(2, 4);
          break;
      }
    }
    sizes.source = Extent(sources, height, width);
    return sizes;
  }

  std::unique_ptr<NodeT> Convolved(uint32_t source, const Window& window, uint32_t channels,
                                   uint32_t groups) {
    const Extent from = *network_.nodes[source]->extent;
    auto node = Neurons(Through(window, from, channels));
    node->synapses.push_back(Convolution(draw_, source, from, window, channels, groups, false));
    return node;
  }

  std::unique_ptr<NodeT> RowScatter() {
    Sizes sizes = SizesWithoutLevels(24, 40);
    if (options_.settled && sizes.source.height() < 4) {  // keeps the layer at few positions
      const Window low(1, 2, 1, 1, 0, 0, 0, 0, 1, 1);
      return Convolved(Source(sizes.source, sizes.rectify), low, sizes.targets, 1);
    }
    const bool image = !direct_ && draw_.Chance(0.25);
    const uint32_t source = image ? 0 : Source(sizes.source, sizes.rectify);
    if (draw_.Chance(0.3)) {  // the window of most networks
      return Convolved(source, Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1), sizes.targets, 1);
    }
    for (;;) {
      const int kernel_y = draw_.Integer(1, 4);
      const int kernel_x = draw_.Integer(2, 4);
      const int top = draw_.Integer(0, kernel_y - 1);
      const int left = draw_.Integer(0, kernel_x - 1);
      const int bottom = draw_.Integer(0, kernel_y - 1);
      const int right = draw_.Integer(0, kernel_x - 1);
      const Window window(kernel_y, kernel_x, 1, 1, top, left, bottom, right, 1, 1);
      const int rows = static_cast<int>(sizes.source.height()) + top + bottom;
      const int columns = static_cast<int>(sizes.source.width()) + left + right;
      const bool fits = image || (rows >= kernel_y && columns >= kernel_x);
      if (fits) return Convolved(source, window, sizes.targets, 1);
    }
  }

  std::unique_ptr<NodeT> TileGather() {
    const bool wide = draw_.Chance(0.15);  // more blocks than a row scatter takes
    Sizes sizes = SizesWithoutLevels(40, wide ? 130 : 40);
    if (wide) sizes.source = Extent(sizes.source.channels(), 3, 3);
    const int groups = draw_.OneOf<int>({1, 1, 2, 3});
    if (groups > 1) {
      sizes.source = Extent(sizes.source.channels() * static_cast<uint32_t>(groups),
                            sizes.source.height(), sizes.source.width());
      sizes.targets *= static_cast<uint32_t>(groups);
    }
    const uint32_t source = Source(sizes.source, sizes.rectify);
    if (draw_.Chance(0.2)) return ThroughMean(source, sizes.targets);
    if (draw_.Chance(0.2)) return SpreadOutSource(source, sizes.targets, groups);
    for (;;) {
      const Window window = RandomWindow(draw_, sizes.source, true);
      const bool suits_row_scatter = window.stride_y() == 1 && window.stride_x() == 1 &&
                                     window.dilation_y() == 1 && window.dilation_x() == 1 &&
                                     window.kernel_x() > 1;
      if (groups == 1 && suits_row_scatter && !wide) continue;
      return Convolved(source, window, sizes.targets, static_cast<uint32_t>(groups));
    }
  }

  std::unique_ptr<NodeT> ThroughMean(uint32_t source, uint32_t channels) {
    const Extent from = *network_.nodes[source]->extent;
    const Window mean = RandomWindow(draw_, from, false);
    const Extent view = Through(mean, from, from.channels());
    const Window window = RandomWindow(draw_, view, true);
    auto node = Neurons(Through(window, view, channels));
    auto s = Convolution(draw_, source, from, window, channels, 1, false);
    s->average = std::make_unique<Window>(mean);
    node->synapses.push_back(std::move(s));
    return node;
  }

  // As a transposed convolution; in part of a mean.
  std::unique_ptr<NodeT> SpreadOutSource(uint32_t source, uint32_t channels, int groups) {
    const Extent from = *network_.nodes[source]->extent;
    const Window mean = RandomWindow(draw_, from, false);
    const bool means = draw_.Chance(0.3);
    const int32_t spread_y = draw_.Integer(1, 3);
    const int32_t spread_x = draw_.Integer(spread_y == 1 ? 2 : 1, 3);
    const Extent view =
        SpreadOut(means ? Through(mean, from, from.channels()) : from, spread_y, spread_x);
    const Window window = RandomWindow(draw_, view, true);
    auto node = Neurons(Through(window, view, channels));
    auto s =
        Convolution(draw_, source, from, window, channels, static_cast<uint32_t>(groups), false);
    if (means) s->average = std::make_unique<Window>(mean);
    s->spread_y = spread_y;
    s->spread_x = spread_x;
    node->synapses.push_back(std::move(s));
    return node;
  }

  std::unique_ptr<NodeT> Depthwise() {
    const uint32_t channels = options_.long_train ? Channels(draw_, 70) : draw_.Count(17, 70);
    const uint32_t height = draw_.Count(4, 7);
    const uint32_t width = draw_.Count(4, 7);
    const bool rectify = draw_.Chance(0.8);
    const uint32_t source = Source(Extent(channels, height, width), rectify);
    const Window window = RandomWindow(draw_, *network_.nodes[source]->extent, true);
    return Convolved(source, window, channels, channels);
  }

  std::unique_ptr<NodeT> Levels() {
    const uint32_t channels = Channels(draw_, 70);
    uint32_t height = draw_.Count(4, 9);
    uint32_t width = draw_.Count(4, 11);
    if (draw_.Chance(0.2)) {  // reaches tiles of every size and their remainders
      height = draw_.Count(1, 2);
      width = draw_.Count(20, 40);
    }
    const bool rectify = !options_.long_train || draw_.Chance(0.7);
    const uint32_t source = Source(Extent(channels, height, width), rectify);
    const Extent from = *network_.nodes[source]->extent;
    const uint32_t targets = std::max(options_.long_train ? 1U : 9U, Channels(draw_, 70));
    for (;;) {
      const Window window = RandomWindow(draw_, from, true);
      const Extent to = Through(window, from, targets);
      if (to.height() * to.width() < 16) continue;
      const bool grouped = options_.long_train && channels % 2 == 0 && targets % 2 == 0;
      return Convolved(source, window, targets, grouped ? 2 : 1);
    }
  }

  // A shape that Winograd's products suit, some of them for stacks of rows, and small whole
  // weights.
  std::unique_ptr<NodeT> Winograd() {
    const bool stack = draw_.Chance(0.4);
    const Extent from(draw_.Count(32, 70), draw_.Count(stack ? 3 : 1, 9),
                      stack ? draw_.Count(3, 6) : draw_.Count(7, 20));
    const uint32_t source = Source(from, true);
    const uint32_t targets = Channels(draw_, 70);
    const int kernel_y = draw_.Integer(1, std::min(3, static_cast<int>(from.height())));
    const int pad_y = draw_.Integer(0, kernel_y - 1);
    const int left = stack ? 1 : draw_.Integer(0, 2);
    const int right = stack ? 1 : std::max(draw_.Integer(0, 2), 2 - left);
    const Window window(kernel_y, 3, 1, 1, pad_y, left, stack ? pad_y % 2 : 0, right, 1, 1);
    const bool grouped = from.channels() >= 64 && from.channels() % 2 == 0 && targets % 2 == 0;
    auto node = Convolved(source, window, targets, grouped ? 2 : 1);
    const int most = draw_.OneOf<int>({3, 42});
    for (float& weight : node->synapses.front()->weights) {
      weight = static_cast<float>(draw_.Integer(-most, most)) / static_cast<float>(8 * most);
    }
    return node;
  }

  std::unique_ptr<NodeT> MainShortcut() {
    const uint32_t channels = Channels(draw_, 70);
    const uint32_t height = draw_.Count(4, 9);
    const uint32_t width = draw_.Count(4, 9);
    auto node = Neurons(Extent(channels, height, width));
    AddShortcut(draw_.Chance(0.5), *node);
    return node;
  }

  void Add(Join join, NodeT& node) {
    switch (join) {
      case Join::kNothing:
        break;
      case Join::kAlignedShortcut:
        // Some layers have more shortcuts than there are registers for.
        for (int rest = draw_.OneOf<int>({1, 1, 1, 2, 6}); rest > 0; --rest) {
          AddShortcut(true, node);
        }
        break;
      case Join::kCopiedShortcut:
        AddMovedShortcut(false, node);
        break;
      case Join::kOtherShortcut:
        AddMovedShortcut(draw_.Chance(0.5), node);
        AddMovedShortcut(draw_.Chance(0.2), node);
        break;
      case Join::kOtherSums:
        AddConvolution(node);
        break;
      case Join::kPixels:
        AddPixels(node);
        break;
      case Join::kDisjointPool:
      case Join::kOverlappingPool:
        AddPool(join == Join::kDisjointPool, node);
        break;
      case Join::kManySynapses:
        while (node.synapses.size() < 17) {
          if (draw_.Chance(0.3)) {
            AddConvolution(node);
          } else {
            AddShortcut(draw_.Chance(0.3), node);
          }
        }
        // Smaller weights keep the sums as large as those of few synapses.
        for (auto& s : node.synapses) {
          for (float& weight : s->weights) weight *= 0.3F;
        }
        break;
    }
  }

  // Returns a source of the wanted extent: an existing node or a new one.
  uint32_t SourceFor(const Extent& wanted) {
    for (uint32_t i = 1; i < network_.nodes.size(); ++i) {
      const Extent& extent = *network_.nodes[i]->extent;
      const bool same = extent.channels() == wanted.channels() &&
                        extent.height() == wanted.height() && extent.width() == wanted.width();
      if (same && draw_.Chance(0.7)) return i;
    }
    const bool rectify = draw_.Chance(0.7);
    return Source(wanted, rectify);
  }

  void AddShortcut(bool aligned, NodeT& node) {
    aligned ? AddAlignedShortcut(node) : AddMovedShortcut(draw_.Chance(0.2), node);
  }

  void AddAlignedShortcut(NodeT& node) {
    const Extent& to = *node.potential;
    const float weight = 0.5F + draw_.Normal(0.3F);
    const uint32_t same =
        draw_.Chance(0.5) ? to.channels() : ChannelsOfSameLayout(draw_, to.channels());
    // Rows may have a stride: the layout needs to be aligned within a row only.
    const int stride = draw_.Chance(0.8) ? 1 : 2;
    const int pad = draw_.Chance(0.8) ? 0 : draw_.Integer(-1, 1);
    const uint32_t source = SourceFor(Extent(same, to.height(), to.width()));
    const auto rest =
        (static_cast<int>(to.height()) - 1) * stride + 1 - static_cast<int>(to.height()) - pad;
    const Window window(1, 1, stride, 1, pad, 0, rest, 0, 1, 1);
    node.synapses.push_back(Shortcut(source, window, 0, weight));
  }

  // To other channels and positions. `means`: of 2 x 2, where the source is large enough.
  void AddMovedShortcut(bool means, NodeT& node) {
    const Extent& to = *node.potential;
    const float weight = 0.5F + draw_.Normal(0.3F);
    const uint32_t channels = Channels(draw_, 40);
    const uint32_t height = draw_.Count(3, 8);
    const uint32_t width = draw_.Count(3, 8);
    const Extent other(channels, height, width);
    const uint32_t source = draw_.Chance(0.5) ? SourceFor(other) : AnySource(other);
    const Extent from = *network_.nodes[source]->extent;
    const int stride = draw_.Integer(1, 2);
    const int pad = draw_.Integer(-1, 2);
    const int lowest = 1 - static_cast<int>(from.channels());
    const int offset = draw_.Integer(lowest, static_cast<int>(to.channels()) - 1);
    auto s = Shortcut(source, Fitted(from, to, 1, stride, pad), offset, weight);
    if (means && from.height() > 1 && from.width() > 1) {
      const Window mean(2, 2, 2, 2, 0, 0, 0, 0, 1, 1);
      const Extent view = Through(mean, from, from.channels());
      s->average = std::make_unique<Window>(mean);
      s->window = std::make_unique<Window>(Fitted(view, to, 1, stride, pad));
    }
    node.synapses.push_back(std::move(s));
  }

  uint32_t AnySource(const Extent& otherwise) {
    const auto nodes = static_cast<int>(network_.nodes.size());
    const int first = direct_ ? 1 : 0;
    if (first >= nodes) return Source(otherwise, draw_.Chance(0.7));
    return static_cast<uint32_t>(draw_.Integer(first, nodes - 1));
  }

  void AddConvolution(NodeT& node) {
    const Extent& to = *node.potential;
    const uint32_t channels = Channels(draw_, 20);
    const uint32_t source = AnySource(Extent(channels, to.height(), to.width()));
    const Extent from = *network_.nodes[source]->extent;
    const int kernel = draw_.Integer(1, 3);
    const int stride = draw_.Integer(1, 2);
    const int pad = draw_.Integer(0, kernel - 1);
    auto s = Convolution(draw_, source, from, Fitted(from, to, kernel, stride, pad), to.channels(),
                         1, false);
    for (float& weight : s->weights) weight *= 0.5F;
    node.synapses.push_back(std::move(s));
  }

  void AddPixels(NodeT& node) {
    const Extent& to = *node.potential;
    const Extent& image = *network_.nodes[0]->extent;
    if (draw_.Chance(0.3)) {
      node.synapses.push_back(Shortcut(0, Fitted(image, to, 1, 1, 0), 0, draw_.Normal(0.4F)));
      return;
    }
    const int kernel = draw_.Integer(1, 3);
    const Window window = Fitted(image, to, kernel, 1, kernel / 2);
    node.synapses.push_back(Convolution(draw_, 0, image, window, to.channels(), 1, false));
  }

  void AddPool(bool disjoint, NodeT& node) {
    const Extent map = *node.potential;
    const int rows = static_cast<int>(map.height());
    const int columns = static_cast<int>(map.width());
    Window pool(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
    if (disjoint) {
      const int kernel_y = draw_.Integer(1, std::min(3, rows));
      const int kernel_x =
          draw_.Integer(kernel_y == 1 ? std::min(2, columns) : 1, std::min(3, columns));
      const int stride_y = kernel_y + draw_.Integer(0, 1);
      const int stride_x = kernel_x + draw_.Integer(0, 1);
      pool = Window(kernel_y, kernel_x, stride_y, stride_x, 0, 0, 0, 0, 1, 1);
    } else {
      const int kernel = draw_.Integer(std::min({2, rows, columns}), std::min({3, rows, columns}));
      const int pad = draw_.Integer(0, kernel - 1);
      const int stride = draw_.Integer(1, std::max(1, kernel - 1));
      pool = Window(kernel, kernel, stride, stride, pad, pad, 0, 0, 1, 1);
    }
    const Extent pooled = Through(pool, map, map.channels());
    if (!EveryPoolHasMembers(pool, map, pooled)) return;
    node.pool = std::make_unique<Window>(pool);
    *node.extent = pooled;
  }

  const KindOptions options_;
  Draw draw_;
  bool negative_ = true;
  bool direct_ = false;
  NetworkT network_;
};

}  // namespace

NetworkT KindNetwork(const KindOptions& options, uint32_t seed) {
  return Builder(options, seed).Build();
}

}  // namespace cssrun::oracle
