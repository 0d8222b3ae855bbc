#include "runtime/stream/stream_engine.h"

#include <algorithm>
#include <chrono>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/geometry/source_view.h"
#include "runtime/seconds_since.h"
#include "runtime/stream/choose_ranges.h"

namespace cssrun::internal {
namespace {

using Clock = std::chrono::steady_clock;
using format::NodeKind;

SessionOptions OptionsOf(const StreamOptions& options) {
  SessionOptions session;
  session.threads = options.threads;
  session.cancel = options.cancel;
  return session;
}

}  // namespace

StreamEngine::StreamEngine(const LoadedNetwork& network, const StreamOptions& options,
                           const ThreadSharing& sharing)
    : IntegerEngine(network, OptionsOf(options), sharing),
      stream_options_(options),
      picture_(network.layers.front().extent, options.hold),
      counts_(network, levels_alone_, options.statistics || options.profile) {
  size_t most_lines = 0;
  size_t most_levels = 0;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    streams_.push_back(MakeStreamState(i));
    const size_t neurons = size_t{network.layers[i].extent.width()} * integers_.layouts[i].stride();
    most_lines = std::max(most_lines, RoundUpToLines(neurons) / kLineLanes);
    const size_t band = size_t{streams_[i].band_rows} * integers_.level_layouts[i].row_size;
    most_levels = std::max(most_levels, band);
  }
  // From here on, the frames that a dead zone refers to stay at their addresses.
  for (size_t i = 0; i < streams_.size(); ++i) AddDeadZone(i, streams_[i]);
  bands_.resize(workers_.size());
  if (options.dead_zone > 0) bounds_apart_ = most_levels;
  for (LevelFrame& band : bands_) band.levels.resize(most_levels + 2 * bounds_apart_);
  row_changes_.assign(workers_.size(), std::vector<uint32_t>(most_lines));
}

StreamEngine::StreamState StreamEngine::MakeStreamState(size_t index) const {
  const Layer& layer = network_.layers[index];
  StreamState state;
  if (layer.kind != NodeKind::Neurons) return state;
  const IntegerLayer& integers = integers_.layers[index];
  const LayerState& kept = states_[index];
  state.band_rows = BandRowsOf(integers, integers_.level_layouts[index]);
  if (!levels_alone_[index]) {
    state.spikes = kept.spikes;
    if (!kept.levels.empty()) {
      state.levels = LevelFrame(layer.extent.height(), integers_.level_layouts[index]);
    }
  }
  for (const DirectSynapses& s : layer.direct) {
    const format::Window* mean = s.average.has_value() ? &*s.average : nullptr;
    const SourceView view = ViewSource(mean, s.spread_y, s.spread_x, s.source);
    state.direct_reach.push_back(ReachOf(view, s.source, s.window, layer.potential));
  }
  const bool events = !integers.idle_until_last_step();
  const bool pooled = integers.pools.windows.has_value();
  const bool in_registers =
      levels_alone_[index] && !pooled && integers.settled()->sums == SettledSums::kFusedLevels;
  const format::Extent& map = layer.potential;
  const format::Extent& sent = layer.extent;
  state.touched = PositionBits(map.height(), map.width());
  state.ranges = TouchedRanges(map.height(), map.width(),
                               {events, ColumnsTogether(integers, in_registers), GapOf(integers)});
  state.changed = PositionBits(sent.height(), sent.width());
  if (!pooled) return state;
  state.pool_reach = ReachOfPools(map, integers.pools.windows->y, integers.pools.windows->x, sent);
  state.pool_touched = state.changed;
  const uint32_t of_line = integers.membranes.lanes.positions();
  state.pool_ranges = TouchedRanges(sent.height(), sent.width(), {false, of_line, 1});
  return state;
}

void StreamEngine::AddDeadZone(size_t layer, StreamState& state) const {
  if (stream_options_.dead_zone == 0 || network_.layers[layer].kind != NodeKind::Neurons) return;
  DeadZone& zone = state.dead_zone;
  zone.timesteps = network_.timesteps;
  zone.negative_spikes = network_.negative_spikes;
  zone.columns = network_.layers[layer].extent.width();
  if (levels_alone_[layer]) {
    zone.levels = &states_[layer].levels;
    return;
  }
  const size_t neurons = zone.columns * integers_.layouts[layer].stride();
  const size_t size = network_.layers[layer].extent.height() * RoundUpToLines(neurons);
  state.potentials.resize(size);
  state.carried.resize(size);
  zone.potentials = state.potentials.data();
  zone.carried = state.carried.data();
}

