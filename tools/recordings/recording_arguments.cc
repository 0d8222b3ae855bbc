#include "tools/recordings/recording_arguments.h"

#include <algorithm>
#include <cmath>

namespace cssrun::tools {

void DeclareRecordings(CLI::App& app, RecordingArguments& arguments) {
  auto* bin = app.add_option("--bin", arguments.bin,
                             "the time of a step, such as 1ms or 100us (the network's own)");
  bin->type_name("TIME");
  app.add_option("--bin-events", arguments.bin_events,
                 "steps of this many events each, whatever time they take")
      ->check(CLI::Range(1, 1'000'000'000))
      ->type_name("N")
      ->excludes(bin);
  app.add_option("--crop", arguments.crop,
                 "use this part of the sensor alone: its middle, or what begins X pixels from the "
                 "left and Y from the top")
      ->type_name("WxH[+X+Y]");
  app.add_flag("--scale", arguments.scale,
               "bring the sensor, or what --crop leaves of it, to the size of the network's input");
}

void CheckRecordings(const RecordingArguments& arguments) {
  if (!arguments.bin.empty() && !ParseDuration(arguments.bin).has_value()) {
    throw CLI::ValidationError("--bin", "a time in us, ms or s, such as 1ms or 100us");
  }
  if (!arguments.crop.empty() && !ParseCrop(arguments.crop).has_value()) {
    throw CLI::ValidationError("--crop",
                               "width x height in pixels, such as 128x128 or 128x128+10+20");
  }
}

CutOptions CutOptionsOf(const RecordingArguments& arguments, const EventReading& reading) {
  CutOptions options;
  if (arguments.bin.empty()) {
    options.bin_us = std::max<int64_t>(1, std::llround(reading.step_seconds * 1e6));
  } else {
    options.bin_us = ParseDuration(arguments.bin).value_or(1);
  }
  options.bin_events = arguments.bin_events;
  options.crop = ParseCrop(arguments.crop);
  options.scale = arguments.scale;
  return options;
}

}  // namespace cssrun::tools
