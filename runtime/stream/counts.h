// Counts of a stream: what changed and, if asked for, its synapses and the spikes and SyOPs that a
// full run would count. The latter are kept for groups of rows, so that unchanged rows cost
// nothing.
#ifndef CSSRUN_RUNTIME_STREAM_COUNTS_H_
#define CSSRUN_RUNTIME_STREAM_COUNTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/integer/layer_state.h"
#include "runtime/network/loaded_network.h"
#include "runtime/position_bits.h"

namespace cssrun::internal {

class StreamCounts {
 public:
  // `levels_alone`: by layer. Without `all`, only changes are counted, and all other numbers are 0.
  StreamCounts(const LoadedNetwork& network, const std::vector<bool>& levels_alone, bool all);

  bool all() const { return all_; }

  void StartFrame();
  // Adds the changed neurons of row `row` of a layer: a bit each, read only with all(), and their
  // number. Several threads may call it for different rows.
  void AddChanges(size_t layer, size_t row, std::span<const uint32_t> changed, uint64_t count,
                  LayerState& state);
  // All rows of a layer are done; `changed`: its positions that changed.
  void FinishLayer(size_t layer, const LayerState& state, const PositionBits& changed);

  uint64_t changed(size_t layer) const { return of_layer_[layer].changed; }
  uint64_t updates(size_t layer) const { return of_layer_[layer].updates; }
  // All synapses into a layer.
  uint64_t synapses(size_t layer) const { return of_layer_[layer].synapses; }
  uint64_t spikes(size_t layer) const { return of_layer_[layer].spikes; }
  uint64_t synops(size_t layer) const { return of_layer_[layer].synops; }

 private:
  struct OfLayer {
    std::atomic<uint64_t> changed = 0;
    std::atomic<uint64_t> updates = 0;
    uint64_t synapses = 0;
    uint64_t spikes = 0;
    uint64_t synops = 0;
  };
  // A target of a layer's spikes.
  struct Reader {
    size_t layer = 0;
    const FanOut* fan_out = nullptr;
    const ReadoutSynapses* readout = nullptr;  // if there is no fan_out
    std::vector<uint64_t> band_synops;         // by kCountedRows source rows; of a fan_out
  };

  const LoadedNetwork& network_;
  const std::vector<bool>& levels_alone_;
  const bool all_;
  std::vector<OfLayer> of_layer_;
  std::vector<std::vector<Reader>> readers_;  // by source
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_COUNTS_H_
