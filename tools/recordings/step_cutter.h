// Cuts the events of a recording into the steps of a network, and moves them to its input.
#ifndef CSSRUN_TOOLS_RECORDINGS_STEP_CUTTER_H_
#define CSSRUN_TOOLS_RECORDINGS_STEP_CUTTER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cssrun/event_session.h"
#include "cssrun/status.h"
#include "tools/recordings/event.h"

namespace cssrun::tools {

// A part of the sensor. Without a place it is the middle.
struct Crop {
  uint32_t width = 0;
  uint32_t height = 0;
  struct Place {
    uint32_t x = 0;
    uint32_t y = 0;
    bool operator==(const Place&) const = default;
  };
  std::optional<Place> place;

  bool operator==(const Crop&) const = default;
};

// Parses "128x128" and "128x128+10+20" (left, top). Returns nothing if that is no crop.
std::optional<Crop> ParseCrop(const std::string& text);

// Parses a time with its unit, such as "1ms", "100us" or "0.5s", to microseconds. Returns nothing
// if that is none, no whole number of microseconds, not positive, or more than 10^9 s.
std::optional<int64_t> ParseDuration(const std::string& text);

struct CutOptions {
  int64_t bin_us = 1000;    // the length of a step
  uint64_t bin_events = 0;  // if not 0, the events that make a step, whatever time they take
  std::optional<Crop> crop = {};
  bool scale = false;  // what is cropped, or the whole sensor, becomes the network's input
};

// The input of a network, Network::input().
struct InputPlane {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
};

// Two channels are the polarities, darker first; one channel takes both alike. Time begins with
// the recording's clock if the first event comes within its first second, as in N-MNIST, else with
// the first event. One thread at a time.
class StepCutter {
 public:
  // `sensor` is nothing where the recording does not say it; then what lies beyond the network's
  // input is left out. Errors: kInvalidArgument where the input has other channels, and where the
  // recording does not fit it, with the option that makes it fit.
  static Result<StepCutter> Create(const CutOptions& options, const InputPlane& input,
                                   const std::optional<SensorSize>& sensor);

  // Appends events, which come in the order of their time, to `steps`.
  void Cut(std::span<const Event> events, std::vector<TimedEvent>& steps);

  // The first step that has none of the events so far, nor of those to come where steps are made of
  // time: they are in the one before, or later. 0 before the first event.
  uint64_t steps() const { return used_ + left_out_ == 0 ? 0 : last_step_ + 1; }
  uint64_t used() const { return used_; }          // events that reached the network
  uint64_t left_out() const { return left_out_; }  // events beyond the crop or the input
  int64_t first_us() const { return first_us_; }   // of the first and the last event
  int64_t last_us() const { return last_us_; }
  // Seconds from the recording's begin to that of a step; to the last event where steps are made of
  // events.
  double SecondsUntil(uint64_t step) const;
  // Microseconds from the last event to the begin of a step, where steps are made of time.
  int64_t AfterLast(uint64_t step) const;

 private:
  StepCutter(const CutOptions& options, const InputPlane& input)
      : options_(options), input_(input) {}
  Status Place(const std::optional<SensorSize>& sensor);
  std::optional<uint32_t> AddressOf(const Event& event) const;

  CutOptions options_;
  InputPlane input_;
  uint32_t left_ = 0;
  uint32_t top_ = 0;
  uint32_t width_ = 0;  // of the part of the sensor that is used
  uint32_t height_ = 0;
  std::optional<int64_t> begin_us_;
  uint64_t last_step_ = 0;
  uint64_t used_ = 0;
  uint64_t left_out_ = 0;
  int64_t first_us_ = 0;
  int64_t last_us_ = 0;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_STEP_CUTTER_H_
