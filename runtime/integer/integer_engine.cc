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
      state.membranes =
          AllocateAligned<int16_t>(integers.layout.blocks * integers.block_lanes() + kChunkLanes);
      if (integers.rectify && !integers.settled) {
        state.sent_row = integers.spike_columns * stride;
        if (!integers.pooled())
          state.sent_row = (state.sent_row + kChunkLanes - 1) / kChunkLanes * kChunkLanes;
        state.sent = AllocateAligned<int16_t>(integers.spike_rows * state.sent_row + kChunkLanes);
      }
    }
    if (!layer.direct.empty() || integers.has_real) {
      const bool fires = layer.kind == NodeKind::Neurons;
      const size_t size =
          fires ? size_t{integers.layout.blocks} * integers.rows * integers.map_lanes()
                : integers_.logit_stride;
      state.direct = AllocateAligned<float>(size);
      std::fill_n(state.direct.get(), size, 0.0F);
      if (fires && !integers.settled) state.direct_owed = AllocateAligned<float>(size);
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
        Reserve(integers.synapses[s], worker.lists[s]);
      }
    }
  }
  for (Worker& worker : workers_) {
    worker.inputs.resize(most_synapses);
    worker.settled_spikes.resize(network.timesteps);
    worker.settled_inputs.resize(most_synapses);
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
  train_row_ = states_.front().spikes.front().words_per_row * kChunkLanes;
  positive_trains_.resize(train_row_ * image.height());
  negative_trains_.resize(train_row_ * image.height());
}

IntegerEngine::Worker& IntegerEngine::WorkerOfThread() {
  if (arena_ == nullptr) return workers_.front();
  return workers_[static_cast<size_t>(tbb::this_task_arena::current_thread_index())];
}

void IntegerEngine::StartPart(size_t layer_index, const LayerPart& part) {
  const IntegerLayer& layer = integers_.layers[layer_index];
  LayerState& state = states_[layer_index];
  const size_t lanes = size_t{part.last_row - part.first_row} * layer.row_lanes;
  // Where all comes at once, there is nothing to begin with.
  const size_t first_block = layer.at_once ? part.last_block : part.first_block;
  for (size_t block = first_block; block < part.last_block; ++block) {
    const int16_t* start = layer.start.get() + block * kChunkLanes;
    int16_t* membranes = state.membranes.get() + block * layer.block_lanes() +
                         size_t{part.first_row} * layer.row_lanes;
    for (size_t chunk = 0; chunk < lanes; chunk += kChunkLanes) {
      std::memcpy(membranes + chunk, start, kChunkLanes * sizeof(int16_t));
    }
    if (layer.pool_y.apart && layer.pool_x.apart) continue;
    // Members of a pool that lie beyond the map are as low as can be, and stay so.
    for (size_t row = part.first_row; row < part.last_row; ++row, membranes += layer.row_lanes) {
      for (size_t column = 0; column < layer.columns; ++column) {
        if (layer.pool_y.positions[row] >= 0 && layer.pool_x.positions[column] >= 0) continue;
        std::fill_n(membranes + layer.guard_lanes + column * layer.layout.lanes, layer.layout.lanes,
                    std::numeric_limits<int16_t>::min());
      }
    }
  }
  if (state.direct != nullptr) {
    for (uint32_t row = part.first_row; row < part.last_row; ++row) {
      StartDirectRow(layer_index, row, WorkerOfThread().direct_row);
    }
  }
  if (state.sent == nullptr) return;
  const uint32_t stride = layer.pool_y.stride;
  const size_t first = std::min(part.first_row / stride, layer.spike_rows);
  const size_t last = std::min((part.last_row + stride - 1) / stride, layer.spike_rows);
  int16_t* sent = state.sent.get() + first * state.sent_row;
  const size_t blocks = layer.layout.blocks;
  const size_t part_lanes = size_t{part.last_block - part.first_block} * kChunkLanes;
  if (part_lanes == blocks * kChunkLanes) {
    std::fill_n(sent, (last - first) * state.sent_row, int16_t{0});
    return;
  }
  const size_t positions = (last - first) * layer.spike_columns;
  for (size_t position = 0; position < positions; ++position) {
    std::fill_n(sent + (position * blocks + part.first_block) * kChunkLanes, part_lanes,
                int16_t{0});
  }
}

