#include "runtime/integer/integer_engine.h"

#include <algorithm>
#include <utility>

#include "cssrun/batch.h"
#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/engine/reading.h"
#include "runtime/integer/recording.h"

namespace cssrun::internal {

using format::NodeKind;

IntegerEngine::IntegerEngine(const LoadedNetwork& network, const SessionOptions& options,
                             const ThreadSharing& sharing)
    : Engine(network, options, network.latency_steps),
      integers_(network.integers()),
      sharing_(sharing),
      growth_(Growth::Of(network.beta)),
      team_(ThreadCount(options.threads)),
      workers_(team_.threads()) {
  for (size_t i = 0; i < network.layers.size(); ++i) {
    states_.push_back(MakeLayerState(network, i));
  }
  for (Worker& worker : workers_) Reserve(worker);
  size_t most_weight_rows = 0;
  for (size_t i = 0; i < integers_.readouts.size(); ++i) {
    readouts_.push_back(MakeReadoutState(network.first_readout() + i));
    const auto* vector = std::get_if<VectorReadout>(&integers_.readouts[i]);
    if (vector == nullptr) continue;
    for (const ReadoutSynapses& s : vector->synapses) {
      most_weight_rows = std::max(most_weight_rows, s.weight_rows);
    }
  }
  counts_.resize(most_weight_rows);
  reads_steps_ = ReadsEveryStep(options) || options.early_exit_margin.has_value() ||
                 options.time_limit > std::chrono::nanoseconds::zero();
  recorded_.resize(network.layers.size());
  for (const RecordRequest& request : options.record) {
    if (request.layer < recorded_.size()) recorded_[request.layer] = true;
  }
  ChooseLevelsAlone();
  if (network.direct_input.has_value()) {
    image_.resize(Neurons(network.layers.front().extent));
    if (integers_.pixels.has_value()) {
      pixels_ = LevelFrame(network.layers.front().extent.height(), integers_.pixel_layout);
    }
    for (size_t i = 0; i < network.layers.size(); ++i) {
      needs_floats_ = needs_floats_ || (!network.layers[i].direct.empty() &&
                                        !integers_.layers[i].pixel_conv.has_value());
    }
  } else {
    trains_.emplace(network);
  }
}

void IntegerEngine::Reserve(Worker& worker) const {
  const auto grow = [](auto& room, size_t size) { room.resize(std::max(room.size(), size)); };
  worker.digits.resize(network_.timesteps);
  for (const Layer& layer : network_.layers) grow(worker.pixel_row, PixelRowSize(layer));
  for (const IntegerLayer& layer : integers_.layers) {
    const MembraneLayout& membranes = layer.membranes;
    grow(worker.inputs, layer.synapses.size());
    grow(worker.lists, layer.synapses.size());
    grow(worker.level_sums, membranes.columns);
    if (layer.pools.windows.has_value()) {
      grow(worker.pool_row, PooledRowLayout(membranes, layer.pools).size());
    }
    grow(worker.copied, CopiedRow(layer) * kMostRowsTogether);
    grow(worker.joined, JoinedFloats(layer));
    grow(worker.winograd, WinogradRoomOf(layer));
    for (size_t s = 0; s < layer.synapses.size(); ++s) {
      const auto* gather = std::get_if<TileGather>(&layer.synapses[s].kernel);
      if (gather != nullptr) internal::Reserve(*gather, worker.lists[s]);
    }
  }
}

void IntegerEngine::ChooseLevelsAlone() {
  if (reads_steps_ || observe_spikes_) {
    levels_alone_.assign(states_.size(), false);
  } else {
    levels_alone_ = LayersOfLevelsAlone(network_, recorded_);
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    if (!levels_alone_[i]) MakeSpikes(network_, i, states_[i]);
  }
}

void IntegerEngine::SetDirectImage() {
  network_.direct_input->Apply(*input_, network_.layers.front().extent, image_);
  for (size_t i = 0; i < states_.size(); ++i) {
    const Layer& layer = network_.layers[i];
    LayerState& state = states_[i];
    for (size_t s = 0; s < layer.direct.size(); ++s) {
      state.images[s] = SeenImage(layer.direct[s], image_, state.image_rooms[s]);
    }
  }
}

Status IntegerEngine::Run(const Input& input, Answer& answer) {
  return team_.Run([&] { return RunLoop(input, answer); });
}

void IntegerEngine::StartImage(const Input& input) {
  input_ = &input;
  if (network_.direct_input.has_value()) {
    pixels_are_bytes_ = integers_.pixels.has_value() &&
                        WritePixels(*integers_.pixels, input, network_.layers.front().extent,
                                    integers_.layouts.front(), pixels_);
    if (!pixels_are_bytes_ || needs_floats_) SetDirectImage();
  }
  for (size_t i = network_.first_readout(); i < network_.layers.size(); ++i) StartReadout(i);
}

void IntegerEngine::CopyPotentials(size_t layer, std::span<float> potentials) const {
  const ReadoutState& readout = readouts_[layer - network_.first_readout()];
  if (const auto* map = std::get_if<MapReadoutState>(&readout)) {
    map->CopyPotentials(potentials);
    return;
  }
  std::copy_n(std::get<VectorReadoutState>(readout).logits.begin(), potentials.size(),
              potentials.begin());
}

void IntegerEngine::StepLayer(size_t layer, uint32_t first, uint32_t last,
                              LayerStatistics& statistics) {
  const NodeKind kind = network_.layers[layer].kind;
  if (kind == NodeKind::Neurons) {
    StepNeurons(layer, first, last, statistics);
    return;
  }
  for (uint32_t index = first; index < last; ++index) {
    if (kind == NodeKind::Encoder) {
      StepEncoder(index, statistics);
    } else {
      StepReadout(layer, index, statistics);
    }
  }
}

void IntegerEngine::StepEncoder(uint32_t index, LayerStatistics& statistics) {
  if (network_.direct_input.has_value()) return;
  SpikeFrame& spikes = states_.front().spikes[index];
  if (input_->kind == InputKind::kSpikes) {
    const uint32_t width = network_.layers.front().extent.width();
    WriteSpikes(input_->SpikesOf(index), width, integers_.layouts.front().stride(), spikes);
  } else {
    trains_->Encode(*input_, index, spikes);
    CountSpikes(spikes);
  }
  LayerState& state = states_.front();
  if (index + 1 == network_.timesteps && !state.levels.empty()) {
    FillLevels(state.spikes, state.levels);
  }
  statistics.spikes += spikes.count();
  if (observe_spikes_) observe_spikes_(0, index, spikes);
}

void IntegerEngine::StepParts(size_t layer_index, uint32_t first, uint32_t last, bool shared,
                              LayerStatistics& statistics) {
  const IntegerLayer& layer = integers_.layers[layer_index];
  // Parts of some blocks, or of bands of whole pools: a part does all of its steps, so that its
  // membranes and weights stay near.
  const uint32_t rows = layer.membranes.rows;
  const uint32_t pool_stride = layer.pools.y.stride;
  const uint32_t pools = (rows + pool_stride - 1) / pool_stride;
  const uint32_t threads = team_.threads();
  const uint32_t block_sets = layer.membranes.lanes.blocks / layer.blocks_together;
  const uint32_t bands = !shared || block_sets >= threads ? 1 : BandsOf(layer, pools, threads);
  const auto run_part = [&](uint32_t number) {
    const uint32_t band = number % bands;
    CSSRUN_ASSERT(bands > 0 && block_sets * layer.blocks_together == layer.membranes.lanes.blocks);
    LayerPart part;
    part.first_block = number / bands * layer.blocks_together;
    part.last_block = part.first_block + layer.blocks_together;
    part.first_row = pools * band / bands * pool_stride;
    part.last_row = std::min(rows, pools * (band + 1) / bands * pool_stride);
    if (first == 0 && !SumsBytes(layer_index)) {
      StartPart(network_, layer_index, part, WorkerOfThread().pixel_row, states_[layer_index]);
    }
    uint64_t synops = 0;
    for (uint32_t index = first; index < last; ++index) {
      synops += StepPart(layer_index, index, part);
    }
    if (synops > 0) WorkerOfThread().synops += synops;
  };
  if (shared) {
    team_.ForEach(bands * block_sets, run_part);
  } else {
    for (uint32_t number = 0; number < bands * block_sets; ++number) run_part(number);
  }
  statistics.synops += TakeSynops();
}

void IntegerEngine::StepNeurons(size_t layer_index, uint32_t first, uint32_t last,
                                LayerStatistics& statistics) {
  const IntegerLayer& layer = integers_.layers[layer_index];
  const bool shared = team_.threads() > 1 &&
                      WorkOf(network_.layers[layer_index], layer) >= sharing_.fewest_synapses;
  if (!shared || !StepTiles(layer_index, first, last, statistics)) {
    StepParts(layer_index, first, last, shared, statistics);
  }
  if (layer.pools.windows.has_value() && first < network_.timesteps && last >= network_.timesteps) {
    PoolNeurons(layer_index, shared);
  }
  if (levels_alone_[layer_index]) {
    if (counts_work_ && first < network_.timesteps && last >= network_.timesteps) {
      for (const uint32_t spikes : states_[layer_index].row_spikes) statistics.spikes += spikes;
    }
    return;
  }
  for (uint32_t index = std::max(first, network_.silent_steps); index < last; ++index) {
    const uint32_t spike_index = index - network_.silent_steps;
    SpikeFrame& spikes = states_[layer_index].spikes[spike_index];
    CountSpikes(spikes);
    statistics.spikes += spikes.count();
    if (observe_spikes_) observe_spikes_(layer_index, spike_index, spikes);
  }
}

void IntegerEngine::PoolNeurons(size_t layer_index, bool shared) {
  const IntegerLayer& layer = integers_.layers[layer_index];
  const uint32_t rows = layer.pools.rows;
  const uint32_t bands = shared ? std::min<uint32_t>(rows, team_.threads()) : 1;
  team_.ForEach(bands, [&](uint32_t band) {
    Worker& worker = WorkerOfThread();
    const SettlingStep step = SettlingStepOf(layer_index, worker);
    RunPoolStep(step, rows * band / bands, rows * (band + 1) / bands, worker.pool_row);
  });
}

CountedLevels IntegerEngine::LevelsOf(size_t layer) const {
  CSSRUN_ASSERT(levels_alone_[layer]);
  const LayerState& state = states_[layer];
  return {&state.levels, &*integers_.layers[layer].level_rule, state.row_spikes};
}

std::span<SynapseInput> IntegerEngine::InputsOf(size_t layer, uint32_t index, Worker& worker) {
  const std::vector<IntegerSynapses>& synapses = integers_.layers[layer].synapses;
  const std::span<SynapseInput> inputs = std::span(worker.inputs).first(synapses.size());
  for (size_t s = 0; s < inputs.size(); ++s) {
    const uint32_t from = synapses[s].source;
    const LayerState& source = states_[from];
    inputs[s] = {nullptr, &source.levels, {}, &worker.lists[s]};
    if (levels_alone_[from]) {
      inputs[s].counted = LevelsOf(from);
    } else {
      inputs[s].spikes = &source.spikes[index];
    }
  }
  return inputs;
}

uint64_t IntegerEngine::StepPart(size_t layer_index, uint32_t index, const LayerPart& part) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  const bool settled = integers.settled() != nullptr;
  CSSRUN_ASSERT(index < network_.timesteps + network_.silent_steps);
  CSSRUN_ASSERT(part.first_row < part.last_row && part.last_row <= integers.membranes.rows);
  if (settled && index >= network_.timesteps) return 0;  // all spikes have left
  if (!counts_work_ && integers.idle_until_last_step() && index + 1 < network_.timesteps) return 0;
  if (settled && index + 1 == network_.timesteps) return SettlePart(layer_index, part);
  Worker& worker = WorkerOfThread();
  std::span<SynapseInput> inputs;
  if (index < network_.timesteps) inputs = InputsOf(layer_index, index, worker);
  return RunEventStep(EventStepOf(layer_index, index, inputs, part));
}

