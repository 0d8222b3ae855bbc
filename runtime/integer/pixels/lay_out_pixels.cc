#include "runtime/integer/pixels/lay_out_pixels.h"

#include <algorithm>
#include <span>
#include <variant>
#include <vector>

#include "format/geometry.h"
#include "runtime/integer/choose_kernel.h"

namespace cssrun::internal {

void BuildPixelConv(const PixelSource& source, const format::Node& node, const TargetLayer& target,
                    IntegerLayer& layer) {
  constexpr size_t kMostClasses = 1024;  // of positions; kernels of 3, 5, 7 have 9 to 49
  if (node.synapses()->size() != 1) return;
  const format::Synapses& s = *node.synapses()->Get(0);
  if (s.source() != 0 || s.kind() != format::SynapseKind::Convolution || s.average() != nullptr ||
      format::IsSpread(s)) {
    return;
  }
  const WholePixels& pixels = *source.integers.pixels;
  PixelConvShape shape;
  const Connection connection = Connect(source.file, s, source.integers.layouts.front(), target);
  const std::span<const float> given = connection.of_file.numbers;
  shape.conv = LevelConvShapeOf(connection, target);
  shape.zeros = pixels.zero;
  const size_t sources = shape.conv.source.channels() / s.groups();
  const size_t targets = target.channels() / s.groups();
  const size_t taps = given.size() / target.channels() / sources;
  std::vector<float> weights;
  std::vector<double> zeros;
  for (size_t i = 0; i < given.size(); ++i) {
    const size_t c = i / (taps * sources) / targets * sources + i / taps % sources;
    weights.push_back(static_cast<float>(static_cast<double>(given[i]) * pixels.step[c]));
    zeros.push_back(pixels.zero[c]);
  }
  const PixelScales chosen = ChoosePixelScales(weights, target.channels(), zeros);
  if (chosen.scales.empty() || PixelClasses(shape) > kMostClasses ||
      IsTooLarge(LevelBytes(shape.conv), Neurons(shape.conv.source))) {
    return;
  }
  shape.planes = chosen.planes;
  layer.pixel_conv = MakePixelConv(shape, {weights.data(), chosen.scales});
  layer.scales = chosen.scales;
  std::get<SettledNeurons>(layer.neurons).scale =
      FloatScale(source.code, chosen.scales, layer.membranes);
}

void LayOutPixels(const format::Network& network, IntegerNetwork& integers) {
  const format::Extent& image = *network.nodes()->Get(0)->extent();
  const size_t pixels = size_t{image.width()} * integers.layouts.front().stride();
  uint32_t before = 0;
  auto end = static_cast<uint32_t>(RoundUpToLines(pixels));
  bool read = false;
  for (const IntegerLayer& layer : integers.layers) {
    if (!layer.pixel_conv.has_value()) continue;
    read = true;
    before = std::max(before, layer.pixel_conv->left);
    end = std::max(end, layer.pixel_conv->right);
  }
  if (!read) integers.pixels.reset();
  integers.pixel_layout = {before, before + end, 0};
}

}  // namespace cssrun::internal
