#include "runtime/engine/reading.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "format/geometry.h"
#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

// What the steps after an index do, if no spike arrives: with n steps left,
struct Remaining {
  double growth = 1;   // potentials grow by beta^n
  double weights = 0;  // a bias of 1 adds beta^(n-1) + ... + 1
};

Remaining RemainingAfter(const LoadedNetwork& network, uint32_t index) {
  CSSRUN_ASSERT(index < network.timesteps);
  Remaining remaining;
  for (uint32_t i = index + 1; i < network.timesteps; ++i) {
    remaining.weights += remaining.growth;
    remaining.growth *= static_cast<double>(network.beta);
  }
  return remaining;
}

}  // namespace

double ComingWeight(const LoadedNetwork& network, uint32_t index) {
  return RemainingAfter(network, index).weights;
}

void ReadLogits(const LoadedNetwork& network, std::span<const float> potentials, uint32_t step,
                std::vector<float>& logits) {
  logits.resize(potentials.size());
  for (size_t i = 0; i < network.outputs.size(); ++i) {
    const OutputInfo& output = network.outputs[i];
    const Layer& readout = network.layers[network.first_readout() + i];
    CSSRUN_ASSERT(step >= readout.input_offset);
    CSSRUN_ASSERT(output.first + output.size() <= potentials.size());
    // A readout that is early is complete and waits for the others.
    const uint32_t index = std::min(step - readout.input_offset, network.timesteps - 1);
    const Remaining remaining = RemainingAfter(network, index);
    const size_t positions = Positions(readout.extent);
    for (size_t k = 0; k < output.size(); ++k) {
      const auto potential = static_cast<double>(potentials[output.first + k]);
      const size_t neuron = readout.output_order.empty() ? k : readout.output_order[k];
      const auto bias = static_cast<double>(readout.bias[neuron / positions]);
      const auto logit =
          static_cast<float>(potential * remaining.growth + bias * remaining.weights);
      // The sign of a NaN depends on the machine.
      logits[output.first + k] =
          std::isnan(logit) ? std::numeric_limits<float>::quiet_NaN() : logit;
    }
  }
}

double Margin(std::span<const float> logits) {
  if (logits.size() < 2) return 0;
  float best = -std::numeric_limits<float>::infinity();
  float second = best;
  for (const float logit : logits) {
    if (logit > best) {
      second = best;
      best = logit;
    } else if (logit > second) {
      second = logit;
    }
  }
  return static_cast<double>(best) - static_cast<double>(second);
}

void ClearReadings(const LoadedNetwork& network, const SessionOptions& options, Answer& answer) {
  answer.readings.resize(options.keep_readings ? network.timesteps : 0);
  for (Reading& reading : answer.readings) {
    reading.step = 0;
    reading.logits.clear();
    reading.margin = 0;
    reading.synops = 0;
  }
}

bool ReadAndDecide(const LoadedNetwork& network, const SessionOptions& options,
                   std::span<const float> potentials, uint32_t step, Reading& scratch,
                   Answer& answer) {
  CSSRUN_ASSERT(step + network.timesteps >= network.latency_steps && step < network.latency_steps);
  const uint32_t index = step - (network.latency_steps - network.timesteps);
  const bool last = index + 1 == network.timesteps;
  const bool may_exit = options.early_exit_margin.has_value() && !last;
  if (!may_exit && !ReadsEveryStep(options)) return false;
  ReadLogits(network, potentials, step, answer.logits);
  const double remaining_weight = ComingWeight(network, index);
  CSSRUN_ASSERT(last || remaining_weight > 0);  // the margin is divided by it
  const double margin = Margin(answer.logits);
  bool stopped = false;
  if (ReadsEveryStep(options)) {
    CSSRUN_ASSERT(!options.keep_readings || index < answer.readings.size());
    Reading& reading = options.keep_readings ? answer.readings[index] : scratch;
    reading.step = step + 1;
    reading.logits = answer.logits;
    reading.margin = last ? std::numeric_limits<double>::infinity() : margin / remaining_weight;
    reading.synops = 0;
    for (const LayerStatistics& layer : answer.layers) reading.synops += layer.synops;
    stopped = options.on_reading && !options.on_reading(reading) && !last;
  }
  const bool sure = may_exit && margin > *options.early_exit_margin * remaining_weight;
  if (sure) {
    answer.ending = Ending::kSure;
  } else if (stopped) {
    answer.ending = Ending::kStopped;
  }
  return sure || stopped;
}

bool ReadsEveryStep(const SessionOptions& options) {
  return options.keep_readings || options.on_reading;
}

bool CountsWork(const SessionOptions& options) {
  return options.statistics || options.profile || ReadsEveryStep(options);
}

bool MayRead(const SessionOptions& options) {
  return ReadsEveryStep(options) || options.early_exit_margin.has_value();
}

}  // namespace cssrun::internal
