// The options of cssrun on recordings of event cameras.
#ifndef CSSRUN_TOOLS_RECORDINGS_RECORDING_ARGUMENTS_H_
#define CSSRUN_TOOLS_RECORDINGS_RECORDING_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/recordings/step_cutter.h"

namespace cssrun::tools {

struct RecordingArguments {
  std::string bin;          // a duration; empty: the network's
  uint64_t bin_events = 0;  // 0: steps are of time
  std::string crop;         // empty: all
  bool scale = false;

  bool any() const { return !bin.empty() || bin_events > 0 || !crop.empty() || scale; }
};

// Declares the options and their help texts.
void DeclareRecordings(CLI::App& app, RecordingArguments& arguments);

// Checks that what was parsed can be read; throws CLI::ValidationError, as parsing does.
void CheckRecordings(const RecordingArguments& arguments);

// What was asked for of a network that takes events.
CutOptions CutOptionsOf(const RecordingArguments& arguments, const EventReading& reading);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_RECORDING_ARGUMENTS_H_
