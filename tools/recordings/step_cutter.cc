#include "tools/recordings/step_cutter.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

namespace cssrun::tools {
namespace {

// A clock that starts no longer before the first event is the recording's own.
constexpr int64_t kOwnClock = 1'000'000;  // us
constexpr double kLongest = 1e15;         // us

// Takes a number off the text, after `before` if that is not 0.
std::optional<uint32_t> TakeNumber(std::string_view& text, char before) {
  if (before != 0) {
    if (!text.starts_with(before)) return std::nullopt;
    text.remove_prefix(1);
  }
  uint32_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return number;
}

}  // namespace

std::optional<Crop> ParseCrop(const std::string& text) {
  std::string_view rest = text;
  const auto width = TakeNumber(rest, 0);
  const auto height = TakeNumber(rest, 'x');
  if (width.value_or(0) == 0 || height.value_or(0) == 0) return std::nullopt;
  Crop crop{*width, *height, std::nullopt};
  if (rest.empty()) return crop;
  const auto x = TakeNumber(rest, '+');
  const auto y = TakeNumber(rest, '+');
  if (!x.has_value() || !y.has_value() || !rest.empty()) return std::nullopt;
  crop.place = {*x, *y};
  return crop;
}

std::optional<int64_t> ParseDuration(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  constexpr std::pair<std::string_view, double> kUnits[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};
  for (const auto& [unit, factor] : kUnits) {
    if (std::string_view(stop, static_cast<size_t>(end - stop)) != unit) continue;
    const double microseconds = number * factor;
    const double whole = std::round(microseconds);
    // 0.0003 s is not quite 300 us in binary.
    const bool fits =
        whole >= 1 && whole <= kLongest && std::abs(microseconds - whole) <= 1e-9 * whole;
    return fits ? std::optional(static_cast<int64_t>(whole)) : std::nullopt;
  }
  return std::nullopt;
}

Result<StepCutter> StepCutter::Create(const CutOptions& options, const InputPlane& input,
                                      const std::optional<SensorSize>& sensor) {
  if (input.channels != 1 && input.channels != 2) {
    return Status::InvalidArgument(fmt::format(
        "the network's input has {} channels; events have two, one for each polarity, or one for "
        "both: convert a network that takes those",
        input.channels));
  }
  StepCutter cutter(options, input);
  if (Status status = cutter.Place(sensor); !status.ok()) return status;
  return cutter;
}

// Decides which part of the sensor is used.
Status StepCutter::Place(const std::optional<SensorSize>& sensor) {
  if (options_.crop.has_value()) {
    const Crop& crop = *options_.crop;
    width_ = crop.width;
    height_ = crop.height;
    if (sensor.has_value() && (width_ > sensor->width || height_ > sensor->height)) {
      return Status::InvalidArgument(fmt::format("--crop {}x{}: the sensor has {} x {} pixels",
                                                 width_, height_, sensor->width, sensor->height));
    }
    if (crop.place.has_value()) {
      left_ = crop.place->x;
      top_ = crop.place->y;
    } else if (sensor.has_value()) {
      left_ = (sensor->width - width_) / 2;
      top_ = (sensor->height - height_) / 2;
    } else {
      return Status::InvalidArgument(fmt::format(
          "the recording does not say the size of its sensor, so that --crop needs a place: --crop "
          "{}x{}+0+0",
          width_, height_));
    }
  } else if (sensor.has_value()) {
    width_ = sensor->width;
    height_ = sensor->height;
  } else if (options_.scale) {
    return Status::InvalidArgument(
        "the recording does not say the size of its sensor, which --scale needs; give it as --crop "
        "WIDTHxHEIGHT+0+0");
  } else {
    width_ = input_.width;
    height_ = input_.height;
  }
  if (options_.scale || (width_ == input_.width && height_ == input_.height)) return Status::Ok();
  return Status::InvalidArgument(
      fmt::format("{} has {} x {} pixels, the network's input {} x {}; give --scale, or --crop "
                  "{}x{} for a part",
                  options_.crop.has_value() ? "what --crop leaves" : "the sensor", width_, height_,
                  input_.width, input_.height, input_.width, input_.height));
}

std::optional<uint32_t> StepCutter::AddressOf(const Event& event) const {
  if (event.x < left_ || event.y < top_) return std::nullopt;
  uint32_t x = event.x - left_;
  uint32_t y = event.y - top_;
  if (x >= width_ || y >= height_) return std::nullopt;
  if (options_.scale) {
    x = static_cast<uint32_t>(uint64_t{x} * input_.width / width_);
    y = static_cast<uint32_t>(uint64_t{y} * input_.height / height_);
  }
  const uint32_t channel = input_.channels == 2 ? event.polarity : 0;
  return (channel * input_.height + y) * input_.width + x;
}

void StepCutter::Cut(std::span<const Event> events, std::vector<TimedEvent>& steps) {
  for (const Event& event : events) {
    if (!begin_us_.has_value()) {
      first_us_ = event.time_us;
      const bool own = first_us_ >= 0 && first_us_ < kOwnClock;
      begin_us_ = own ? 0 : first_us_;
    }
    last_us_ = event.time_us;
    const std::optional<uint32_t> address = AddressOf(event);
    if (options_.bin_events == 0) {
      last_step_ = static_cast<uint64_t>((event.time_us - *begin_us_) / options_.bin_us);
    }
    if (!address.has_value()) {
      ++left_out_;
      continue;
    }
    if (options_.bin_events > 0) last_step_ = used_ / options_.bin_events;
    ++used_;
    steps.push_back({last_step_, *address});
  }
}

double StepCutter::SecondsUntil(uint64_t step) const {
  if (options_.bin_events > 0) return static_cast<double>(last_us_ - begin_us_.value_or(0)) / 1e6;
  return static_cast<double>(step) * static_cast<double>(options_.bin_us) / 1e6;
}

int64_t StepCutter::AfterLast(uint64_t step) const {
  return static_cast<int64_t>(step) * options_.bin_us - (last_us_ - begin_us_.value_or(0));
}

}  // namespace cssrun::tools
