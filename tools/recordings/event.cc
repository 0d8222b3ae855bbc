#include "tools/recordings/event.h"

#include <fmt/format.h>

namespace cssrun::tools {

void Damage::Note(uint64_t offset, const char* what) {
  if (first.empty()) first = fmt::format("at byte {}: {}", offset, what);
}

std::string Describe(const Damage& damage) {
  struct Count {
    uint64_t count;
    const char* one;
    const char* many;
  };
  const Count counts[] = {
      {damage.packets, "packet left out", "packets left out"},
      {damage.records, "record left out", "records left out"},
      {damage.outside, "event outside the sensor left out", "events outside the sensor left out"},
      {damage.misplaced, "event whose time does not fit, taken at the time of the one before",
       "events whose times do not fit, taken at the time of the one before"},
      {damage.clock_leaps, "leap of the clock, after which time goes on",
       "leaps of the clock, after which time goes on"},
      {damage.fractions,
       "time with a fraction taken for microseconds, as the whole ones before it; a first line "
       "t_s,x,y,p or t_us,x,y,p says what it is",
       "times with a fraction taken for microseconds, as the whole ones before them; a first line "
       "t_s,x,y,p or t_us,x,y,p says what they are"},
      {damage.bytes, "byte belongs to no record", "bytes belong to no record"}};
  std::string text;
  for (const Count& count : counts) {
    if (count.count == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", count.count, count.count == 1 ? count.one : count.many);
  }
  if (!damage.first.empty()) text += " (first " + damage.first + ")";
  return text;
}

}  // namespace cssrun::tools
