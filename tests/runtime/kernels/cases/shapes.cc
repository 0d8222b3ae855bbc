#include "tests/runtime/kernels/cases/shapes.h"

#include <algorithm>
#include <random>
#include <sstream>
#include <utility>

#include "format/geometry.h"
#include "runtime/integer/kernels/event_shortcut/event_shortcut.h"

namespace cssrun::internal {
namespace {

using format::Extent;
using format::Window;

constexpr uint32_t kSides[] = {1, 2, 3, 5, 7, 8, 13, 17, 33};
constexpr uint32_t kRandomShapes = 160;  // of each kernel
// Multiplications of one step of a random shape's twin.
constexpr uint64_t kMostWork = 4'000'000;

struct Draw {
  explicit Draw(uint32_t seed) : generator(seed) {}

  // first to last, both included.
  template <class T>
  T Between(T first, T last) {
    return static_cast<T>(std::uniform_int_distribution<int64_t>(first, last)(generator));
  }
  bool OneIn(uint32_t count) { return Between(1U, count) == 1; }
  uint32_t Side() { return kSides[Between(size_t{0}, std::size(kSides) - 1)]; }
  // Of every layout: up to 8, 16 and 32 channels, and blocks of 32.
  uint32_t Channels() {
    switch (Between(0, 4)) {
      case 0:
        return Between(1U, 8U);
      case 1:
        return Between(9U, 16U);
      case 2:
        return Between(17U, 32U);
      case 3:
        return Between(33U, 96U);
      default:
        return Between(97U, 192U);
    }
  }

