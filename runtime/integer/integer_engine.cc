#include "runtime/integer/integer_engine.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "cssrun/batch.h"
#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/integer/recording.h"
#include "runtime/neuron/pixel_code.h"
#include "tbb/parallel_for.h"

namespace cssrun::internal {
namespace {

using format::NodeKind;

constexpr uint32_t kTrainBits = 16;  // of a train that the encoder keeps at hand

// Rows of a band, unless some threads would get none: a few bands a thread, since spikes are not
// spread evenly, but spikes at the border of two bands are work for both.
constexpr uint32_t kBandRows = 16;

}  // namespace

IntegerEngine::IntegerEngine(const LoadedNetwork& network, const SessionOptions& options)
    : Engine(network, options, network.latency_steps),
      integers_(network.integers()),
      growth_(Growth::Of(network.beta)) {
  const unsigned threads = ThreadCount(options.threads);
  workers_.resize(threads);
  if (threads > 1) {
    allowed_ = std::make_unique<tbb::global_control>(
        tbb::global_control::max_allowed_parallelism,
        std::max<size_t>(threads, tbb::global_control::active_value(
                                      tbb::global_control::max_allowed_parallelism)));
    arena_ = std::make_unique<tbb::task_arena>(static_cast<int>(threads));
  }
  size_t most_synapses = 0;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const IntegerLayer& integers = integers_.layers[i];
    LayerState state;
    const size_t stride = integers_.layouts[i].stride();
    if (layer.kind == NodeKind::Neurons) {
      most_synapses = std::max(most_synapses, integers.synapses.size());
      state.membranes = AllocateAligned<int16_t>(integers.membranes.size() + kLineLanes);
      if (integers.rectify && integers.settled() == nullptr) {
        state.sent_row = integers.pools.columns * stride;
        if (!integers.pools.pooled()) state.sent_row = RoundUpToLines(state.sent_row);
        state.sent = AllocateAligned<int16_t>(integers.pools.rows * state.sent_row + kLineLanes);
      }
    }
    const bool adds_floats = integers.settled() != nullptr && integers.settled()->adds_floats;
    if (!layer.direct.empty() || adds_floats) {
      const bool fires = layer.kind == NodeKind::Neurons;
      const size_t size = fires ? integers.membranes.MapRowAt(integers.membranes.lanes.blocks, 0)
                                : integers_.logit_stride;
      state.direct = AllocateAligned<float>(size);
      std::fill_n(state.direct.get(), size, 0.0F);
      if (fires && integers.settled() == nullptr) state.direct_carry = AllocateAligned<float>(size);
      state.seen_rooms.resize(layer.direct.size());
      state.seen.resize(layer.direct.size());
      const size_t stride_of_row =
          (size_t{layer.potential.channels()} + kDirectLanes - 1) / kDirectLanes * kDirectLanes;
      const size_t row_size = stride_of_row * layer.potential.width();
      for (Worker& worker : workers_) {
        if (worker.direct_row.size() < row_size) worker.direct_row.resize(row_size);
      }
    }
    const bool has_spikes = layer.kind != NodeKind::Readout &&
                            !(layer.kind == NodeKind::Encoder && network.direct_input.has_value());
    if (has_spikes) {
      for (uint32_t index = 0; index < network.timesteps; ++index) {
        state.spikes.emplace_back(layer.extent.height(), layer.extent.width() * stride);
      }
      state.levels = LevelFrame(layer.extent.height(), integers_.level_layouts[i]);
    }
    states_.push_back(std::move(state));
    for (Worker& worker : workers_) {
      worker.lists.resize(std::max(worker.lists.size(), integers.synapses.size()));
      for (size_t s = 0; s < integers.synapses.size(); ++s) {
        if (const auto* gather = std::get_if<TileGather>(&integers.synapses[s].kernel)) {
          Reserve(*gather, worker.lists[s]);
        }
      }
    }
  }
  for (Worker& worker : workers_) {
    worker.inputs.resize(most_synapses);
    worker.digits.resize(network.timesteps);
  }
  logits_.resize(integers_.logit_stride);
  size_t most_weight_rows = 0;
  for (const ReadoutSynapses& s : integers_.readout) {
    most_weight_rows = std::max(most_weight_rows, s.weight_rows);
  }
  counts_.resize(most_weight_rows);
  const format::Extent& image = network.layers.front().extent;
  if (network.direct_input.has_value()) {
    image_.resize(Neurons(image));
    return;
  }
  train_row_ = states_.front().spikes.front().words_per_row * kLineLanes;
  positive_trains_.resize(train_row_ * image.height());
  negative_trains_.resize(train_row_ * image.height());
}

