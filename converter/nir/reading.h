// How a NIR model is read: what its file does not say, and every simulator decides in its own way.
#ifndef CSSRUN_CONVERTER_NIR_READING_H_
#define CSSRUN_CONVERTER_NIR_READING_H_

#include <optional>
#include <string>
#include <vector>

#include "converter/nir/nir_graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

enum class NirReset {
  kSubtract,  // the threshold is taken off
  kZero,
  kValue,  // v_reset of the file
};

enum class NirFloor { kNone, kThreshold, kValue };  // kThreshold: minus the threshold

// What was asked for; what is not set is chosen by the exporter.
struct NirOptions {
  std::optional<double> dt;  // seconds
  std::optional<NirReset> reset;
  std::optional<bool> several_spikes;
  std::optional<NirFloor> floor;
  double floor_value = 0;  // with kValue; not positive
};

enum class NirExporter { kSinabs, kSnnTorch, kNorse, kSpikingJelly, kRockpool, kUnknown };

struct NirReading {
  NirExporter exporter = NirExporter::kUnknown;
  double step_seconds = 0;   // by which recordings are cut
  double equation_dt = 0;    // dt of the neurons' equations
  bool unit_gain = false;    // gains cancel dt: v = beta v + I, v = v + I
  bool exact_decay = false;  // exp(-dt / tau) in place of 1 - dt / tau
  NirReset reset = NirReset::kValue;
  bool several_spikes = false;
  NirFloor floor = NirFloor::kNone;
  double floor_value = 0;
  std::vector<std::string> assumptions;  // a sentence each
};

// Error: kInvalidArgument on options that cannot be.
Result<NirReading> ChooseReading(const NirGraph& graph, const NirOptions& options);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_READING_H_