  std::mt19937 generator;
};

bool Fits(const Window& window, const Extent& extent) {
  return WindowRows(window, extent.height()) > 0 && WindowColumns(window, extent.width()) > 0;
}

Extent Seen(const Window& window, const Extent& extent, uint32_t channels) {
  return {channels, static_cast<uint32_t>(WindowRows(window, extent.height())),
          static_cast<uint32_t>(WindowColumns(window, extent.width()))};
}

Extent ViewOf(const ConvolutionShape& shape) {
  const Extent view =
      shape.mean ? Seen(*shape.mean, shape.source, shape.source.channels()) : shape.source;
  const auto spread = [](uint32_t size, int32_t by) {
    return static_cast<uint32_t>(format::SpreadPositions(size, by));
  };
  return {view.channels(), spread(view.height(), shape.spread_y),
          spread(view.width(), shape.spread_x)};
}

Extent MapOf(const ConvolutionShape& shape) {
  return Seen(shape.window, ViewOf(shape), shape.targets);
}

uint64_t WorkOf(const ConvolutionShape& shape) {
  return Neurons(MapOf(shape)) * (shape.source.channels() / shape.groups) *
         static_cast<uint64_t>(shape.window.kernel_y()) *
         static_cast<uint64_t>(shape.window.kernel_x());
}

// In this order, whatever the compiler: seeds mean the same shapes everywhere.
Extent DrawExtent(Draw& draw) {
  const uint32_t width = draw.Side();
  const uint32_t height = draw.Side();
  return Extent(draw.Channels(), height, width);
}

// Any window that fits; `slides`: with stride and dilation 1 and no negative pads.
Window DrawWindow(Draw& draw, const Extent& extent, bool slides) {
  for (;;) {
    const auto pad = [&](int32_t kernel) { return draw.Between(slides ? 0 : -1, kernel); };
    const int32_t kernel_y = draw.Between(1, 5);
    const int32_t kernel_x = draw.Between(slides ? 2 : 1, 5);
    const int32_t most = slides ? 1 : 3;
    const int32_t dilation_x = draw.Between(1, most);
    const int32_t dilation_y = draw.Between(1, most);
    const int32_t right = pad(kernel_x);
    const int32_t bottom = pad(kernel_y);
    const int32_t left = pad(kernel_x);
    const int32_t top = pad(kernel_y);
    const int32_t stride_x = draw.Between(1, most);
    const int32_t stride_y = draw.Between(1, most);
    const Window window(kernel_y, kernel_x, stride_y, stride_x, top, left, bottom, right,
                        dilation_y, dilation_x);
    if (Fits(window, extent)) return window;
  }
}

// Windows that are disjoint and in order, or any.
std::optional<Window> DrawPool(Draw& draw, const Extent& extent, bool disjoint) {
  const int32_t kernel = draw.Between(2, 3);
  Window window = Square(kernel, kernel, 0);
  if (!disjoint && draw.OneIn(2)) {
    const int32_t pad = draw.Between(0, 1);
    window = Square(kernel, draw.Between(1, 3), pad);
  }
  if (draw.OneIn(4)) {  // all of the map
    window = Window(static_cast<int32_t>(extent.height()), static_cast<int32_t>(extent.width()), 1,
                    1, 0, 0, 0, 0, 1, 1);
  }
  if (!Fits(window, extent)) return std::nullopt;
  return window;
}

// Draws shapes until there are enough: draw_one(draw, shape) returns whether the shape is legal.
template <class DrawOne>
void AddRandomShapes(const DrawOne& draw_one, std::vector<ConvolutionShape>& shapes) {
  uint32_t seed = 0;
  for (uint32_t count = 0; count < kRandomShapes; ++seed) {
    Draw draw(seed);
    ConvolutionShape shape;
    shape.source = DrawExtent(draw);
    shape.targets = draw.Channels();
    shape.width = draw.OneIn(2) ? WeightWidth::kWide : WeightWidth::kNarrow;
    shape.guard_columns = draw.Between(0U, 8U);
    if (!draw_one(draw, shape) || WorkOf(shape) > kMostWork) continue;
    shapes.push_back(shape);
    ++count;
  }
}

ConvolutionShape Real(const char* network, const Extent& source, uint32_t targets,
                      const Window& window, WeightWidth width = WeightWidth::kNarrow) {
  ConvolutionShape shape;
  shape.network = network;
  shape.source = source;
  shape.targets = targets;
  shape.window = window;
  shape.width = width;
  return shape;
}

// Identities: one tap, any stride, pads and channel offset.
bool DrawIdentity(Draw& draw, ConvolutionShape& shape) {
  if (draw.OneIn(3)) shape.mean = DrawPool(draw, shape.source, true);
  const Extent view =
      shape.mean ? Seen(*shape.mean, shape.source, shape.source.channels()) : shape.source;
  const auto pad = [&] { return draw.Between(-1, 1); };
  const int32_t stride = draw.Between(1, 2);
  shape.window = Window(1, 1, stride, stride, pad(), pad(), pad(), pad(), 1, 1);
  if (draw.OneIn(2)) {
    shape.channel_offset = draw.Between(-static_cast<int32_t>(shape.source.channels()) + 1,
                                        static_cast<int32_t>(shape.targets) - 1);
  }
  if (draw.OneIn(4)) {
    shape.source = Extent(draw.Between(1U, 4U), shape.source.height(), shape.source.width());
    shape.image = true;
    shape.channel_offset = draw.Between(0, static_cast<int32_t>(shape.targets) - 1);
  }
  return Fits(shape.window, view);
}

std::vector<ConvolutionShape> ShortcutShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("ResNet-20", {16, 32, 32}, 16, format::UnitWindow()),
      Real("ResNet-20", {32, 16, 16}, 32, format::UnitWindow()),
      Real("ResNet-20", {64, 8, 8}, 64, format::UnitWindow()),
      Real("ResNet-20, to more channels", {16, 32, 32}, 32, Square(1, 2, 0)),
      Real("ResNet-18", {256, 14, 14}, 256, format::UnitWindow()),
  };
  shapes[3].channel_offset = 8;
  AddRandomShapes(DrawIdentity, shapes);
  return shapes;
}

void WritePair(const char* name, int32_t y, int32_t x, int32_t usual, std::ostream& out) {
  if (y == usual && x == usual) return;
  out << name << y;
  if (x != y) out << "x" << x;
}