Status StreamEngine::Next(const Input& frame, StreamAnswer& answer) {
  const Clock::time_point start = Clock::now();
  Status status = team_.Run([&] { return RunFrame(picture_.Take(frame), answer); });
  answer.seconds = SecondsSince(start);
  return status;
}

Status StreamEngine::Next(std::span<const ChangedPixel> changes, StreamAnswer& answer) {
  const Clock::time_point start = Clock::now();
  picture_.Take(changes);
  Status status = team_.Run([&] { return RunFrame(false, answer); });
  answer.seconds = SecondsSince(start);
  return status;
}

Status StreamEngine::RunFrame(bool first, StreamAnswer& answer) {
  frame_ = first ? 0 : frame_ + 1;
  if (first) whole_frames_.Reset();
  whole_ = first || (MayRunWhole() && whole_frames_.Takes(picture_.changed()));
  counts_.StartFrame();
  answer.layers.assign(network_.layers.size(), StreamLayer());
  if (whole_ && MayRunWhole()) return RunWhole(answer);
  for (size_t i = 0; i < network_.layers.size(); ++i) {
    if (stream_options_.cancel != nullptr && stream_options_.cancel->load()) {
      return Status::Cancelled("cancelled at layer " + network_.layer_infos[i].name);
    }
    const Clock::time_point start = Clock::now();
    switch (network_.layers[i].kind) {
      case NodeKind::Neurons:
        RunLayer(i);
        break;
      case NodeKind::Encoder:
        TakePixels();
        break;
      default:
        RunReadout(i);
    }
    if (stream_options_.profile) answer.layers[i].seconds = SecondsSince(start);
  }
  CopyOutputs(answer.logits);
  FillAnswer(answer);
  if (MayRunWhole()) whole_frames_.Compared(ShareOfWork());
  return Status::Ok();
}

Status StreamEngine::RunWhole(StreamAnswer& answer) {
  if (Status status = RunLoop(picture_.input(), whole_answer_); !status.ok()) return status;
  answer.logits = whole_answer_.logits;
  FillAnswer(answer);
  return Status::Ok();
}

double StreamEngine::ShareOfWork() const {
  double done = 0;
  double all = 0;
  for (size_t i = 0; i < network_.layers.size(); ++i) {
    if (network_.layers[i].kind != NodeKind::Neurons) continue;
    const auto work = static_cast<double>(WorkOf(network_.layers[i], integers_.layers[i]));
    done += work * static_cast<double>(streams_[i].touched_positions) /
            static_cast<double>(Positions(network_.layers[i].extent));
    all += work;
  }
  return all > 0 ? done / all : 0;
}

void StreamEngine::FillAnswer(StreamAnswer& answer) {
  answer.frame = frame_;
  answer.whole = whole_;
  answer.neurons = answer.changed = answer.updates = answer.synops = 0;
  answer.changed_pixels = picture_.changed_numbers();
  answer.layers.front().neurons = Neurons(network_.layers.front().extent);
  answer.layers.front().changed = answer.changed_pixels;
  answer.layers.front().spikes = counts_.spikes(0);
  for (size_t i = 1; i < answer.layers.size(); ++i) {
    StreamLayer& layer = answer.layers[i];
    layer.updates = whole_ ? counts_.synapses(i) : counts_.updates(i);
    layer.synops = counts_.synops(i) + (counts_.all() ? streams_[i].readout.synops : 0);
    layer.spikes = counts_.spikes(i);
    if (network_.layers[i].kind == NodeKind::Neurons) {
      layer.neurons = Neurons(network_.layers[i].extent);
      layer.changed = whole_ ? layer.neurons : counts_.changed(i);
      layer.touched = whole_ ? layer.neurons
                             : streams_[i].touched_positions * network_.layers[i].extent.channels();
    }
    answer.neurons += layer.neurons;
    answer.changed += layer.changed;
    answer.updates += layer.updates;
    answer.synops += layer.synops;
  }
}