uint64_t IntegerEngine::SettlePart(size_t layer_index, const LayerPart& part,
                                   const TileRange& tiles) {
  Worker& worker = WorkerOfThread();
  SettlingStep step = SettlingStepOf(layer_index, worker);
  step.inputs = InputsOf(layer_index, network_.timesteps - 1, worker);
  step.part = part;
  step.tiles = tiles;
  return RunSettlingStep(step);
}

bool IntegerEngine::StepTiles(size_t layer_index, uint32_t first, uint32_t last,
                              LayerStatistics& statistics) {
  if (first >= network_.timesteps || last < network_.timesteps) return false;
  const SettlingStep step = SettlingStepOf(layer_index, WorkerOfThread());
  const LevelConv* kernel = TileKernelOf(step);
  if (kernel == nullptr || kernel->size() <= sharing_.near_weights || kernel->tiles == 1)
    return false;
  const MembraneLayout& membranes = integers_.layers[layer_index].membranes;
  const LayerPart whole{0, membranes.rows, 0, membranes.lanes.blocks};
  CSSRUN_ASSERT(integers_.layers[layer_index].idle_until_last_step());  // they only count
  for (uint32_t index = first; index + 1 < network_.timesteps; ++index) {
    statistics.synops += StepPart(layer_index, index, whole);
  }
  const uint32_t parts = PartsOfTiles(kernel->tiles, team_.threads());
  team_.ForEach(parts, [&](uint32_t part) {
    const TileRange tiles{kernel->tiles * part / parts, kernel->tiles * (part + 1) / parts};
    const uint64_t synops = SettlePart(layer_index, whole, tiles);
    if (synops > 0) WorkerOfThread().synops += synops;
  });
  statistics.synops += TakeSynops();
  CountSentLevels(step);
  shared_tiles_ = true;
  return true;
}

