// Tests how events become the steps and addresses of a network.
#include "tools/recordings/step_cutter.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace cssrun::tools {
namespace {

constexpr InputPlane kTwo = {2, 4, 5};  // channels, height, width

// Steps and addresses.
std::vector<std::pair<uint64_t, uint32_t>> Cut(StepCutter& cutter,
                                               const std::vector<Event>& events) {
  std::vector<TimedEvent> steps;
  cutter.Cut(events, steps);
  std::vector<std::pair<uint64_t, uint32_t>> pairs;
  for (const TimedEvent& step : steps) {
    EXPECT_EQ(step.value, 1);
    pairs.emplace_back(step.step, step.address);
  }
  return pairs;
}

using Pairs = std::vector<std::pair<uint64_t, uint32_t>>;

StepCutter MakeCutter(const CutOptions& options, const InputPlane& input,
                      const std::optional<SensorSize>& sensor = {}) {
  Result<StepCutter> cutter = StepCutter::Create(options, input, sensor);
  EXPECT_TRUE(cutter.ok()) << cutter.status().message();
  return cutter.value();
}

TEST(StepCutterTest, BinsOfTimeBeginWithTheRecordingsClock) {
  StepCutter cutter = MakeCutter({}, kTwo);
  EXPECT_EQ(cutter.steps(), 0U);
  const Pairs expected = {{0, 0}, {0, 26}, {1, 39}, {1, 6}, {312, 0}};
  EXPECT_EQ(
      Cut(cutter,
          {{654, 0, 0, 0}, {999, 1, 1, 1}, {1000, 4, 3, 1}, {1999, 1, 1, 0}, {312'000, 0, 0, 0}}),
      expected);
  EXPECT_EQ(cutter.steps(), 313U);
  EXPECT_EQ(cutter.SecondsUntil(312), 0.312);
}

TEST(StepCutterTest, BinsBeginWithTheFirstEventWhereTheClockIsAnothers) {
  StepCutter cutter = MakeCutter({.bin_us = 100}, kTwo);
  const int64_t now = 1'605'507'430'438'338;
  const Pairs expected = {{0, 0}, {0, 0}, {1, 0}};
  EXPECT_EQ(Cut(cutter, {{now, 0, 0, 0}, {now + 99, 0, 0, 0}, {now + 100, 0, 0, 0}}), expected);
  EXPECT_EQ(cutter.SecondsUntil(1), 1e-4);
}

TEST(StepCutterTest, BinsOfEventsTakeNoNoticeOfTime) {
  StepCutter cutter = MakeCutter({.bin_events = 2}, kTwo);
  std::vector<Event> events;
  for (int i = 0; i < 5; ++i) events.push_back({i * 1'000'000, 0, 0, 0});
  events[1].x = 99;  // left out, and not counted
  const Pairs expected = {{0, 0}, {0, 0}, {1, 0}, {1, 0}};
  EXPECT_EQ(Cut(cutter, events), expected);
  EXPECT_EQ(cutter.left_out(), 1U);
  EXPECT_EQ(cutter.steps(), 2U);
  EXPECT_EQ(cutter.SecondsUntil(2), 4);
}

TEST(StepCutterTest, OneChannelTakesBothPolarities) {
  StepCutter cutter = MakeCutter({}, {1, 4, 5});
  const Pairs expected = {{0, 7}, {0, 7}};
  EXPECT_EQ(Cut(cutter, {{0, 2, 1, 0}, {0, 2, 1, 1}}), expected);
}

TEST(StepCutterTest, CropsTheMiddleOrAPlaceAndScales) {
  const Event corner = {0, 10, 20, 0};
  StepCutter middle = MakeCutter({.crop = Crop{5, 4, {}}}, kTwo, SensorSize{25, 44});
  EXPECT_EQ(Cut(middle, {corner, {0, 14, 23, 0}, {0, 15, 20, 0}, {0, 9, 20, 0}, {0, 10, 19, 0}}),
            (Pairs{{0, 0}, {0, 19}}));
  EXPECT_EQ(middle.left_out(), 3U);
  StepCutter placed = MakeCutter({.crop = ParseCrop("5x4+10+20")}, kTwo);
  EXPECT_EQ(Cut(placed, {corner}), (Pairs{{0, 0}}));
  StepCutter scaled = MakeCutter({.scale = true}, kTwo, SensorSize{640, 480});
  EXPECT_EQ(Cut(scaled, {{0, 127, 119, 0}, {0, 128, 120, 0}, {0, 639, 479, 1}}),
            (Pairs{{0, 0}, {0, 6}, {0, 39}}));
  StepCutter both = MakeCutter({.crop = ParseCrop("10x8+10+20"), .scale = true}, kTwo);
  EXPECT_EQ(Cut(both, {{0, 19, 27, 0}}), (Pairs{{0, 19}}));
}

TEST(StepCutterTest, WhatDoesNotFitIsRefusedWithTheOptionThatHelps) {
  const auto refusal = [](const CutOptions& options, const InputPlane& input,
                          const std::optional<SensorSize>& sensor) {
    const Result<StepCutter> cutter = StepCutter::Create(options, input, sensor);
    return cutter.ok() ? "" : cutter.status().message();
  };
  EXPECT_EQ(refusal({}, kTwo, SensorSize{346, 260}),
            "the sensor has 346 x 260 pixels, the network's input 5 x 4; give --scale, or --crop "
            "5x4 for a part");
  EXPECT_EQ(refusal({.scale = true}, kTwo, SensorSize{346, 260}), "");
  EXPECT_EQ(refusal({.crop = Crop{5, 4, {}}}, kTwo, SensorSize{346, 260}), "");
  EXPECT_NE(refusal({}, {3, 4, 5}, {}).find("3 channels"), std::string::npos);
  EXPECT_NE(refusal({.scale = true}, kTwo, {}).find("--crop WIDTHxHEIGHT+0+0"), std::string::npos);
  EXPECT_NE(refusal({.crop = Crop{5, 4, {}}}, kTwo, {}).find("--crop 5x4+0+0"), std::string::npos);
  EXPECT_NE(refusal({.crop = Crop{5, 4, {}}}, kTwo, SensorSize{3, 3}).find("3 x 3"),
            std::string::npos);
}

TEST(StepCutterTest, ParsesDurationsAndCrops) {
  EXPECT_EQ(ParseDuration("1ms"), 1000);
  EXPECT_EQ(ParseDuration("100us"), 100);
  EXPECT_EQ(ParseDuration("0.3ms"), 300);
  EXPECT_EQ(ParseDuration("2.5s"), 2'500'000);
  for (const char* text : {"", "1", "ms", "0ms", "-1ms", "1 ms", "0.5us", "1h", "nanms", "1e30s"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
  EXPECT_EQ(ParseCrop("128x64"), (Crop{128, 64, {}}));
  EXPECT_EQ(ParseCrop("128x64+1+2"), (Crop{128, 64, Crop::Place{1, 2}}));
  for (const char* text : {"", "128", "0x5", "5x0", "5x5+1", "5x5+1+", "5x5+1+2 ", "-5x5", "axb"}) {
    EXPECT_FALSE(ParseCrop(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace cssrun::tools
