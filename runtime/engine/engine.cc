#include "runtime/engine/engine.h"

#include <algorithm>
#include <chrono>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/engine/interruption.h"
#include "runtime/engine/reading.h"
#include "runtime/engine/recording.h"
#include "runtime/seconds_since.h"

namespace cssrun::internal {
namespace {

// Global steps per chunk. Readings and recorded membranes need every step; early exit and a time
// limit can end a run only between chunks, so they choose short ones unless the caller asks for
// another.
uint32_t ChunkFor(const LoadedNetwork& network, const SessionOptions& options,
                  uint32_t longest_chunk) {
  if (ReadsEveryStep(options) || RecordsMembranes(options)) return 1;
  if (options.chunk != 0) return std::min({options.chunk, longest_chunk, network.latency_steps});
  const bool may_end = options.early_exit_margin.has_value() ||
                       options.time_limit > std::chrono::nanoseconds::zero();
  return may_end ? 1 : std::min(longest_chunk, network.latency_steps);
}

// Indices [first, last) of a train.
struct IndexRange {
  uint32_t first = 0;
  uint32_t last = 0;
};
// The indices that fall on global steps [first, last), for a train of `count` indices whose index 0
// is at global step `offset`.
IndexRange IndicesAt(uint32_t first, uint32_t last, uint32_t offset, uint32_t count) {
  const auto index = [&](uint32_t step) {
    return step < offset ? 0 : std::min(step - offset, count);
  };
  return {index(first), index(last)};
}

// Steps of a layer: T inputs, and for neurons L more, in which only spikes leave.
uint32_t InputIndices(const LoadedNetwork& network, const Layer& layer) {
  const bool fires = layer.kind == format::NodeKind::Neurons;
  return network.timesteps + (fires ? network.silent_steps : 0);
}

}  // namespace

Engine::Engine(const LoadedNetwork& network, const SessionOptions& options, uint32_t longest_chunk)
    : network_(network),
      counts_work_(CountsWork(options)),
      options_(options),
      chunk_(ChunkFor(network, options, longest_chunk)) {
  CSSRUN_ASSERT(chunk_ >= 1);  // else the run loop would not advance
}

Status Engine::RunLoop(const Input& input, Answer& answer) {
  using Clock = std::chrono::steady_clock;
  CSSRUN_ASSERT(input.kind != InputKind::kBytes ||
                input.bytes.size() == Neurons(network_.layers.front().extent));
  CSSRUN_ASSERT(input.kind != InputKind::kValues ||
                input.values.size() == Neurons(network_.layers.front().extent));
  CSSRUN_ASSERT(input.kind != InputKind::kSpikes ||
                std::ranges::is_sorted(input.spikes, {}, &CodedSpike::step));
  const Interruption interruption(options_);
  answer.layers.assign(counts_work_ ? network_.layers.size() : 0, LayerStatistics());
  answer.ending = Ending::kComplete;
  ClearRecordings(network_, options_, answer);
  ClearReadings(network_, options_, answer);
  for (size_t i = 0; i < answer.layers.size(); ++i) {
    for (const DirectSynapses& s : network_.layers[i].direct) answer.layers[i].macs += s.macs;
  }
  StartImage(input);
  // At this step the last of the readouts begins.
  const uint32_t readout_start = network_.latency_steps - network_.timesteps;
  for (uint32_t first = 0; first < network_.latency_steps; first += chunk_) {
    const uint32_t last = std::min(first + chunk_, network_.latency_steps);
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      const Interrupted interrupted = interruption.Now();
      if (interrupted == Interrupted::kCancelled) return CancelledAt(first);
      if (interrupted == Interrupted::kLate) {
        if (first <= readout_start) return LateAt(first);
        CopyOutputs(potentials_);
        ReadLogits(network_, potentials_, first - 1, answer.logits);
        answer.ending = Ending::kLate;
        return Status::Ok();
      }
      const Layer& layer = network_.layers[i];
      const IndexRange indices =
          IndicesAt(first, last, layer.input_offset, InputIndices(network_, layer));
      if (indices.first == indices.last) continue;
      LayerStatistics& statistics = counts_work_ ? answer.layers[i] : unseen_;
      const Clock::time_point start = options_.profile ? Clock::now() : Clock::time_point();
      StepLayer(i, indices.first, indices.last, statistics);
      if (options_.profile) statistics.seconds += SecondsSince(start);
    }
    answer.steps = last;
    Record(first, last, answer);
    if (last > readout_start && MayRead(options_)) {
      CopyOutputs(potentials_);
      if (ReadAndDecide(network_, options_, potentials_, last - 1, reading_, answer)) {
        return Status::Ok();
      }
    }
  }
  CopyOutputs(answer.logits);
  return Status::Ok();
}

void Engine::CopyOutputs(std::vector<float>& potentials) {
  potentials.resize(network_.outputs.back().first + network_.outputs.back().size());
  for (size_t i = 0; i < network_.outputs.size(); ++i) {
    const OutputInfo& output = network_.outputs[i];
    const size_t index = network_.first_readout() + i;
    const Layer& layer = network_.layers[index];
    const std::span<float> numbers = std::span(potentials).subspan(output.first, output.size());
    if (layer.output_order.empty()) {
      CopyPotentials(index, numbers);
      continue;
    }
    neurons_.resize(Neurons(layer.extent));
    CopyPotentials(index, neurons_);
    for (size_t k = 0; k < numbers.size(); ++k) numbers[k] = neurons_[layer.output_order[k]];
  }
}

void Engine::Record(uint32_t first, uint32_t last, Answer& answer) const {
  for (size_t i = 0; i < options_.record.size(); ++i) {
    const size_t layer_index = options_.record[i].layer;
    CSSRUN_ASSERT(layer_index < network_.layers.size());  // CheckRecordRequests()
    const Layer& layer = network_.layers[layer_index];
    const size_t neurons = Neurons(layer.extent);
    Recording& recording = answer.recordings[i];
    if (!recording.spikes.empty()) {
      const IndexRange sent = IndicesAt(first, last, layer.offset, network_.timesteps);
      for (uint32_t index = sent.first; index < sent.last; ++index) {
        RecordSpikes(layer_index, index,
                     std::span(recording.spikes).subspan(index * neurons, neurons));
      }
    }
    if (!recording.membranes.empty()) {
      const IndexRange received =
          IndicesAt(first, last, layer.input_offset, InputIndices(network_, layer));
      for (uint32_t index = received.first; index < received.last; ++index) {
        RecordMembranes(layer_index, index,
                        std::span(recording.membranes).subspan(index * neurons, neurons));
      }
    }
  }
}

}  // namespace cssrun::internal