void StreamEngine::TakePixels() {
  StreamState& stream = streams_.front();
  stream.any_changed = picture_.changed_numbers() > 0;
  other_pixels_ = false;
  if (!SourceChanged(0)) return;
  const Input input = picture_.input();
  LayerState& state = states_.front();
  const PositionBits& changed = picture_.changed();
  if (!network_.direct_input.has_value()) {
    for (uint32_t index = 0; index < network_.timesteps; ++index) {
      trains_->Encode(input, index, state.spikes[index]);
      CountSpikes(state.spikes[index]);
    }
    if (!state.levels.empty()) FillLevels(state.spikes, state.levels);
    counts_.FinishLayer(0, state, changed);
    return;
  }
  const format::Extent& image = network_.layers.front().extent;
  TakeBytes(input);
  if (pixels_are_bytes_ && !needs_floats_) return;
  for (size_t row = 0; row < changed.rows(); ++row) {
    if (!changed.AnyInRow(row) && !other_pixels_) continue;
    network_.direct_input->ApplyRow(input, image, row, image_);
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    const Layer& layer = network_.layers[i];
    for (size_t s = 0; s < layer.direct.size(); ++s) {
      states_[i].images[s] = SeenImage(layer.direct[s], image_, states_[i].image_rooms[s]);
    }
  }
}

void StreamEngine::TakeBytes(const Input& input) {
  if (!integers_.pixels.has_value()) return;
  const bool were_bytes = pixels_are_bytes_ && frame_ > 0;
  const format::Extent& image = network_.layers.front().extent;
  if (input.kind == InputKind::kBytes && were_bytes) {
    const PositionBits& changed = picture_.changed();
    for (size_t row = 0; row < changed.rows(); ++row) {
      if (!changed.AnyInRow(row)) continue;
      WritePixelRow(*integers_.pixels, input, image, integers_.layouts.front(), row, pixels_);
    }
    return;
  }
  pixels_are_bytes_ =
      WritePixels(*integers_.pixels, input, image, integers_.layouts.front(), pixels_);
  other_pixels_ = pixels_are_bytes_ != were_bytes;
}

bool StreamEngine::TouchLayer(size_t index) {
  StreamState& stream = streams_[index];
  bool any = whole_;
  const auto touch = [&](size_t source, const Reach& reach) {
    if (whole_ || !streams_[source].any_changed) return;
    if (!any) stream.touched.Clear();
    any = true;
    Touch(source == 0 ? picture_.changed() : streams_[source].changed, reach, stream.touched);
  };
  for (const IntegerSynapses& s : integers_.layers[index].synapses) touch(s.source, s.reach);
  for (const Reach& reach : stream.direct_reach) touch(0, reach);
  const bool all = whole_ || (other_pixels_ && integers_.layers[index].pixel_conv.has_value());
  any = any || all;
  if (all) stream.touched.SetAll();
  if (!any || !stream.ranges.Set(stream.touched)) return false;
  if (!stream.pool_reach.has_value()) return true;
  stream.pool_touched.Clear();
  if (all) {
    stream.pool_touched.SetAll();
  } else {
    Touch(stream.touched, *stream.pool_reach, stream.pool_touched);
  }
  stream.pool_ranges.Set(stream.pool_touched);
  // Also updates potentials that no pool sees: telling them apart is not worth it.
  return true;
}

void StreamEngine::RunLayer(size_t index) {
  StreamState& stream = streams_[index];
  stream.any_changed = false;
  stream.touched_positions = 0;
  if (!TouchLayer(index)) return;
  stream.touched_positions =
      stream.pool_reach.has_value() ? stream.pool_ranges.positions() : stream.ranges.positions();
  stream.changed.Clear();
  if (stream_options_.dead_zone > 0) {
    stream.dead_zone.limit =
        whole_ ? int16_t{-1} : DeadZoneLimit(stream_options_.dead_zone, network_.timesteps);
  }
  stream.reads_kept = levels_alone_[index] && !IsKeptAtOnce(index) &&
                      !stream.pool_reach.has_value() && !PrefetchesLevels(StreamStepOf(index));
  const Layer& layer = network_.layers[index];
  InBands(index, layer.potential.height(), &StreamEngine::RunRows);
  if (stream.pool_reach.has_value()) {
    InBands(index, layer.extent.height(), &StreamEngine::PoolRows);
  }
  stream.any_changed = counts_.changed(index) > 0;
  counts_.FinishLayer(index, states_[index], stream.changed);
}

