// Tests that every format is read as a writer of the test wrote it, and what happens to damaged
// ones.
#include "tools/recordings/recording.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/tools/recordings/write_recordings.h"

namespace cssrun::tools {
namespace {

struct Read {
  std::string error;
  RecordingFormat format = RecordingFormat::kCsv;
  std::optional<SensorSize> sensor;
  std::vector<Event> events;
  Damage damage;
};

Read ReadAll(Recording& recording) {
  Read read;
  read.format = recording.format();
  std::vector<Event> events;
  do {
    const Status status = recording.Next(events);
    if (!status.ok()) {
      read.error = status.message();
      break;
    }
    read.events.insert(read.events.end(), events.begin(), events.end());
  } while (!events.empty());
  read.sensor = recording.sensor();
  read.damage = recording.damage();
  return read;
}

Read ReadAll(const Bytes& bytes) {
  Result<std::unique_ptr<Recording>> opened = Recording::OfBytes(bytes, "recording");
  if (opened.ok()) return ReadAll(*opened.value());
  Read read;
  read.error = opened.status().message();
  return read;
}

struct Sample {
  std::string name;
  RecordingFormat format = RecordingFormat::kCsv;
  Bytes bytes;
  std::vector<Event> events;
  std::optional<SensorSize> sensor;
};

// Each format, with `count` events; in all of those the times' fields start again at 0 at least
// once where that can be.
std::vector<Sample> Samples(size_t count) {
  constexpr SensorSize kSmall = {34, 34};
  constexpr SensorSize kHd = {1280, 720};
  constexpr SensorSize kDvs128 = {128, 128};
  constexpr SensorSize kDavis240 = {240, 180};
  constexpr SensorSize kDavis346 = {346, 260};
  constexpr int64_t kNow = 1'605'507'430'438'338;
  const auto events = [count](SensorSize sensor, int64_t first = 0) {
    return RandomEvents(static_cast<uint32_t>(count + sensor.width), count, sensor, first);
  };
  const auto nmnist = events(kSmall, 650);
  const auto late = events(kHd, (int64_t{1} << 32) - 20'000);
  const auto old = events({304, 240});
  const auto evt2 = events(kHd, (int64_t{1} << 34) - 20'000);
  const auto evt3 = events(kHd, 16'700'000);
  const auto dvs = events(kDvs128, (int64_t{1} << 32) - 20'000);
  const auto davis = events(kDavis240, 12);
  const auto davis346 = events(kDavis346, 12);
  const auto cer = events(kDavis240, (int64_t{1} << 31) - 20'000);
  const auto dv = events(kDavis346, kNow);
  using Format = RecordingFormat;
  return {
      {"N-MNIST", Format::kNmnist, WriteNmnist(nmnist), nmnist, {}},
      {"dat 1", Format::kDat, WriteDat(old, 1, "% Data file containing 2D events\n"), old, {}},
      {"dat 2", Format::kDat,
       WriteDat(late, 2,
                "% Data file containing CD events\n% Version 2\n% Width 1280\n% Height 720\n"),
       late, kHd},
      {"EVT 2", Format::kEvt2, WriteEvt2(evt2, kHd), evt2, kHd},
      {"EVT 3", Format::kEvt3, WriteEvt3(evt3, kHd), evt3, kHd},
      {"AEDAT 2 of a DVS128", Format::kAedat2, WriteAedat2(dvs, "DVS128"), dvs, kDvs128},
      {"AEDAT 2 of a DAVIS240", Format::kAedat2, WriteAedat2(davis, "DAVIS240"), davis, kDavis240},
      {"AEDAT 2 of a DAVIS346", Format::kAedat2, WriteAedat2(davis346, "DAVIS346"), davis346,
       kDavis346},
      {"AEDAT 3.1", Format::kAedat3, WriteAedat3(cer, 7), cer, kDavis240},
      {"AEDAT4", Format::kAedat4, WriteAedat4(dv, {.others = true}), dv, kDavis346},
      {"AEDAT4 after an interruption", Format::kAedat4, WriteAedat4(dv, {.table = false}), dv,
       kDavis346},
      {"AEDAT4 without LZ4", Format::kAedat4, WriteAedat4(dv, {.lz4 = false}), dv, kDavis346},
      {"CSV", Format::kCsv, WriteCsv(dv), dv, {}},
      {"CSV with names", Format::kCsv, WriteCsv(dv, "Time, X, Y, Polarity\r\n"), dv, {}},
  };
}

// Where the clock of a format starts anew, its first times are as if it had just started.
std::vector<Event> FromTheClock(const Sample& sample) {
  const int64_t period = sample.format == RecordingFormat::kDat      ? int64_t{1} << 32
                         : sample.format == RecordingFormat::kAedat2 ? int64_t{1} << 32
                         : sample.format == RecordingFormat::kEvt2   ? int64_t{1} << 34
                         : sample.format == RecordingFormat::kEvt3   ? int64_t{1} << 24
                         : sample.format == RecordingFormat::kNmnist ? int64_t{1} << 23
                                                                     : int64_t{1} << 62;
  std::vector<Event> events = sample.events;
  const int64_t rounds = events.empty() ? 0 : events[0].time_us / period * period;
  for (Event& event : events) event.time_us -= rounds;
  return events;
}

TEST(RecordingTest, EveryFormatIsReadAsItWasWritten) {
  for (const size_t count : {1U, 50U, 30'000U}) {
    for (const Sample& sample : Samples(count)) {
      SCOPED_TRACE(sample.name + " with " + std::to_string(count));
      const Read read = ReadAll(sample.bytes);
      EXPECT_EQ(read.error, "");
      EXPECT_EQ(read.format, sample.format);
      EXPECT_EQ(read.sensor, sample.sensor);
      EXPECT_EQ(Describe(read.damage), "");
      EXPECT_TRUE(read.events == FromTheClock(sample)) << read.events.size() << " events";
    }
  }
}

// Whatever is cut off, what came before is read, and what is left is counted.
TEST(RecordingTest, EveryCutIsRead) {
  for (const Sample& sample : Samples(40)) {
    const std::vector<Event> events = FromTheClock(sample);
    size_t most = 0;
    for (size_t size = 0; size < sample.bytes.size(); ++size) {
      SCOPED_TRACE(sample.name + " cut to " + std::to_string(size));
      const Bytes bytes(sample.bytes.begin(), sample.bytes.begin() + static_cast<ptrdiff_t>(size));
      Read read = ReadAll(bytes);
      if (!read.error.empty()) {
        EXPECT_TRUE(read.events.empty());
        continue;
      }
      ASSERT_GE(read.events.size() + 1, most);  // a CSV's last number may have become wrong
      most = std::max(most, read.events.size());
      if (sample.format == RecordingFormat::kCsv && !read.events.empty()) read.events.pop_back();
      ASSERT_LE(read.events.size(), events.size());
      ASSERT_TRUE(std::equal(read.events.begin(), read.events.end(), events.begin()));
    }
    EXPECT_GE(most + 10, events.size()) << sample.name;
  }
}

TEST(RecordingTest, WhatIsCutOffIsNamed) {
  const auto events = RandomEvents(1, 20, {34, 34});
  Bytes bytes = WriteNmnist(events);
  bytes.pop_back();
  const Read read = ReadAll(bytes);
  EXPECT_EQ(read.events.size(), 19U);
  EXPECT_EQ(Describe(read.damage),
            "4 bytes belong to no record (first at byte 95: the last record is not whole)");
}

TEST(RecordingTest, TimesThatDoNotFitAreCounted) {
  // A little; by one damaged time in either direction; and by a clock that was set anew.
  const std::vector<Event> events = {
      {5000, 1, 1, 1},    {4000, 2, 2, 0},      {600'000, 3, 3, 1},  {7, 4, 4, 0},
      {600'100, 5, 5, 0}, {9'000'000, 6, 6, 1}, {600'200, 7, 7, 1},  {100, 8, 8, 0},
      {350, 9, 9, 0},     {2'000'350, 1, 2, 0}, {2'000'360, 1, 2, 0}};
  const Read read = ReadAll(WriteCsv(events));
  const std::vector<Event> expected = {
      {5000, 1, 1, 1},    {5000, 2, 2, 0},      {600'000, 3, 3, 1},  {600'000, 4, 4, 0},
      {600'100, 5, 5, 0}, {600'100, 6, 6, 1},   {600'200, 7, 7, 1},  {600'200, 8, 8, 0},
      {600'450, 9, 9, 0}, {2'600'450, 1, 2, 0}, {2'600'460, 1, 2, 0}};
  EXPECT_EQ(read.events, expected);
  EXPECT_EQ(read.damage.misplaced, 3U);
  EXPECT_EQ(read.damage.clock_leaps, 1U);
}

// At the end nothing bears a time out: a long silence is believed, a fall is not.
TEST(RecordingTest, TheLastTimeMayLeap) {
  const Read silence = ReadAll(WriteCsv({{0, 1, 1, 1}, {5'000'000, 2, 2, 0}}));
  EXPECT_EQ(silence.events, (std::vector<Event>{{0, 1, 1, 1}, {5'000'000, 2, 2, 0}}));
  EXPECT_FALSE(silence.damage.any());
  const Read fall = ReadAll(WriteCsv({{5'000'000, 1, 1, 1}, {0, 2, 2, 0}}));
  EXPECT_EQ(fall.events, (std::vector<Event>{{5'000'000, 1, 1, 1}, {5'000'000, 2, 2, 0}}));
  EXPECT_EQ(fall.damage.misplaced, 1U);
}

TEST(RecordingTest, EventsOutsideTheSensorAreLeftOut) {
  std::vector<Event> events = RandomEvents(3, 30, {640, 480});
  events[7].x = 640;
  events[9].y = 2000;
  const Read read = ReadAll(WriteEvt2(events, {640, 480}));
  EXPECT_EQ(read.events.size(), 28U);
  EXPECT_EQ(read.damage.outside, 2U);
}

// A damaged packet costs its own events alone.
TEST(RecordingTest, PacketsAfterADamagedOneAreRead) {
  const auto events = RandomEvents(4, 100, {346, 260}, 77);
  const Bytes sound = WriteAedat4(events, {.in_packet = 10});
  // Each fourth byte in turn, from the second packet on; the first one tells which stream it is.
  const uint8_t mark[] = {0x04, 0x22, 0x4D, 0x18};
  const auto first = std::search(sound.begin(), sound.end(), std::begin(mark), std::end(mark));
  const auto second = std::search(first + 4, sound.end(), std::begin(mark), std::end(mark)) - 8;
  for (auto at = static_cast<size_t>(second - sound.begin()); at + 40 < sound.size(); at += 4) {
    SCOPED_TRACE(at);
    Bytes bytes = sound;
    bytes[at] ^= 0xFF;
    const Read read = ReadAll(bytes);
    EXPECT_EQ(read.error, "");
    ASSERT_GE(read.events.size(), 80U);
    EXPECT_TRUE(read.events.size() == 100 || read.damage.any());
  }
}

TEST(RecordingTest, PacketsAfterADamagedHeaderAreFound) {
  const auto events = RandomEvents(5, 100, {240, 180}, 77);
  const Bytes sound = WriteAedat3(events, 10);
  const std::string end = "#!END-HEADER\r\n";
  const auto found = std::search(sound.begin(), sound.end(), end.begin(), end.end());
  const auto packets = static_cast<size_t>(found - sound.begin()) + end.size();
  Bytes bytes = sound;
  bytes[packets + 4] = 0xFF;  // the size of its events
  const Read read = ReadAll(bytes);
  EXPECT_EQ(read.events.size(), 90U);
  EXPECT_EQ(read.damage.packets, 1U);
  EXPECT_GT(read.damage.bytes, 80U);
}

TEST(RecordingTest, LinesThatAreNoEventsAreLeftOut) {
  const std::string text =
      "# recorded by hand\np;x;y;t_ms;more\n1;2;3;0.5;a\n1;2;x;1;a\n1;2;3\n\n"
      "-1;4;5;2;a\r\nfalse;70000;5;3;a\noff;6;7;4;" +
      std::string(5000, 'b') + "\noff;6;7;5;c";
  const Read read = ReadAll({text.begin(), text.end()});
  const std::vector<Event> expected = {{500, 2, 3, 1}, {2000, 4, 5, 0}, {5000, 6, 7, 0}};
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.events, expected);
  EXPECT_EQ(read.damage.records, 4U);
}

TEST(RecordingTest, TimesWithAPointAreSeconds) {
  const std::string text = "240 180\n0.003811000 96 133 0\n1.5 0 0 1\n";
  const Read read = ReadAll({text.begin(), text.end()});
  const std::vector<Event> expected = {{3811, 96, 133, 0}, {1'500'000, 0, 0, 1}};
  EXPECT_EQ(read.events, expected);
  EXPECT_EQ(read.sensor, (SensorSize{240, 180}));
}

// A recording that is counted from its first event begins with 0, which tells no unit.
TEST(RecordingTest, AZeroTellsNoUnit) {
  const std::string text = "0,1,1,0\n0.000250,2,2,+1\n0.001,3,3,-1\n";
  const Read read = ReadAll({text.begin(), text.end()});
  const std::vector<Event> expected = {{0, 1, 1, 0}, {250, 2, 2, 1}, {1000, 3, 3, 0}};
  EXPECT_EQ(read.events, expected);
  EXPECT_FALSE(read.damage.any());
}

// As pandas and NumPy write columns of floats.
TEST(RecordingTest, WholeTimesAreMicrosecondsHoweverTheyAreWritten) {
  for (const std::string text :
       {"1200.0,1,1,0\n2400.0,2,2,1\n", "1.200e+03 1.0e+00 1.0e+00 0.0e+00\n2.4e+03 2 2 1\n",
        "1200;1;1;0\n2400;2;2;1\n", "\"1200\",\"1\",\"1\",\"0\"\n2400,2,2,1\n"}) {
    const Read read = ReadAll({text.begin(), text.end()});
    const std::vector<Event> expected = {{1200, 1, 1, 0}, {2400, 2, 2, 1}};
    EXPECT_EQ(read.events, expected) << text;
    EXPECT_FALSE(read.damage.any()) << text;
  }
  const std::string text = "1,1,1,0\n1.000250,2,2,1\n";
  const Read read = ReadAll({text.begin(), text.end()});
  EXPECT_EQ(read.damage.fractions, 1U);
  EXPECT_NE(Describe(read.damage).find("t_s,x,y,p"), std::string::npos);
}

TEST(RecordingTest, FieldsStayInTheirColumns) {
  const std::vector<Event> expected = {{500, 2, 3, 1}, {600, 4, 5, 0}};
  for (const std::string text :
       {",t,x,y,p\n0,500,2,3,1\n1,600,4,5,0\n", "\tt\tx\ty\tp\n0\t500\t2\t3\t1\n1\t600\t4\t5\t0\n",
        "x,y,p,t\n2,3,1,500\n4,5,0,600\n", "\"p\",\"x\",\"y\",\"t\"\n1,2,3,500\n0,4,5,600\n",
        "t [us] , x , y , p \n 500 , 2 , 3 , 1 \n600,4,5,0\n",
        "# in \xC2\xB5s\nt(ms),x,y,p\n0.5,2,3,1\n0.6,4,5,0\n"}) {
    const Read read = ReadAll({text.begin(), text.end()});
    EXPECT_EQ(read.error, "") << text;
    EXPECT_EQ(read.events, expected) << text;
    EXPECT_FALSE(read.damage.any()) << text;
  }
  // An empty field is not passed over.
  const std::string text = "500,2,3,1,0\n600,,4,5,1\n";
  const Read read = ReadAll({text.begin(), text.end()});
  EXPECT_EQ(read.events.size(), 1U);
  EXPECT_EQ(read.damage.records, 1U);
}

// Columns in an order that is not said would make events of nonsense.
TEST(RecordingTest, ColumnsInAnotherOrderAreRefused) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "4,5,1," + std::to_string(1000 + i) + "\n";
  EXPECT_NE(ReadAll({text.begin(), text.end()}).error.find("text without events"),
            std::string::npos);
  text = "xs,ys,ps,ts\n" + text;
  EXPECT_NE(ReadAll({text.begin(), text.end()}).error.find("the first of them xs; name them so"),
            std::string::npos);
  // A line that is no event, but has numbers, is no line of names.
  text = "inf,1,1,1\n0x5,1,1,1\n5,1,1,1\n";
  const Read read = ReadAll({text.begin(), text.end()});
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.events, std::vector<Event>(1, {5, 1, 1, 1}));
}

TEST(RecordingTest, TextOfMetavisionIsRead) {
  const std::string text = "%geometry:1280,720\n845,334,1,7000000\n3,719,0,7000010\n";
  const Read read = ReadAll({text.begin(), text.end()});
  const std::vector<Event> expected = {{7'000'000, 845, 334, 1}, {7'000'010, 3, 719, 0}};
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.events, expected);
  EXPECT_EQ(read.sensor, (SensorSize{1280, 720}));
}

TEST(RecordingTest, WhatIsNoRecordingIsNamed) {
  const auto refusal = [](const std::string& text) {
    return ReadAll({text.begin(), text.end()}).error;
  };
  EXPECT_EQ(refusal(""), "recording: empty");
  EXPECT_EQ(refusal("\x89PNG\r\n\x1a\n and so on"),
            "recording: an image, not a recording of events");
  EXPECT_NE(refusal("Once upon a time\nthere was\n").find("text without events"),
            std::string::npos);
  EXPECT_NE(refusal("\x1F\x8B\x08 and so on").find("gunzip -c FILE"), std::string::npos);
  // Their first times do not fall, as those of N-MNIST.
  EXPECT_NE(refusal("PK\x03\x04" + std::string(60, '\0')).find("a ZIP archive"), std::string::npos);
  EXPECT_NE(refusal("\x89HDF\r\n\x1A\n" + std::string(60, '\0')).find("HDF5"), std::string::npos);
  EXPECT_NE(refusal("a.bin" + std::string(252, '\0') + "ustar").find("a tar archive"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(1000, '\0')).find("no recording of events"), std::string::npos);
  EXPECT_NE(refusal(std::string(1000, '\xFF')).find("no recording of events"), std::string::npos);
  EXPECT_NE(refusal("#!AER-DAT1.0\r\nxyz").find("an AEDAT of version 1.0"), std::string::npos);
  EXPECT_NE(refusal("% evt 2.1\n% end\n").find("metavision_file_to_dat"), std::string::npos);
  EXPECT_NE(refusal("% what\nxx").find("neither which EVT nor which version"), std::string::npos);
  EXPECT_NE(refusal("% Version 3\n\x0C\x08").find("versions 1 and 2"), std::string::npos);
  EXPECT_NE(refusal(std::string("\xFF\x03\x80\x99\x01\x00\x00\x7F\x55\x01\xFF\x00\x01\x00\x01", 15))
                .find("no recording of events"),
            std::string::npos);
  EXPECT_NE(refusal("#!AER-DAT2.0\r\n# AEChip: Cochlea\r\nxyz").find("Cochlea"), std::string::npos);
}

// A packet that unpacks to more than memory should hold, in few bytes.
TEST(RecordingTest, APacketOfGigabytesIsLeftOut) {
  const auto events = RandomEvents(6, 10, {346, 260});
  Bytes bytes = WriteAedat4(events, {.table = false});
  const Bytes bomb = UnpacksTo((size_t{64} << 20) + 1);
  bytes.insert(bytes.end(), bomb.begin(), bomb.end());
  const Read read = ReadAll(bytes);
  EXPECT_EQ(read.events.size(), 10U);
  EXPECT_EQ(read.damage.packets, 1U);
  EXPECT_NE(Describe(read.damage).find("64 MiB"), std::string::npos);
}

// Of ../shared/events, by what Python's NumPy and lz4 read.
struct SharedSample {
  const char* name;
  size_t events;
  int64_t first_us;
  int64_t last_us;
  uint64_t brighter;
  uint64_t sum_x;
  uint64_t sum_y;
};

TEST(RecordingTest, SharedSamplesAreReadAsPythonDoes) {
  const SharedSample samples[] = {
      {"sample_nmnist.bin", 4325, 654, 311175, 2145, 74457, 71931},
      {"sample_ncars.dat", 2009, 0, 99952, 1350, 93457, 40463},
      {"sample.aedat4", 111954, 1605537493718345, 1605537494308262, 55023, 18342405, 15105898}};
  for (const SharedSample& sample : samples) {
    const std::string path = std::string(CSSRUN_SOURCE_DIR "/../shared/events/") + sample.name;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "../shared/events is not there";
    SCOPED_TRACE(sample.name);
    Result<std::unique_ptr<Recording>> opened = Recording::Open(path);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    const Read read = ReadAll(*opened.value());
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(Describe(read.damage), "");
    ASSERT_EQ(read.events.size(), sample.events);
    EXPECT_EQ(read.events.front().time_us, sample.first_us);
    EXPECT_EQ(read.events.back().time_us, sample.last_us);
    uint64_t sums[3] = {};
    for (const Event& event : read.events) {
      sums[0] += event.polarity;
      sums[1] += event.x;
      sums[2] += event.y;
    }
    EXPECT_EQ(sums[0], sample.brighter);
    EXPECT_EQ(sums[1], sample.sum_x);
    EXPECT_EQ(sums[2], sample.sum_y);
  }
}

}  // namespace
}  // namespace cssrun::tools
