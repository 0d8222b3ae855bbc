#include "runtime/float/float_layer.h"

#include <algorithm>

#include "format/geometry.h"
#include "runtime/assert.h"

namespace cssrun::internal {

uint64_t CountSynops(const SynapseLayout& synapses, const EventFrame& events) {
  uint64_t synops = 0;
  const bool clipped = synapses.kind == format::SynapseKind::Identity;
  const ChannelRange range = clipped ? IdentityChannels(synapses) : ChannelRange();
  for (size_t position = 0; position < synapses.fan_out.size(); ++position) {
    uint64_t count = events.count(position);
    if (clipped && count != 0) {
      const uint16_t* first = events.channels.data() + events.bounds[2 * position];
      count = static_cast<uint64_t>(std::count_if(first, first + count, [&](uint16_t channel) {
        return channel >= range.first && channel < range.last;
      }));
    }
    synops += count * synapses.fan_out[position];
  }
  return synops;
}

void ReserveTaps(const FloatLayer& layer, TapScratch& taps) {
  const auto members = [](const format::Window& w) {
    return static_cast<size_t>(w.kernel_y()) * static_cast<size_t>(w.kernel_x());
  };
  for (const SynapseLayout& s : layer.synapses) {
    const size_t seen = s.average.has_value() ? members(*s.average) : 1;
    // A file may have windows that are far larger than its maps: most of their taps never exist,
    // so the room for them is limited. TapScratch grows where that is too little.
    constexpr size_t kMostReserved = 1 << 16;
    taps.taps.reserve(std::min(members(s.window), kMostReserved) * std::min<size_t>(seen, 64));
    if (!TakesWholeRows(s)) continue;
    taps.tap_rows.reserve(std::min<size_t>(s.window.kernel_y(), kMostReserved));
    taps.rows.reserve(Neurons(s.source_extent));
  }
}

void CopyPlanar(const format::Extent& extent, const ChannelBlocks& blocks, const float* membranes,
                std::span<float> planar) {
  CSSRUN_ASSERT(planar.size() == Neurons(extent));
  const size_t positions = Positions(extent);
  const size_t stride = blocks.stride();
  for (size_t channel = 0; channel < extent.channels(); ++channel) {
    float* to = planar.data() + channel * positions;
    for (size_t p = 0; p < positions; ++p) to[p] = membranes[p * stride + channel];
  }
}

}  // namespace cssrun::internal
