#include "runtime/engine/reading.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

void ReadLogits(const LoadedNetwork& network, std::span<const float> potentials, uint32_t index,
                std::vector<float>& logits) {
  const Remaining remaining = RemainingAfter(network, index);
  const Layer& readout = network.layers.back();
  CSSRUN_ASSERT(potentials.size() >= readout.extent.channels());
  logits.resize(readout.extent.channels());
  for (size_t k = 0; k < logits.size(); ++k) {
    logits[k] = static_cast<float>(static_cast<double>(potentials[k]) * remaining.growth +
                                   static_cast<double>(readout.bias[k]) * remaining.weights);
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
                   std::span<const float> potentials, uint32_t index, uint32_t step,
                   Reading& scratch, Answer& answer) {
  const bool last = index + 1 == network.timesteps;
  const bool may_exit = options.early_exit_margin.has_value() && !last;
  if (!may_exit && !ReadsEveryStep(options)) return false;
  ReadLogits(network, potentials, index, answer.logits);
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

}  // namespace cssrun::internal