EventStep IntegerEngine::EventStepOf(size_t layer_index, uint32_t index,
                                     std::span<const SynapseInput> inputs, const LayerPart& part) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  LayerState& state = states_[layer_index];
  EventStep step;
  step.layer = &integers;
  step.inputs = inputs;
  step.counts_synops = counts_work_;
  NeuronStep& neurons = step.neurons;
  neurons.layout = &integers.membranes;
  neurons.pools = &integers.pools;
  neurons.rectify = integers.rectify;
  neurons.negative_spikes = network_.negative_spikes;
  neurons.round_up = index % 2 != 0;
  neurons.growth = growth_;
  neurons.part = part;
  neurons.membranes = state.membranes.get();
  neurons.sent = state.sent.get();
  if (const auto* events = std::get_if<EventNeurons>(&integers.neurons)) {
    if (index < network_.timesteps) step.pixels = {state.floats.get(), state.carry.get()};
    const size_t parameters = integers.membranes.parameter_lanes();
    if (index + 1 < network_.timesteps) {
      neurons.biases = events->biases.get() + parameters * (index + 1);
    }
    if (index >= network_.silent_steps) {
      const uint32_t spike_index = index - network_.silent_steps;
      neurons.firing = {&state.spikes[spike_index], events->unit.get(),
                        events->thresholds.get() + parameters * spike_index};
    }
  }
  return step;
}