std::string DescribeWindow(const Window& w) {
  std::ostringstream out;
  WritePair("", w.kernel_y(), w.kernel_x(), 0, out);
  WritePair(",stride=", w.stride_y(), w.stride_x(), 1, out);
  WritePair(",dilation=", w.dilation_y(), w.dilation_x(), 1, out);
  WritePair(",pads=", w.pad_top(), w.pad_left(), 0, out);
  if (w.pad_bottom() != w.pad_top() || w.pad_right() != w.pad_left()) {
    WritePair(",pads after=", w.pad_bottom(), w.pad_right(), -1, out);
  }
  return out.str();
}

std::string DescribeExtent(const Extent& e) {
  return std::to_string(e.height()) + "x" + std::to_string(e.width()) + "x" +
         std::to_string(e.channels());
}

}  // namespace

Window Square(int32_t kernel, int32_t stride, int32_t pad, int32_t dilation) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad, dilation, dilation};
}

std::string Describe(const ConvolutionShape& shape) {
  std::string text = DescribeExtent(shape.source) + "->" + std::to_string(shape.targets) +
                     ",kernel=" + DescribeWindow(shape.window);
  if (shape.mean) text += ",mean=" + DescribeWindow(*shape.mean);
  if (shape.spread_y != 1 || shape.spread_x != 1) {
    text += ",spread=" + std::to_string(shape.spread_y) + "x" + std::to_string(shape.spread_x);
  }
  if (shape.pool) text += ",pool=" + DescribeWindow(*shape.pool);
  if (shape.groups != 1) text += ",groups=" + std::to_string(shape.groups);
  if (shape.channel_offset != 0) text += ",offset=" + std::to_string(shape.channel_offset);
  if (shape.image) text += ",image";
  if (shape.width == WeightWidth::kWide) text += ",wide";
  if (shape.guard_columns != 0) text += ",guard=" + std::to_string(shape.guard_columns);
  return text;
}

std::string Describe(const NeuronShape& shape) {
  std::string text = DescribeExtent(shape.map);
  if (shape.pool) text += ",pool=" + DescribeWindow(*shape.pool);
  return text;
}

std::vector<ConvolutionShape> TileGatherShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("ResNet-20", {16, 32, 32}, 32, Square(3, 2, 1), WeightWidth::kWide),
      Real("VGG-16", {128, 16, 16}, 128, Square(3, 1, 1)),
      Real("ResNet-18", {256, 8, 8}, 256, Square(3, 1, 1)),
      Real("ResNet-50", {256, 14, 14}, 64, format::UnitWindow(), WeightWidth::kWide),
      Real("VGG-16, fully connected", {512, 1, 1}, 512, format::UnitWindow()),
      Real("ResNet-18, stem", {3, 33, 33}, 64, Square(7, 2, 3), WeightWidth::kWide),
  };
  shapes.back().image = true;
  shapes.back().pool = Square(3, 2, 1);
  AddRandomShapes(
      [](Draw& draw, ConvolutionShape& shape) {
        if (draw.OneIn(5)) {
          shape.groups = draw.Between(2U, 9U);
          const uint32_t height = shape.source.height();
          shape.source = Extent(shape.groups * draw.Between(1U, 24U), height, shape.source.width());
          shape.targets = shape.groups * draw.Between(1U, 24U);
        } else if (draw.OneIn(5)) {
          shape.source = Extent(draw.Between(1U, 4U), shape.source.height(), shape.source.width());
          shape.image = true;
        }
        if (draw.OneIn(4)) shape.mean = DrawPool(draw, shape.source, false);
        shape.window = DrawWindow(draw, ViewOf(shape), false);
        if (draw.OneIn(3)) shape.pool = DrawPool(draw, MapOf(shape), false);
        if (shape.width == WeightWidth::kWide && draw.OneIn(4)) {
          shape.largest_weight = static_cast<int>(kLargestIdentity);
        }
        if (draw.OneIn(4)) {
          shape.spread_y = draw.Between(1, 3);
          shape.spread_x = draw.Between(1, 3);
          shape.window = DrawWindow(draw, ViewOf(shape), false);
          if (shape.pool) shape.pool = DrawPool(draw, MapOf(shape), false);
        }
        return true;
      },
      shapes);
  return shapes;
}

