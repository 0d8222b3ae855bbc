// Implements cssrun/stream.h: computes a frame from the frame before.
//
// The integer engine's frames of levels and spikes keep what each layer sent last. For a new frame,
// layer after layer:
//
//     what changed in its sources     bits of positions, PositionBits
//     what sees that                  ranges of touched positions in each row, TouchedRanges
//     computed anew                   as in a full run, of these ranges, some rows at a time
//     compared with what was kept     what differs is copied, and its positions have changed
//
// Sums are whole numbers, and each potential is computed by the same operations as in a full run,
// so the bits are the same.
#ifndef CSSRUN_RUNTIME_STREAM_STREAM_ENGINE_H_
#define CSSRUN_RUNTIME_STREAM_STREAM_ENGINE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cssrun/stream.h"
#include "runtime/engine/input.h"
#include "runtime/integer/integer_engine.h"
#include "runtime/integer/neurons/dead_zone.h"
#include "runtime/network/loaded_network.h"
#include "runtime/stream/changes.h"
#include "runtime/stream/counts.h"
#include "runtime/stream/kept_picture.h"
#include "runtime/stream/touched.h"
#include "runtime/stream/whole_frames.h"

namespace cssrun::internal {

class StreamEngine : private IntegerEngine {
 public:
  // `network` passes CheckStream() and outlives this. Throws std::bad_alloc.
  StreamEngine(const LoadedNetwork& network, const StreamOptions& options,
               const ThreadSharing& sharing = {});

  // The frame has the network's size. Errors: kCancelled. Throws std::bad_alloc. After either the
  // caller calls Reset().
  Status Next(const Input& frame, StreamAnswer& answer);
  // The addresses are in range.
  Status Next(std::span<const ChangedPixel> changes, StreamAnswer& answer);
  void Reset() { picture_.Reset(); }
  bool empty() const { return picture_.empty(); }

  // For tests: what a layer sent for the last frame.
  using IntegerEngine::levels;
  using IntegerEngine::sends_levels_alone;
  std::span<const SpikeFrame> spikes(size_t layer) const { return states_[layer].spikes; }
  // Whether the kernel that sums writes bounds beside the levels, for the dead zone: see
  // LevelBounds. Otherwise potentials are replaced, see dead_zone.h. False for a first frame.
  bool WritesBounds(size_t layer) const;

 private:
  // Of one layer.
  struct StreamState {
    // The new spikes of a layer whose spikes are read, before they are compared with the kept ones;
    // levels alone go into the bands of threads.
    LevelFrame levels;
    std::vector<SpikeFrame> spikes;
    uint32_t band_rows = 0;           // that are computed before they are compared
    std::vector<Reach> direct_reach;  // by direct synapses
    PositionBits touched;             // of the map
    TouchedRanges ranges;
    // For what pools send; unset without pools.
    std::optional<Reach> pool_reach;
    PositionBits pool_touched;
    TouchedRanges pool_ranges;
    uint64_t touched_positions = 0;
    // Of this frame: ReadKept() brings what is compared into the cache, since no kernel does.
    bool reads_kept = false;

    const RowRanges& sent() const {
      return pool_reach.has_value() ? pool_ranges.ranges() : ranges.ranges();
    }
    PositionBits changed;
    bool any_changed = false;  // always on a first frame
    // Only with a dead zone, for layers that write digits: see DeadZone.
    DeadZone dead_zone;
    std::vector<int16_t> potentials, carried;
    LayerStatistics readout;  // of the last frame that it was computed for
  };

  StreamState MakeStreamState(size_t layer) const;
  void AddDeadZone(size_t layer, StreamState& state) const;
  Status RunFrame(bool first, StreamAnswer& answer);
  // Runs the frame as a session runs an image.
  Status RunWhole(StreamAnswer& answer);
  void FillAnswer(StreamAnswer& answer);
  // Counts and a dead zone need what the frame before sent.
  bool MayRunWhole() const { return !counts_.all() && stream_options_.dead_zone == 0; }
  // What the last frame computed of a full run's products, from 0 to 1.
  double ShareOfWork() const;
  void TakePixels();
  // Takes pixels as bytes where the first layer sums them.
  void TakeBytes(const Input& input);
  bool SourceChanged(size_t source) const { return whole_ || streams_[source].any_changed; }
  void RunLayer(size_t layer);
  void RunReadout(size_t layer);
  // Returns whether anything of the layer is touched.
  bool TouchLayer(size_t layer);
  // Calls run(layer, first, last) for all of `rows`, with all threads if it pays.
  void InBands(size_t layer, uint32_t rows,
               void (StreamEngine::*run)(size_t layer, uint32_t first, uint32_t last));
  // Run some rows of a layer's map, and of what its pools send.
  void RunRows(size_t layer, uint32_t first_row, uint32_t last_row);
  void PoolRows(size_t layer, uint32_t first_row, uint32_t last_row);
  // Settles rows of the map that are all touched, or any rows of a layer that takes no events.
  void SettleRows(size_t layer, uint32_t first_row, uint32_t last_row);
  SettlingStep StreamStepOf(size_t layer);
  void ReadKept(size_t layer, uint32_t first_row, uint32_t last_row) const;
  // A frame that runs whole has no kept levels to compare with.
  bool IsKeptAtOnce(size_t layer) const { return whole_ && levels_alone_[layer]; }
  void CompareRows(size_t layer, uint32_t first_row, uint32_t last_row);
  uint64_t TakeRowChanges(size_t layer, uint32_t row, const ColumnRange& range,
                          const RowChanges& changes);

  const StreamOptions stream_options_;
  KeptPicture picture_;
  std::vector<StreamState> streams_;  // by layer
  // By thread: levels alone of some rows with their bounds, and the changed neurons of a row.
  std::vector<LevelFrame> bands_;
  size_t bounds_apart_ = 0;  // in bands, see LevelBounds; 0: there is no dead zone
  std::vector<std::vector<uint32_t>> row_changes_;
  StreamCounts counts_;
  uint64_t frame_ = 0;
  WholeFrames whole_frames_;
  Answer whole_answer_;  // scratch
  bool whole_ = true;    // nothing is kept of the frame before: it is a first one, or runs whole
  bool other_pixels_ = false;  // bytes where the last frame had floats, or the reverse
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_STREAM_ENGINE_H_