// What pixels bring to one row of membranes at each step, in units.
void IntegerEngine::StartDirectRow(size_t layer_index, uint32_t row,
                                   std::vector<float>& potentials) {
  const Layer& described = network_.layers[layer_index];
  const IntegerLayer& layer = integers_.layers[layer_index];
  LayerState& state = states_[layer_index];
  if (described.direct.empty()) {  // of a settled layer: shortcuts are added to nothing
    for (size_t block = 0; block < layer.layout.blocks; ++block) {
      std::fill_n(state.direct.get() + (block * layer.rows + row) * layer.map_lanes(),
                  layer.map_lanes(), 0.0F);
    }
    return;
  }
  const size_t stride = described.direct.front().weight_stride();
  const int64_t map_row = layer.pool_y.positions[row];
  if (map_row >= 0) {
    std::fill_n(potentials.begin(), stride * described.potential.width(), 0.0F);
    for (size_t s = 0; s < described.direct.size(); ++s) {
      AddDirectRow(described.direct[s], state.seen[s], static_cast<uint32_t>(map_row), stride,
                   potentials.data());
    }
  }
  const size_t lanes = layer.layout.lanes;
  const size_t channels = described.potential.channels();
  for (size_t block = 0; block < layer.layout.blocks; ++block) {
    const size_t first = (block * layer.rows + row) * layer.map_lanes();
    const float* scale = layer.direct_scale.get() + block * kChunkLanes;
    const size_t count = std::min(lanes, channels - block * kChunkLanes);
    if (!layer.settled) std::fill_n(state.direct_owed.get() + first, layer.map_lanes(), 0.0F);
    for (size_t column = 0; column < layer.columns; ++column) {
      const int64_t map_column = layer.pool_x.positions[column];
      if (map_row < 0 || map_column < 0) continue;
      const float* from =
          potentials.data() + static_cast<size_t>(map_column) * stride + block * kChunkLanes;
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
                static_cast<uint32_t>(train_row_), bit, row, spikes);
    }
    CountSpikes(spikes);
  }
  LayerState& state = states_.front();
  if (index + 1 == network_.timesteps && !state.levels.levels.empty()) {
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
  const uint32_t pools = (layer.rows + layer.pool_y.stride - 1) / layer.pool_y.stride;
  const auto threads = static_cast<uint32_t>(workers_.size());
  const uint32_t groups = layer.layout.blocks / layer.blocks_together;
  const bool shared = arena_ != nullptr && layer.work >= shared_work_;
  const uint32_t bands =
      !shared || groups >= threads ? 1 : std::min(pools, std::max(threads, layer.rows / kBandRows));
  std::atomic<uint64_t> synops = 0;
  const auto run_part = [&](uint32_t number) {
    const uint32_t band = number % bands;
    LayerPart part;
    part.first_block = number / bands * layer.blocks_together;
    part.last_block = part.first_block + layer.blocks_together;
    part.first_row = pools * band / bands * layer.pool_y.stride;
    part.last_row = std::min(layer.rows, pools * (band + 1) / bands * layer.pool_y.stride);
    if (first == 0) StartPart(layer_index, part);
    for (uint32_t index = first; index < last; ++index) {
      synops += StepPart(layer_index, index, part);
    }
  };
  if (shared && bands * groups > 1) {
    // Isolated: while it waits, a thread must not begin with something else.
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(uint32_t{0}, bands * groups, run_part, tbb::simple_partitioner());
    });
  } else {
    for (uint32_t number = 0; number < bands * groups; ++number) run_part(number);
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

void IntegerEngine::PrepareSettled(size_t layer_index, Worker& worker, SettledStep& settled) {
  const IntegerLayer& layer = integers_.layers[layer_index];
  const uint32_t timesteps = network_.timesteps;
  for (uint32_t k = 0; k < timesteps; ++k) {
    worker.settled_spikes[k] = &states_[layer_index].spikes[k];
  }
  for (size_t s = 0; s < layer.synapses.size(); ++s) {
    worker.settled_inputs[s] = &states_[layer.synapses[s].source].levels;
  }
  settled.timesteps = timesteps;
  settled.spikes = worker.settled_spikes.data();
  LevelFrame& levels = states_[layer_index].levels;
  settled.levels = levels.levels.empty() ? nullptr : &levels;
  settled.inputs = worker.settled_inputs.data();
}

uint64_t IntegerEngine::StepPart(size_t layer_index, uint32_t index, const LayerPart& part) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  if (integers.settled && index >= network_.timesteps) return 0;  // all spikes have left
  LayerState& state = states_[layer_index];
  Worker& worker = WorkerOfThread();
  LayerStep step;
  step.layer = &integers;
  step.part = part;
  step.membranes = state.membranes.get();
  step.sent = state.sent.get();
  step.lists = worker.lists.data();
  step.growth = growth_;
  step.negative_spikes = network_.negative_spikes;
  step.round_up = index % 2 != 0;
  if (index < network_.timesteps) {
    for (size_t s = 0; s < integers.synapses.size(); ++s) {
      worker.inputs[s] = &states_[integers.synapses[s].source].spikes[index];
    }
    if (!integers.synapses.empty()) step.inputs = worker.inputs.data();
    if (!integers.settled) {
      step.direct = state.direct.get();
      step.direct_owed = state.direct_owed.get();
    }
  }
  if (integers.settled) {
    SettledStep settled;
    step.real = state.direct.get();
    if (index + 1 == network_.timesteps) {
      PrepareSettled(layer_index, worker, settled);
      step.settled = &settled;
    }
    RunLayerStep(step);
    return step.synops;
  }
  const size_t parameters = integers.parameter_lanes();
  if (index + 1 < network_.timesteps) {
    step.biases = integers.biases.get() + parameters * (index + 1);
  }
  if (index >= network_.silent_steps) {
    const uint32_t spike_index = index - network_.silent_steps;
    step.spikes = &state.spikes[spike_index];
    step.thresholds = integers.thresholds.get() + parameters * spike_index;
  }
  RunLayerStep(step);
  return step.synops;
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
    const SpikeFrame& spikes = states_[s.source].spikes[index];
    for (size_t row = 0; row < s.rows.size(); ++row) {
      if (s.row_read[row] == 0) continue;
      int32_t* counts = counts_.data() + s.rows[row];
      const uint64_t* words = spikes.Row(row);
      for (size_t w = 0; w < spikes.words_per_row; ++w) {
        for (uint64_t word = words[w]; word != 0; word &= word - 1) {
          const auto bit = static_cast<uint32_t>(std::countr_zero(word));
          const size_t neuron = w * kChunkLanes + bit % kChunkLanes;
          if (s.fan_out[neuron] == 0) continue;
          statistics.synops += s.fan_out[neuron];
          counts[s.neurons[neuron]] += bit < kChunkLanes ? 1 : -1;
        }
      }
    }
    AddReadout(s.weights.get(), integers_.logit_stride, {counts_.data(), s.weight_rows}, logits);
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
  const int16_t* biases =
      index + 1 < network_.timesteps
          ? integers.biases.get() + size_t{integers.parameter_lanes()} * (index + 1)
          : nullptr;
  internal::RecordMembranes(integers, network_.layers[layer].extent, biases, network_.beta,
                            state.membranes.get(), state.sent.get(), state.sent_row,
                            membranes.data());
}

}  // namespace cssrun::internal