std::vector<ConvolutionShape> RowScatterShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("ResNet-20", {16, 32, 32}, 16, Square(3, 1, 1), WeightWidth::kWide),
      Real("ResNet-20", {32, 16, 16}, 32, Square(3, 1, 1), WeightWidth::kWide),
      Real("ResNet-20", {64, 8, 8}, 64, Square(3, 1, 1), WeightWidth::kWide),
      Real("ResNet-20, stem", {3, 32, 32}, 16, Square(3, 1, 1), WeightWidth::kWide),
  };
  shapes.back().image = true;
  AddRandomShapes(
      [](Draw& draw, ConvolutionShape& shape) {
        if (draw.OneIn(5)) {
          shape.source = Extent(draw.Between(1U, 4U), shape.source.height(), shape.source.width());
          shape.image = true;
        }
        // With one position on an axis of the map, there is nothing to slide along.
        if (shape.source.height() < 2 || shape.source.width() < 2) return false;
        shape.window = DrawWindow(draw, shape.source, true);
        return MapOf(shape).height() > 1 && MapOf(shape).width() > 1;
      },
      shapes);
  return shapes;
}

std::vector<ConvolutionShape> DepthwiseShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("MobileNetV2", {96, 16, 16}, 96, Square(3, 1, 1), WeightWidth::kWide),
      Real("MobileNetV2", {144, 8, 8}, 144, Square(3, 2, 1), WeightWidth::kWide),
      Real("MobileNetV2", {384, 4, 4}, 384, Square(3, 1, 1), WeightWidth::kWide),
  };
  for (ConvolutionShape& shape : shapes) shape.groups = shape.targets;
  AddRandomShapes(
      [](Draw& draw, ConvolutionShape& shape) {
        if (shape.targets <= 16) return false;  // lines of several positions
        shape.source = Extent(shape.targets, shape.source.height(), shape.source.width());
        shape.groups = shape.targets;
        shape.width = WeightWidth::kWide;
        shape.window = DrawWindow(draw, shape.source, false);
        return true;
      },
      shapes);
  return shapes;
}

std::vector<ConvolutionShape> LevelConvShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("ResNet-20", {16, 32, 32}, 16, Square(3, 1, 1)),
      Real("ResNet-20", {16, 32, 32}, 32, Square(3, 2, 1)),
      Real("ResNet-20", {32, 16, 16}, 32, Square(3, 1, 1)),
      Real("ResNet-20", {64, 8, 8}, 64, Square(3, 1, 1)),
      Real("VGG-16", {256, 8, 8}, 256, Square(3, 1, 1)),
      Real("VGG-16", {512, 4, 4}, 512, Square(3, 1, 1)),
      Real("ResNet-50", {256, 14, 14}, 64, format::UnitWindow()),
  };
  AddRandomShapes(
      [](Draw& draw, ConvolutionShape& shape) {
        if (shape.targets <= 8) return false;  // narrower than a tile
        shape.width = WeightWidth::kNarrow;
        shape.window = DrawWindow(draw, shape.source, false);
        return true;
      },
      shapes);
  return shapes;
}

std::vector<ConvolutionShape> GroupedLevelShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("ResNeXt-50", {128, 8, 8}, 128, Square(3, 1, 1)),
      Real("ShuffleNet", {24, 8, 8}, 60, format::UnitWindow()),
      Real("MobileNetV1", {40, 6, 6}, 40, Square(3, 1, 1)),
      Real("LeNet", {6, 12, 12}, 8, Square(5, 1, 0)),
  };
  shapes[0].groups = 32;
  shapes[1].groups = 3;
  shapes[2].groups = 40;
  uint32_t groups = 0;
  AddRandomShapes(
      [&](Draw& draw, ConvolutionShape& shape) {
        shape.groups = groups++ % 4 + 1;
        shape.source =
            Extent((shape.source.channels() + shape.groups - 1) / shape.groups * shape.groups,
                   shape.source.height(), shape.source.width());
        shape.targets = (shape.targets + shape.groups - 1) / shape.groups * shape.groups;
        shape.window = DrawWindow(draw, shape.source, false);
        return true;
      },
      shapes);
  return shapes;
}

