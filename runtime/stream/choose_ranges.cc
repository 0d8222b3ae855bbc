#include "runtime/stream/choose_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <variant>

#include "runtime/integer/step.h"

namespace cssrun::internal {
namespace {

constexpr size_t kBandBytes = size_t{16} << 10;
constexpr size_t kBandWeights = size_t{128} << 10;  // with more, kMostBandRows
// With Winograd's products. Each band computes the factors that it reads, two rows of which its
// neighbours read, too. 4 rows take as long as 8, 1 row up to 5 % longer (Zen 4).
constexpr uint32_t kWinogradBandRows = 8;

}  // namespace

uint32_t ColumnsTogether(const IntegerLayer& layer, bool in_registers) {
  const uint32_t columns = in_registers ? 1 : layer.membranes.lanes.positions();
  return WinogradRoomOf(layer) > 0 ? std::max(columns, kPairColumns) : columns;
}

uint32_t BandRowsOf(const IntegerLayer& layer, const LevelLayout& levels) {
  for (const IntegerSynapses& s : layer.synapses) {
    const auto* conv = std::get_if<LevelConv>(&s.kernel);
    if (conv != nullptr && conv->size() > kBandWeights) return kMostBandRows;
  }
  if (WinogradRoomOf(layer) > 0) return kWinogradBandRows;
  if (levels.row_size == 0) return kMostBandRows;
  const size_t rows = kBandBytes / levels.row_size;
  return static_cast<uint32_t>(std::clamp<size_t>(rows, 1, kMostBandRows));
}

// Beginning a range costs as much as a hundred vectors of products (40 and 110 are equally fast on
// Zen 4; 0 costs 5 to 10 %).
uint32_t GapOf(const IntegerLayer& layer) {
  constexpr double kRange = 100;
  constexpr double kLargestGap = 16;
  double vectors = 1;  // of products in a column
  if (layer.pixel_conv.has_value()) {
    vectors += static_cast<double>(layer.pixel_conv->size()) / (kTileTargets * kQuad);
  }
  for (const IntegerSynapses& s : layer.synapses) {
    if (const auto* conv = std::get_if<LevelConv>(&s.kernel)) {
      vectors += static_cast<double>(conv->size()) / (kTileTargets * kQuad);
    } else if (const auto* depthwise = std::get_if<LevelDepthwise>(&s.kernel)) {
      vectors += static_cast<double>(depthwise->taps() * depthwise->blocks * depthwise->lanes) /
                 kTileTargets;
    }
  }
  return static_cast<uint32_t>(std::min(kLargestGap, std::round(kRange / vectors)));
}

}  // namespace cssrun::internal
