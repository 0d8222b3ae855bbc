// Events of an event camera, and what reading them met besides.
#ifndef CSSRUN_TOOLS_RECORDINGS_EVENT_H_
#define CSSRUN_TOOLS_RECORDINGS_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cssrun::tools {

// One pixel became brighter (polarity 1) or darker (0). Column 0, row 0 is the upper left corner.
struct Event {
  int64_t time_us = 0;
  uint16_t x = 0;
  uint16_t y = 0;
  uint8_t polarity = 0;

  bool operator==(const Event&) const = default;
};

struct SensorSize {
  uint32_t width = 0;
  uint32_t height = 0;

  bool operator==(const SensorSize&) const = default;
};

// What is wrong with a recording. Everything else of it is used.
struct Damage {
  uint64_t misplaced = 0;  // events whose time does not fit, taken at the time of the one before
  // The clock fell back by more than 10 ms, or leapt by more than an hour: time goes on from there.
  uint64_t clock_leaps = 0;
  uint64_t outside = 0;  // events outside the sensor, left out
  uint64_t records = 0;  // records, words or lines that mean nothing, left out
  uint64_t packets = 0;  // packets that could not be read, left out
  uint64_t bytes = 0;    // bytes that belong to no record: between packets, or at the end
  // Text: times with a fraction after whole ones, which were taken for microseconds.
  uint64_t fractions = 0;
  std::string first;  // what is wrong first, and where: "packet at byte 512: ..."

  bool any() const {
    return misplaced + clock_leaps + outside + records + packets + bytes + fractions > 0;
  }
  // Keeps the first of all messages.
  void Note(uint64_t offset, const char* what);
};

// Returns one line such as "3 packets left out, 5 bytes belong to no record (packet at byte 512:
// ...)"; empty where nothing is wrong.
std::string Describe(const Damage& damage);

// What a decoder adds to.
struct Decoded {
  std::vector<Event> events;
  std::optional<SensorSize> sensor;  // once it is known
  Damage damage;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_EVENT_H_