std::vector<ConvolutionShape> LevelDepthwiseShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("MobileNetV1", {8, 16, 16}, 8, Square(3, 1, 1)),
      Real("MobileNetV1", {16, 16, 16}, 16, Square(3, 1, 1)),
      Real("MobileNetV2", {32, 32, 32}, 32, Square(3, 1, 1)),
      Real("MobileNetV2", {192, 14, 14}, 192, Square(3, 1, 1)),
      Real("MobileNetV2", {960, 7, 7}, 960, Square(3, 1, 1)),
      Real("MobileNetV2", {144, 8, 8}, 144, Square(3, 2, 1)),
      Real("MobileNetV2", {144, 28, 28}, 144, Square(3, 2, 1)),
      Real("MNASNet", {72, 14, 14}, 72, Square(5, 1, 2)),
      Real("MNASNet", {72, 8, 8}, 72, Square(5, 2, 2)),
  };
  for (ConvolutionShape& shape : shapes) shape.groups = shape.targets;
  AddRandomShapes(
      [](Draw& draw, ConvolutionShape& shape) {
        shape.source = Extent(shape.targets, shape.source.height(), shape.source.width());
        shape.groups = shape.targets;
        shape.window = DrawWindow(draw, shape.source, false);
        if (draw.OneIn(2)) return true;
        // What most networks have, and kernels have code of its own for.
        const int32_t side = draw.OneIn(3) ? 5 : 3;
        shape.window = Square(side, draw.Between(1, 2), draw.Between(0, side - 1));
        return Fits(shape.window, shape.source);
      },
      shapes);
  return shapes;
}

std::vector<ConvolutionShape> EventShortcutShapes() { return ShortcutShapes(); }

std::vector<ConvolutionShape> LevelShortcutShapes() { return ShortcutShapes(); }

std::vector<NeuronShape> NeuronShapes() {
  std::vector<NeuronShape> shapes = {
      {"ResNet-20", {16, 32, 32}, std::nullopt, 0},
      {"ResNet-20", {32, 16, 16}, std::nullopt, 0},
      {"ResNet-20", {64, 8, 8}, std::nullopt, 0},
      {"VGG-16", {64, 32, 32}, Square(2, 2, 0), 0},
      {"VGG-16", {512, 4, 4}, std::nullopt, 0},
      {"ResNet-18, stem", {64, 16, 16}, Square(3, 2, 1), 0},
  };
  for (uint32_t seed = 0; seed < kRandomShapes; ++seed) {
    Draw draw(seed);
    NeuronShape shape;
    shape.map = DrawExtent(draw);
    shape.guard_columns = draw.Between(0U, 8U);
    if (draw.OneIn(2)) shape.pool = DrawPool(draw, shape.map, draw.OneIn(2));
    shapes.push_back(shape);
  }
  return shapes;
}

std::vector<ConvolutionShape> ReadoutShapes() {
  std::vector<ConvolutionShape> shapes = {
      Real("ResNet-20", {64, 8, 8}, 10, format::UnitWindow()),
      Real("VGG-16", {512, 1, 1}, 1000, format::UnitWindow()),
  };
  shapes[0].mean = Square(8, 1, 0);
  AddRandomShapes(
      [](Draw& draw, ConvolutionShape& shape) {
        if (draw.OneIn(2)) shape.mean = DrawPool(draw, shape.source, true);
        const Extent view =
            shape.mean ? Seen(*shape.mean, shape.source, shape.source.channels()) : shape.source;
        shape.window = DrawWindow(draw, view, false);
        return MapOf(shape).height() == 1 && MapOf(shape).width() == 1 &&
               WorkOf(shape) < kMostWork / 8;
      },
      shapes);
  return shapes;
}

}  // namespace cssrun::internal