SettlingStep IntegerEngine::SettlingStepOf(size_t layer_index, Worker& worker) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  LayerState& state = states_[layer_index];
  SettlingStep step;
  step.layer = &integers;
  step.membranes = state.membranes.get();
  step.floats = state.floats.get();
  if (SumsBytes(layer_index)) {
    step.pixels = &pixels_;
    step.floats = nullptr;
  }
  step.level_sums = worker.level_sums;
  step.copied = worker.copied;
  step.joined = worker.joined;
  step.winograd = worker.winograd;
  step.counts_synops = counts_work_;
  if (levels_alone_[layer_index]) {
    LevelsTarget levels;
    levels.rule = &*integers.level_rule;
    levels.levels = &state.levels;
    levels.columns = integers.pools.columns;
    if (counts_work_) levels.row_spikes = state.row_spikes;
    if (state.levels.levels.size() > kNearLevels) levels.far_levels = &state.levels;
    step.sends = levels;
  } else {
    for (uint32_t k = 0; k < network_.timesteps; ++k) worker.digits[k] = &state.spikes[k];
    step.sends = DigitsTarget{worker.digits.data(), state.levels.empty() ? nullptr : &state.levels,
                              network_.timesteps, network_.negative_spikes, integers.pools.columns};
  }
  return step;
}

void IntegerEngine::RecordSpikes(size_t layer, uint32_t index, std::span<int8_t> spikes) const {
  internal::RecordSpikes(network_.layers[layer].extent, integers_.layouts[layer].stride(),
                         states_[layer].spikes[index], spikes.data());
}

void IntegerEngine::RecordMembranes(size_t layer, uint32_t index,
                                    std::span<float> membranes) const {
  const IntegerLayer& integers = integers_.layers[layer];
  const LayerState& state = states_[layer];
  const auto& neurons = std::get<EventNeurons>(integers.neurons);
  const int16_t* biases =
      index + 1 < network_.timesteps
          ? neurons.biases.get() + size_t{integers.membranes.parameter_lanes()} * (index + 1)
          : nullptr;
  internal::RecordMembranes(integers, network_.layers[layer].extent, biases, network_.beta,
                            state.membranes.get(), state.sent.get(), state.sent_row,
                            membranes.data());
}

}  // namespace cssrun::internal
