// Events as text: a line each, of time, x, y and polarity, separated by commas, semicolons, tabs or
// blanks. A first line of names (t, x, y, p, and longer ones) may order them otherwise; a first
// line of two numbers, as in files of the UZH, is the sensor's size.
//
// Whole times are us, times with a point seconds, unless the column's name says us, ms, s or ns.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr size_t kLongestLine = 4096;
constexpr size_t kMostFields = 32;  // further ones are not looked at
// So many lines that mean nothing, before any that does, and this is no recording.
constexpr uint64_t kMostBadLines = 8;
constexpr double kLatest = 9e15;  // us: 285 years, below 2^53

enum Column { kTime, kX, kY, kPolarity, kColumns };

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

struct Fields {
  std::array<std::string_view, kMostFields> at;
  size_t count = 0;
};

bool Separates(char c) { return c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\r'; }

Fields Split(std::string_view line) {
  Fields fields;
  size_t at = 0;
  while (at < line.size() && fields.count < kMostFields) {
    if (Separates(line[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < line.size() && !Separates(line[at])) ++at;
    fields.at[fields.count++] = line.substr(begin, at - begin);
  }
  return fields;
}

std::optional<double> NumberIn(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<uint16_t> CoordinateIn(std::string_view text) {
  const std::optional<double> number = NumberIn(text);
  if (!number.has_value() || *number < 0 || *number > 65535 || *number != std::floor(*number)) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(*number);
}

std::optional<uint8_t> PolarityIn(std::string_view text) {
  if (const std::optional<double> number = NumberIn(text)) return *number > 0 ? 1 : 0;
  const std::string word = Lower(text);
  if (word == "true" || word == "on") return 1;
  if (word == "false" || word == "off") return 0;
  return std::nullopt;
}

// The column that a name means, and a time's unit in us where the name says it.
struct Named {
  Column column = kColumns;
  double unit = 0;
};

Named ColumnNamed(std::string_view name) {
  const std::string word = Lower(name);
  if (word == "x") return {kX};
  if (word == "y") return {kY};
  if (word == "p" || word == "pol" || word == "polarity" || word == "on") return {kPolarity};
  constexpr std::pair<const char*, double> kUnits[] = {
      {"", 0}, {"_us", 1}, {"_ms", 1e3}, {"_s", 1e6}, {"_ns", 1e-3}};
  for (const auto& [unit, factor] : kUnits) {
    for (const char* stem : {"t", "ts", "time", "timestamp"}) {
      if (word == std::string(stem) + unit) return {kTime, factor};
    }
  }
  return {};
}

class CsvDecoder final : public Decoder {
 public:
  Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                        Decoded& decoded) override {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    size_t at = 0;
    while (at < text.size()) {
      const size_t end = text.find('\n', at);
      const bool whole = end != std::string_view::npos;
      const std::string_view line = text.substr(at, whole ? end - at : std::string_view::npos);
      if (line.size() > kLongestLine) {
        if (!skipping_) LeaveOut(offset + at, decoded);
        skipping_ = !whole;
      } else if (!whole && !last) {
        break;
      } else if (!skipping_) {
        Take(line, offset + at, decoded);
      } else {
        skipping_ = false;
      }
      at = whole ? end + 1 : text.size();
      if (!understood_ && decoded.damage.records >= kMostBadLines) return NoRecording();
    }
    if (last && !understood_) return NoRecording();
    return at;
  }

 private:
  static Status NoRecording() {
    return Status::InvalidArgument(
        "text without events; each line is time,x,y,polarity, or the first line names the columns: "
        "t,x,y,p");
  }

  static void LeaveOut(uint64_t offset, Decoded& decoded) {
    ++decoded.damage.records;
    decoded.damage.Note(offset, "a line that is no event");
  }

  void Take(std::string_view line, uint64_t offset, Decoded& decoded) {
    if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    const bool comment = line.starts_with('#') || line.starts_with('%');
    if (comment) line.remove_prefix(1);
    const Fields fields = Split(line);
    if (fields.count == 0) return;
    if (!understood_ && TakeNames(fields)) return;
    if (comment) return;
    if (!understood_ && fields.count == 2 && TakeSize(fields, decoded)) return;
    if (!TakeEvent(fields, decoded)) LeaveOut(offset, decoded);
  }

  bool TakeNames(const Fields& fields) {
    std::array<size_t, kColumns> places;
    places.fill(kMostFields);
    double unit = 0;
    for (size_t i = 0; i < fields.count; ++i) {
      const Named named = ColumnNamed(fields.at[i]);
      if (named.column == kColumns) continue;
      places[named.column] = i;
      if (named.column == kTime) unit = named.unit;
    }
    if (std::ranges::find(places, kMostFields) != places.end()) return false;
    places_ = places;
    unit_ = unit;
    understood_ = true;
    return true;
  }

  static bool TakeSize(const Fields& fields, Decoded& decoded) {
    const std::optional<uint16_t> width = CoordinateIn(fields.at[0]);
    const std::optional<uint16_t> height = CoordinateIn(fields.at[1]);
    if (width.value_or(0) == 0 || height.value_or(0) == 0) return false;
    decoded.sensor = SensorSize{*width, *height};
    return true;
  }

  bool TakeEvent(const Fields& fields, Decoded& decoded) {
    if (fields.count <= *std::ranges::max_element(places_)) return false;
    const std::string_view text = fields.at[places_[kTime]];
    const std::optional<double> time = NumberIn(text);
    const std::optional<uint16_t> x = CoordinateIn(fields.at[places_[kX]]);
    const std::optional<uint16_t> y = CoordinateIn(fields.at[places_[kY]]);
    const std::optional<uint8_t> polarity = PolarityIn(fields.at[places_[kPolarity]]);
    if (!time.has_value() || !x.has_value() || !y.has_value() || !polarity.has_value())
      return false;
    const double unit = unit_ > 0 ? unit_ : text.find_first_of(".eE") < text.size() ? 1e6 : 1;
    const double microseconds = std::floor(*time * unit + 0.5);
    if (!(std::abs(microseconds) < kLatest)) return false;
    unit_ = unit;
    understood_ = true;
    decoded.events.push_back({static_cast<int64_t>(microseconds), *x, *y, *polarity});
    return true;
  }

  std::array<size_t, kColumns> places_ = {0, 1, 2, 3};
  double unit_ = 0;          // of a time, in us; 0 until the first event tells it
  bool understood_ = false;  // names or an event were read
  bool skipping_ = false;    // the rest of a line that is too long
};

}  // namespace

std::unique_ptr<Decoder> NewCsvDecoder() { return std::make_unique<CsvDecoder>(); }

}  // namespace cssrun::tools
