// Takes any bytes as a recording of events, which must be refused, or read the same however its
// bytes arrive.
#include "tools/recordings/recording.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/fuzz/target.h"
#include "tools/recordings/step_cutter.h"

namespace {

using namespace cssrun;

struct Read {
  bool ok = true;
  tools::Decoded decoded;
};

// Gives the decoder `step` bytes more at a time.
Read Decode(tools::RecordingFormat format, std::span<const uint8_t> bytes, size_t step) {
  Read read;
  const std::unique_ptr<tools::Decoder> decoder = tools::NewDecoder(format);
  size_t taken = 0;
  for (size_t came = std::min(step, bytes.size());;) {
    const bool last = came == bytes.size();
    const Result<size_t> more =
        decoder->Decode(bytes.subspan(taken, came - taken), taken, last, read.decoded);
    if (!more.ok()) {
      fuzz::Require(more.status().code() == StatusCode::kInvalidArgument, "refused cleanly");
      fuzz::Require(!more.status().message().empty(), "the message says something");
      read.ok = false;
      return read;
    }
    fuzz::Require(more.value() <= came - taken, "no more than there is");
    taken += more.value();
    if (last && (taken == came || more.value() == 0)) break;
    if (more.value() == 0) came = std::min(bytes.size(), came + step);
  }
  fuzz::Require(taken == bytes.size(), "everything is taken in the end");
  return read;
}

void ReadAsProgramsDo(std::span<const uint8_t> bytes) {
  Result<std::unique_ptr<tools::Recording>> recording = tools::Recording::OfBytes(bytes, "fuzz");
  if (!recording.ok()) return;
  int64_t latest = INT64_MIN;
  std::vector<tools::Event> events;
  std::vector<TimedEvent> steps;
  std::optional<tools::StepCutter> cutter;
  while (recording.value()->Next(events).ok() && !events.empty()) {
    const std::optional<tools::SensorSize>& sensor = recording.value()->sensor();
    for (const tools::Event& event : events) {
      fuzz::Require(event.time_us >= latest, "time does not go back");
      latest = event.time_us;
      fuzz::Require(event.polarity <= 1, "a polarity is 0 or 1");
      fuzz::Require(!sensor.has_value() || (event.x < sensor->width && event.y < sensor->height),
                    "on the sensor");
    }
    if (!cutter.has_value()) {
      tools::CutOptions options;
      options.scale = sensor.has_value();
      Result<tools::StepCutter> made = tools::StepCutter::Create(options, {2, 30, 40}, sensor);
      fuzz::Require(made.ok(), "a sensor fits when it is scaled");
      cutter = made.value();
    }
    steps.clear();
    cutter->Cut(events, steps);
    for (const TimedEvent& step : steps) {
      fuzz::Require(step.step < cutter->steps() && step.address < 2 * 30 * 40, "in the network");
    }
    fuzz::Require(std::ranges::is_sorted(steps, {}, &TimedEvent::step), "in order");
  }
  (void)tools::Describe(recording.value()->damage());
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  ReadAsProgramsDo(bytes);
  const Result<std::optional<tools::RecordingFormat>> format = tools::Recognize(bytes, true);
  if (!format.ok()) {
    fuzz::Require(!format.status().message().empty(), "the message says something");
    return 0;
  }
  fuzz::Require(format.value().has_value(), "whole recordings are recognized or refused");
  const Read whole = Decode(*format.value(), bytes, size);
  const Read parts = Decode(*format.value(), bytes, 1 + data[size - 1] % 97);
  fuzz::Require(whole.ok == parts.ok, "refused however it arrives");
  if (!whole.ok) return 0;
  fuzz::Require(whole.decoded.events == parts.decoded.events, "the same events");
  fuzz::Require(whole.decoded.sensor == parts.decoded.sensor, "the same sensor");
  fuzz::Require(tools::Describe(whole.decoded.damage) == tools::Describe(parts.decoded.damage),
                "the same damage");
  return 0;
}