IntegerEngine::Worker& IntegerEngine::WorkerOfThread() {
  if (arena_ == nullptr) return workers_.front();
  return workers_[static_cast<size_t>(tbb::this_task_arena::current_thread_index())];
}

void IntegerEngine::StartPart(size_t layer_index, const LayerPart& part) {
  const IntegerLayer& layer = integers_.layers[layer_index];
  const MembraneLayout& layout = layer.membranes;
  LayerState& state = states_[layer_index];
  const size_t lanes = size_t{part.last_row - part.first_row} * layout.row_lanes;
  // A layer that is idle until its last step overwrites its membranes there.
  const size_t first_block = layer.idle_until_last_step() ? part.last_block : part.first_block;
  for (size_t block = first_block; block < part.last_block; ++block) {
    const int16_t* start = layer.start.get() + block * kLineLanes;
    int16_t* membranes =
        state.membranes.get() + layout.RowAt(block, part.first_row) - layout.guard_lanes;
    for (size_t line = 0; line < lanes; line += kLineLanes) {
      std::memcpy(membranes + line, start, kLineLanes * sizeof(int16_t));
    }
    if (layer.pools.disjoint()) continue;
    // Members of a pool that lie beyond the map are as low as can be, and stay so.
    for (size_t row = part.first_row; row < part.last_row; ++row, membranes += layout.row_lanes) {
      for (size_t column = 0; column < layout.columns; ++column) {
        if (layer.pools.y.positions[row] >= 0 && layer.pools.x.positions[column] >= 0) continue;
        std::fill_n(membranes + layout.guard_lanes + column * layout.lanes.lanes,
                    layout.lanes.lanes, std::numeric_limits<int16_t>::min());
      }
    }
  }
  if (state.direct != nullptr) {
    for (uint32_t row = part.first_row; row < part.last_row; ++row) {
      StartDirectRow(layer_index, row, WorkerOfThread().direct_row);
    }
  }
  if (state.sent == nullptr) return;
  const uint32_t stride = layer.pools.y.stride;
  const size_t first = std::min(part.first_row / stride, layer.pools.rows);
  const size_t last = std::min((part.last_row + stride - 1) / stride, layer.pools.rows);
  int16_t* sent = state.sent.get() + first * state.sent_row;
  const size_t blocks = layout.lanes.blocks;
  const size_t part_lanes = size_t{part.last_block - part.first_block} * kLineLanes;
  if (part_lanes == blocks * kLineLanes) {
    std::fill_n(sent, (last - first) * state.sent_row, int16_t{0});
    return;
  }
  const size_t positions = (last - first) * layer.pools.columns;
  for (size_t position = 0; position < positions; ++position) {
    std::fill_n(sent + (position * blocks + part.first_block) * kLineLanes, part_lanes, int16_t{0});
  }
}

