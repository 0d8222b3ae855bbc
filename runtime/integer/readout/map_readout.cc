#include "runtime/integer/readout/map_readout.h"

#include <algorithm>
#include <utility>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/float/float_layer.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

void ToEvents(const SpikeFrame& spikes, const format::Extent& extent, size_t stride,
              EventFrame& events) {
  CSSRUN_ASSERT(spikes.rows() == extent.height());
  CSSRUN_ASSERT(events.bounds.size() == 2 * Positions(extent) + 1);
  uint32_t count = 0;
  uint32_t* bounds = events.bounds.data();
  for (size_t y = 0; y < extent.height(); ++y) {
    const uint64_t* words = spikes.Row(y);
    for (size_t x = 0; x < extent.width(); ++x) {
      for (const size_t shift : {size_t{0}, size_t{kLineLanes}}) {
        *bounds++ = count;
        for (size_t c = 0; c < extent.channels(); ++c) {
          const size_t number = x * stride + c;
          const uint64_t bit = words[number / kLineLanes] >> (number % kLineLanes + shift) & 1;
          if (bit != 0) events.channels[count++] = static_cast<uint16_t>(c);
        }
      }
    }
  }
  *bounds = count;
}

MapReadoutState::MapReadoutState(const Layer& layer, const FloatLayer& floats,
                                 std::vector<MapSource*> sources)
    : layer_(layer), floats_(floats), sources_(std::move(sources)) {
  CSSRUN_ASSERT(sources_.size() == floats.synapses.size());
  const size_t size = Positions(layer.potential) * floats.blocks.stride();
  membranes_ = AllocateAligned<float>(size);
  if (!layer.direct.empty()) direct_ = AllocateAligned<float>(size);
  ReserveTaps(floats, taps_);
}

void MapReadoutState::SetImage(std::span<const std::span<const float>> images) {
  CSSRUN_ASSERT(images.size() == layer_.direct.size());
  if (direct_ == nullptr) return;
  const size_t stride = floats_.blocks.stride();
  const size_t row_size = layer_.potential.width() * stride;
  std::fill_n(direct_.get(), layer_.potential.height() * row_size, 0.0F);
  for (size_t s = 0; s < images.size(); ++s) {
    for (uint32_t row = 0; row < layer_.potential.height(); ++row) {
      AddDirectRow(layer_.direct[s], images[s], row, stride, direct_.get() + row * row_size);
    }
  }
}

void MapReadoutState::Reset() {
  const size_t stride = floats_.blocks.stride();
  const size_t positions = Positions(layer_.potential);
  std::fill_n(membranes_.get(), positions * stride, 0.0F);
  if (layer_.initial_potential == 0) return;
  for (size_t p = 0; p < positions; ++p) {
    std::fill_n(membranes_.get() + p * stride, layer_.potential.channels(),
                layer_.initial_potential);
  }
}

void MapReadoutState::Grow() {
  IntegrateLayer(layer_, floats_.blocks, floats_.bias.get(), {membranes_.get(), nullptr});
  if (direct_ == nullptr) return;
  const size_t size = Positions(layer_.potential) * floats_.blocks.stride();
  for (size_t i = 0; i < size; ++i) membranes_[i] += direct_[i];
}

uint64_t MapReadoutState::Add(size_t index, const SpikeFrame& spikes, size_t stride) {
  CSSRUN_ASSERT(index < sources_.size());
  MapSource& source = *sources_[index];
  ToEvents(spikes, source.extent, stride, source.events);
  Accumulate(floats_.synapses[index], source.events, taps_, membranes_.get());
  return CountSynops(floats_.synapses[index], source.events);
}

void MapReadoutState::CopyPotentials(std::span<float> potentials) const {
  CopyPlanar(layer_.extent, floats_.blocks, membranes_.get(), potentials);
}

}  // namespace cssrun::internal
