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
      {damage.backwards, "event earlier than the one before it, taken at the time of that one",
       "events earlier than the one before them, taken at the time of that one"},
      {damage.clock_leaps, "leap of the clock, after which time goes on",
       "leaps of the clock, after which time goes on"},
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