// What pixels bring to one row of membranes at each step, in units.
void IntegerEngine::StartDirectRow(size_t layer_index, uint32_t row,
                                   std::vector<float>& potentials) {
  const Layer& described = network_.layers[layer_index];
  const IntegerLayer& layer = integers_.layers[layer_index];
  const MembraneLayout& layout = layer.membranes;
  LayerState& state = states_[layer_index];
  if (described.direct.empty()) {  // of a settled layer: shortcuts are added to zeros
    for (size_t block = 0; block < layout.lanes.blocks; ++block) {
      std::fill_n(state.direct.get() + layout.MapRowAt(block, row), layout.map_lanes(), 0.0F);
    }
    return;
  }
  const size_t stride = described.direct.front().weight_stride();
  const int64_t map_row = layer.pools.y.positions[row];
  if (map_row >= 0) {
    std::fill_n(potentials.begin(), stride * described.potential.width(), 0.0F);
    for (size_t s = 0; s < described.direct.size(); ++s) {
      AddDirectRow(described.direct[s], state.seen[s], static_cast<uint32_t>(map_row), stride,
                   potentials.data());
    }
  }
  const size_t lanes = layout.lanes.lanes;
  const size_t channels = described.potential.channels();
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    const size_t first = layout.MapRowAt(block, row);
    const float* scale = layer.pixel_scale.get() + block * kLineLanes;
    const size_t count = std::min(lanes, channels - block * kLineLanes);
    if (state.direct_carry != nullptr) {
      std::fill_n(state.direct_carry.get() + first, layout.map_lanes(), 0.0F);
    }
    for (size_t column = 0; column < layout.columns; ++column) {
      const int64_t map_column = layer.pools.x.positions[column];
      if (map_row < 0 || map_column < 0) continue;
      const float* from =
          potentials.data() + static_cast<size_t>(map_column) * stride + block * kLineLanes;
      float* to = state.direct.get() + first + column * lanes;
      for (size_t lane = 0; lane < count; ++lane) to[lane] = from[lane] * scale[lane];
    }
  }
}

void IntegerEngine::SetDirectImage() {
  network_.direct_input->Apply(*input_, network_.layers.front().extent, image_);
  for (size_t i = 0; i < states_.size(); ++i) {
    const Layer& layer = network_.layers[i];
    LayerState& state = states_[i];
    for (size_t s = 0; s < layer.direct.size(); ++s) {
      state.seen[s] = SeenImage(layer.direct[s], image_, state.seen_rooms[s]);
    }
  }
  if (network_.layers.back().direct.empty()) return;
  LayerState& readout = states_.back();
  std::fill_n(readout.direct.get(), integers_.logit_stride, 0.0F);
  for (size_t s = 0; s < network_.layers.back().direct.size(); ++s) {
    AddDirectRow(network_.layers.back().direct[s], readout.seen[s], 0, integers_.logit_stride,
                 readout.direct.get());
  }
}

void IntegerEngine::SetImage(uint32_t first_bit) {
  const format::Extent& image = network_.layers.front().extent;
  const size_t channels = image.channels();
  const PixelStrides strides = PixelStrides::Of(input_->order, image);
  const size_t stride = integers_.layouts.front().stride();
  const uint64_t* positive = integers_.encoder.positive.data();
  const uint64_t* negative = integers_.encoder.negative.data();
  for (size_t row = 0; row < image.height(); ++row) {
    const uint8_t* pixel = input_->bytes.data() + row * strides.row;
    size_t lane = row * train_row_;
    for (size_t column = 0; column < image.width(); ++column, lane += stride) {
      for (size_t c = 0; c < channels; ++c) {
        const size_t entry = c * 256 + pixel[column * strides.column + c * strides.channel];
        positive_trains_[lane + c] = static_cast<uint16_t>(positive[entry] >> first_bit);
        negative_trains_[lane + c] = static_cast<uint16_t>(negative[entry] >> first_bit);
      }
    }
  }
}