void StreamEngine::InBands(size_t layer, uint32_t rows,
                           void (StreamEngine::*run)(size_t layer, uint32_t first, uint32_t last)) {
  // Several threads take fewer rows at once, so that all are busy equally long.
  const bool shared =
      team_.threads() > 1 && integers_.layers[layer].work >= sharing_.fewest_synapses;
  const uint32_t most = streams_[layer].band_rows;
  const uint32_t size = shared ? std::min(most, kMostBandRows / 2) : most;
  const auto run_band = [&](uint32_t band) {
    const uint32_t first = band * size;
    (this->*run)(layer, first, std::min(rows, first + size));
  };
  const uint32_t bands = (rows + size - 1) / size;
  if (shared) return team_.ForEach(bands, run_band);
  for (uint32_t band = 0; band < bands; ++band) run_band(band);
}

void StreamEngine::RunRows(size_t layer, uint32_t first_row, uint32_t last_row) {
  bands_[team_.thread()].StartAt(first_row, integers_.level_layouts[layer]);
  const RowRanges& ranges = streams_[layer].ranges.ranges();
  if (streams_[layer].reads_kept) ReadKept(layer, first_row, last_row);
  // Event kernels add to every row of a part.
  const bool all_touched = !integers_.layers[layer].idle_until_last_step();
  for (uint32_t row = first_row; row < last_row;) {
    if (ranges.Of(row).empty()) {
      ++row;
      continue;
    }
    uint32_t end = last_row;
    if (all_touched) {
      for (end = row + 1; end < last_row && !ranges.Of(end).empty(); ++end) {
      }
    }
    SettleRows(layer, row, end);
    row = end;
  }
  if (!streams_[layer].pool_reach.has_value()) CompareRows(layer, first_row, last_row);
}

bool StreamEngine::WritesBounds(size_t index) const {
  if (stream_options_.dead_zone == 0 || whole_ || !levels_alone_[index] ||
      streams_[index].pool_reach.has_value()) {
    return false;
  }
  const SettledSums sums = integers_.layers[index].settled()->sums;
  return SumsBytes(index) || sums == SettledSums::kFusedLevels ||
         sums == SettledSums::kJoinedLevels;
}

SettlingStep StreamEngine::StreamStepOf(size_t index) {
  StreamState& stream = streams_[index];
  Worker& worker = WorkerOfThread();
  SettlingStep step = SettlingStepOf(index, worker);
  step.counts_synops = false;
  step.columns = &stream.ranges.ranges();
  step.sent_columns = &stream.sent();
  if (stream_options_.dead_zone > 0 && !WritesBounds(index)) step.dead_zone = &stream.dead_zone;
  if (auto* levels = std::get_if<LevelsTarget>(&step.sends)) {
    levels->levels = IsKeptAtOnce(index) ? &states_[index].levels : &bands_[team_.thread()];
    // Those that the band is compared with.
    levels->far_levels = &states_[index].levels;
    if (WritesBounds(index)) levels->bounds = {bounds_apart_, stream.dead_zone.limit};
    levels->row_spikes = {};
    return step;
  }
  auto& digits = std::get<DigitsTarget>(step.sends);
  for (uint32_t k = 0; k < network_.timesteps; ++k) worker.digits[k] = &stream.spikes[k];
  if (digits.levels != nullptr) digits.levels = &stream.levels;
  return step;
}

// Brings into the cache what is compared soon: reads a byte of each cache line before the band is
// computed, so that many reads are under way at once. A frame takes 4 to 7 % less time;
// instructions that prefetch all at once gained nothing. In a kernel, spread over its products,
// they take 5 to 8 % more off (ResNet-20, Zen 4).
void StreamEngine::ReadKept(size_t layer, uint32_t first_row, uint32_t last_row) const {
  constexpr size_t kCacheLine = 64;
  const LevelFrame& kept = states_[layer].levels;
  const size_t stride = integers_.layouts[layer].stride();
  for (uint32_t row = first_row; row < last_row; ++row) {
    const uint8_t* levels = kept.Row(row);
    for (const ColumnRange& range : streams_[layer].sent().Of(row)) {
      for (size_t at = range.first * stride; at < range.last * stride; at += kCacheLine) {
        static_cast<void>(*static_cast<const volatile uint8_t*>(levels + at));
      }
    }
  }
}

void StreamEngine::SettleRows(size_t index, uint32_t first_row, uint32_t last_row) {
  const IntegerLayer& integers = integers_.layers[index];
  Worker& worker = WorkerOfThread();
  LayerPart part;
  part.last_block = integers.membranes.lanes.blocks;
  part.first_row = first_row;
  part.last_row = last_row;
  if (!SumsBytes(index)) {
    StartPart(network_, index, part, worker.pixel_row, states_[index],
              &streams_[index].ranges.ranges());
  }
  const uint32_t last = network_.timesteps - 1;
  for (uint32_t step = 0; step < last && !integers.idle_until_last_step(); ++step) {
    EventStep event = EventStepOf(index, step, InputsOf(index, step, worker), part);
    event.counts_synops = false;
    RunEventStep(event);
  }
  SettlingStep step = StreamStepOf(index);
  step.inputs = InputsOf(index, last, worker);
  step.part = part;
  RunSettlingStep(step);
}

void StreamEngine::PoolRows(size_t layer, uint32_t first_row, uint32_t last_row) {
  bands_[team_.thread()].StartAt(first_row, integers_.level_layouts[layer]);
  RunPoolStep(StreamStepOf(layer), first_row, last_row, WorkerOfThread().pool_row);
  CompareRows(layer, first_row, last_row);
}

uint64_t StreamEngine::TakeRowChanges(size_t layer, uint32_t row, const ColumnRange& range,
                                      const RowChanges& changes) {
  const LaneLayout& layout = integers_.layouts[layer];
  LayerState& kept = states_[layer];
  if (levels_alone_[layer]) {
    const size_t apart = WritesBounds(layer) ? bounds_apart_ : 0;
    return TakeLevels(bands_[team_.thread()], kept.levels, row, range, layout, changes, apart);
  }
  StreamState& fresh = streams_[layer];
  return TakeSpikes({&fresh.levels, fresh.spikes}, {&kept.levels, kept.spikes}, row, range, layout,
                    changes);
}

void StreamEngine::CompareRows(size_t layer, uint32_t first_row, uint32_t last_row) {
  StreamState& stream = streams_[layer];
  const LaneLayout& layout = integers_.layouts[layer];
  const size_t neurons = size_t{network_.layers[layer].extent.width()} * layout.stride();
  std::span<uint32_t> changed;
  if (counts_.all()) {
    changed = std::span(row_changes_[team_.thread()]).first(RoundUpToLines(neurons) / kLineLanes);
  }
  for (uint32_t row = first_row; row < last_row; ++row) {
    const std::span<const ColumnRange> ranges = stream.sent().Of(row);
    if (ranges.empty()) continue;
    uint64_t count = 0;
    if (IsKeptAtOnce(layer)) {
      std::ranges::fill(changed, ~uint32_t{0});
      if (const size_t rest = neurons % kLineLanes; rest != 0 && !changed.empty()) {
        changed.back() = (uint32_t{1} << rest) - 1;  // no neurons that a row does not have
      }
      stream.changed.SetRow(row);
      count = neurons;
    } else {
      std::ranges::fill(changed, 0);
      for (const ColumnRange& range : ranges) {
        count += TakeRowChanges(layer, row, range, {changed, stream.changed.Row(row)});
      }
    }
    if (count > 0) counts_.AddChanges(layer, row, changed, count, states_[layer]);
  }
}

void StreamEngine::RunReadout(size_t index) {
  const size_t number = index - network_.first_readout();
  bool any = SourceChanged(0) && !network_.layers[index].direct.empty();
  if (const auto* vector = std::get_if<VectorReadout>(&integers_.readouts[number])) {
    for (const ReadoutSynapses& s : vector->synapses) any = any || SourceChanged(s.source);
  } else {
    for (const SynapseLayout& s : std::get<FloatLayer>(integers_.readouts[number]).synapses) {
      any = any || SourceChanged(s.source);
    }
  }
  if (!any) return;
  LayerStatistics& statistics = streams_[index].readout;
  statistics = LayerStatistics();
  StartReadout(index);
  for (uint32_t step = 0; step < network_.timesteps; ++step) {
    StepReadout(index, step, statistics);
  }
}

}  // namespace cssrun::internal