void IntegerEngine::SetValues(uint32_t first_bit) {
  const Layer& encoder = network_.layers.front();
  const size_t channels = encoder.extent.channels();
  const size_t stride = integers_.layouts.front().stride();
  if (first_bit == 0) {
    const InputFormat& format = network_.input;
    const double scale = EncoderScale(encoder.amplitude, network_.beta, network_.timesteps);
    values_.resize(Neurons(encoder.extent));
    ForEachPixel(input_->order, encoder.extent, [&](size_t i, size_t at, size_t c) {
      values_[i] = StartingPotential(input_->values[at], format.mean[c], format.stddev[c], scale);
    });
  }
  const uint32_t bits = std::min(kTrainBits, network_.timesteps - first_bit);
  float* potential = values_.data();
  for (size_t row = 0; row < encoder.extent.height(); ++row) {
    size_t lane = row * train_row_;
    for (size_t column = 0; column < encoder.extent.width(); ++column, lane += stride) {
      for (size_t c = 0; c < channels; ++c, ++potential) {
        uint32_t positive = 0;
        uint32_t negative = 0;
        for (uint32_t bit = 0; bit < bits; ++bit) {
          const int spike =
              EncodeStep(network_.beta, encoder.thresholds[first_bit + bit], *potential);
          positive |= static_cast<uint32_t>(spike > 0) << bit;
          negative |= static_cast<uint32_t>(spike < 0) << bit;
        }
        positive_trains_[lane + c] = static_cast<uint16_t>(positive);
        negative_trains_[lane + c] = static_cast<uint16_t>(negative);
      }
    }
  }
}

Status IntegerEngine::Run(const Input& input, Answer& answer) {
  // An arena of that size may be there already, as it is where a batch is run.
  const int threads = static_cast<int>(workers_.size());
  const bool inside = tbb::this_task_arena::current_thread_index() >= 0 &&
                      tbb::this_task_arena::max_concurrency() == threads;
  if (threads == 1 || inside) return Engine::Run(input, answer);
  return arena_->execute([&] { return Engine::Run(input, answer); });
}

void IntegerEngine::StartImage(const Input& input) {
  input_ = &input;
  std::fill(logits_.begin(), logits_.end(), 0.0F);
  if (network_.direct_input.has_value()) SetDirectImage();
}

std::span<const float> IntegerEngine::Potentials() const {
  return {logits_.data(), network_.layers.back().extent.channels()};
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
      StepReadout(index, statistics);
    }
  }
}

void IntegerEngine::StepEncoder(uint32_t index, LayerStatistics& statistics) {
  if (network_.direct_input.has_value()) return;
  const format::Extent& extent = network_.layers.front().extent;
  SpikeFrame& spikes = states_.front().spikes[index];
  if (input_->kind == InputKind::kSpikes) {
    WriteSpikes(input_->SpikesOf(index), extent.width(), integers_.layouts.front().stride(),
                spikes);
  } else {
    const uint32_t bit = index % kTrainBits;
    if (bit == 0 && input_->kind == InputKind::kBytes) SetImage(index);
    if (bit == 0 && input_->kind == InputKind::kValues) SetValues(index);
    for (size_t row = 0; row < extent.height(); ++row) {
      EncodeRow(&positive_trains_[row * train_row_], &negative_trains_[row * train_row_],
                train_row_, bit, row, spikes);
    }
    CountSpikes(spikes);
  }
  LayerState& state = states_.front();
  if (index + 1 == network_.timesteps && !state.levels.empty()) {
    FillLevels(state.spikes, state.levels);
  }
  statistics.spikes += spikes.count();
  if (observe_spikes_) observe_spikes_(0, index, spikes);
}

void IntegerEngine::StepNeurons(size_t layer_index, uint32_t first, uint32_t last,
                                LayerStatistics& statistics) {
  const IntegerLayer& layer = integers_.layers[layer_index];
  // Parts of some blocks, or of bands of whole pools: a part does all of its steps, so that its
  // membranes and weights stay near.
  const uint32_t rows = layer.membranes.rows;
  const uint32_t pool_stride = layer.pools.y.stride;
  const uint32_t pools = (rows + pool_stride - 1) / pool_stride;
  const auto threads = static_cast<uint32_t>(workers_.size());
  const uint32_t block_sets = layer.membranes.lanes.blocks / layer.blocks_together;
  const bool shared = arena_ != nullptr && layer.work >= shared_work_;
  const uint32_t bands =
      !shared || block_sets >= threads ? 1 : std::min(pools, std::max(threads, rows / kBandRows));
  std::atomic<uint64_t> synops = 0;
  const auto run_part = [&](uint32_t number) {
    const uint32_t band = number % bands;
    LayerPart part;
    part.first_block = number / bands * layer.blocks_together;
    part.last_block = part.first_block + layer.blocks_together;
    part.first_row = pools * band / bands * pool_stride;
    part.last_row = std::min(rows, pools * (band + 1) / bands * pool_stride);
    if (first == 0) StartPart(layer_index, part);
    for (uint32_t index = first; index < last; ++index) {
      synops += StepPart(layer_index, index, part);
    }
  };
  if (shared && bands * block_sets > 1) {
    // Isolated: while it waits, a thread must not begin with something else.
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(uint32_t{0}, bands * block_sets, run_part, tbb::simple_partitioner());
    });
  } else {
    for (uint32_t number = 0; number < bands * block_sets; ++number) run_part(number);
  }
  statistics.synops += synops;
  for (uint32_t index = std::max(first, network_.silent_steps); index < last; ++index) {
    const uint32_t spike_index = index - network_.silent_steps;
    SpikeFrame& spikes = states_[layer_index].spikes[spike_index];
    CountSpikes(spikes);
    statistics.spikes += spikes.count();
    if (observe_spikes_) observe_spikes_(layer_index, spike_index, spikes);
  }
}

uint64_t IntegerEngine::StepPart(size_t layer_index, uint32_t index, const LayerPart& part) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  const bool settled = integers.settled() != nullptr;
  if (settled && index >= network_.timesteps) return 0;  // all spikes have left
  Worker& worker = WorkerOfThread();
  std::span<SynapseInput> inputs;
  if (index < network_.timesteps) {
    inputs = std::span(worker.inputs).first(integers.synapses.size());
    for (size_t s = 0; s < inputs.size(); ++s) {
      const LayerState& source = states_[integers.synapses[s].source];
      inputs[s] = {&source.spikes[index], &source.levels, &worker.lists[s]};
    }
  }
  if (settled && index + 1 == network_.timesteps) {
    return SettlePart(layer_index, worker, inputs, part);
  }
  return StepEventPart(layer_index, index, inputs, part);
}

uint64_t IntegerEngine::StepEventPart(size_t layer_index, uint32_t index,
                                      std::span<const SynapseInput> inputs, const LayerPart& part) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  LayerState& state = states_[layer_index];
  EventStep step;
  step.layer = &integers;
  step.inputs = inputs;
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
    if (index < network_.timesteps) step.pixels = {state.direct.get(), state.direct_carry.get()};
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
  return RunEventStep(step);
}

uint64_t IntegerEngine::SettlePart(size_t layer_index, Worker& worker,
                                   std::span<const SynapseInput> inputs, const LayerPart& part) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  LayerState& state = states_[layer_index];
  for (uint32_t k = 0; k < network_.timesteps; ++k) worker.digits[k] = &state.spikes[k];
  SettlingStep step;
  step.layer = &integers;
  step.inputs = inputs;
  step.part = part;
  step.membranes = state.membranes.get();
  step.floats = state.direct.get();
  step.digits.spikes = worker.digits.data();
  step.digits.levels = state.levels.empty() ? nullptr : &state.levels;
  step.digits.timesteps = network_.timesteps;
  step.digits.negative_spikes = network_.negative_spikes;
  step.digits.columns = integers.pools.columns;
  return RunSettlingStep(step);
}

void IntegerEngine::StepReadout(uint32_t index, LayerStatistics& statistics) {
  const Layer& layer = network_.layers.back();
  float* logits = logits_.data();
  const float* bias = layer.bias.get();
  for (size_t k = 0; k < layer.extent.channels(); ++k) {
    logits[k] = network_.beta * (index == 0 ? layer.initial_potential : logits[k]) + bias[k];
  }
  if (const float* direct = states_.back().direct.get(); direct != nullptr) {
    for (size_t k = 0; k < layer.extent.channels(); ++k) logits[k] += direct[k];
  }
  for (const ReadoutSynapses& s : integers_.readout) {
    statistics.synops += CountReadoutSpikes(s, states_[s.source].spikes[index], counts_);
    AddReadout(s, counts_, logits);
  }
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
