// Events as text: a line each, of time, x, y and polarity, separated by commas, semicolons, tabs or
// blanks. A first line of names (t, x, y, p, and longer ones) may order them otherwise; a first
// line of two numbers, as in files of the UZH, is the sensor's size. Prophesee's Metavision begins
// with %geometry:1280,720 and has x, y, polarity and time in this order.
//
// Unless the column's name says us, ms, s or ns, the first time that is not 0 tells the unit: a
// whole one is of us, also where it is written 1200.0, and one with a fraction of seconds.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "tools/recordings/decoder.h"
#include "tools/utf8.h"

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

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kSeparators = ",;";

// Without blanks and quotation marks around it.
std::string_view Bare(std::string_view text) {
  const auto trim = [&] {
    const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    text.remove_prefix(begin);
    text = text.substr(0, text.find_last_not_of(kBlanks) + 1);
  };
  trim();
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
  text = text.substr(1, text.size() - 2);
  trim();
  return text;
}

// Where commas or semicolons separate, a field may be empty, and what follows it is still that of
// its column: pandas begins a line of names with a comma. Blanks separate where there are neither.
Fields Split(std::string_view line) {
  Fields fields;
  line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
  const bool blanks = line.find_first_of(kSeparators) == std::string_view::npos;
  // An empty first name, as pandas writes it with tabs.
  if (blanks && line.starts_with('\t')) fields.at[fields.count++] = {};
  size_t at = blanks ? std::min(line.find_first_not_of(kBlanks), line.size()) : 0;
  while (at < line.size() && fields.count < kMostFields) {
    const size_t end =
        std::min(line.find_first_of(blanks ? kBlanks : kSeparators, at), line.size());
    fields.at[fields.count++] = Bare(line.substr(at, end - at));
    at = blanks ? std::min(line.find_first_not_of(kBlanks, end), line.size()) : end + 1;
  }
  return fields;
}

std::optional<double> NumberIn(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
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
  if (const std::optional<double> number = NumberIn(text)) {
    // Another number is of another column, or has a meaning that nobody knows.
    if (*number != 0 && std::abs(*number) != 1) return std::nullopt;
    return *number > 0 ? 1 : 0;
  }
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
  std::string word = Lower(name);
  // "t [us]" and "t(us)" are t_us.
  if (const size_t bracket = word.find_first_of("[(");
      bracket < word.size() && (word.back() == ']' || word.back() == ')')) {
    const std::string unit = word.substr(bracket + 1, word.size() - bracket - 2);
    word = std::string(Bare(std::string_view(word).substr(0, bracket))) + "_" + unit;
  }
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
      if (!unknown_names_.empty()) return UnknownNames();
      if (!understood_ && decoded.damage.records >= kMostBadLines) return NoRecording();
    }
    if (last && !understood_) return NoRecording();
    return at;
  }

 private:
  static Status NoRecording() {
    return Status::InvalidArgument(
        "text without events; each line is time,x,y,polarity (0, 1 or -1), or the first line names "
        "the columns: t,x,y,p");
  }
  Status UnknownNames() const {
    return Status::InvalidArgument("columns of other names than t, x, y and p, the first of them " +
                                   unknown_names_ +
                                   "; name them so, such as t_us,x,y,p, in the first line");
  }

  static void LeaveOut(uint64_t offset, Decoded& decoded) {
    ++decoded.damage.records;
    decoded.damage.Note(offset, "a line that is no event");
  }

  void Take(std::string_view line, uint64_t offset, Decoded& decoded) {
    if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    const bool comment = line.starts_with('#') || line.starts_with('%');
    if (comment) line.remove_prefix(1);
    if (comment && !understood_ && TakeGeometry(line, decoded)) return;
    const Fields fields = Split(line);
    if (fields.count == 0) return;
    if (!understood_ && TakeNames(fields)) return;
    if (comment) return;
    if (!understood_ && AreUnknownNames(line, fields)) return;
    if (!understood_ && fields.count == 2 && TakeSize(fields, decoded)) return;
    if (!TakeEvent(fields, offset, decoded)) LeaveOut(offset, decoded);
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

  // Names of columns in an order that nobody knows must not be read in the usual one.
  bool AreUnknownNames(std::string_view line, const Fields& fields) {
    constexpr size_t kLongestName = 64;
    if (fields.count < kColumns || line.find_first_of(kSeparators) == std::string_view::npos) {
      return false;
    }
    std::string_view unknown;
    for (size_t i = 0; i < fields.count; ++i) {
      const std::string_view field = fields.at[i];
      if (field.size() > kLongestName || NumberIn(field) || PolarityIn(field)) return false;
      const Column column = ColumnNamed(field).column;
      if (unknown.empty() && column == kColumns) unknown = field;
    }
    unknown_names_ = unknown;
    return !unknown.empty();
  }

  bool TakeGeometry(std::string_view line, Decoded& decoded) {
    constexpr std::string_view kGeometry = "geometry:";
    if (!line.starts_with(kGeometry)) return false;
    const Fields fields = Split(line.substr(kGeometry.size()));
    if (fields.count != 2 || !TakeSize(fields, decoded)) return false;
    places_ = {3, 0, 1, 2};
    return true;
  }

  static bool TakeSize(const Fields& fields, Decoded& decoded) {
    const std::optional<uint16_t> width = CoordinateIn(fields.at[0]);
    const std::optional<uint16_t> height = CoordinateIn(fields.at[1]);
    if (width.value_or(0) == 0 || height.value_or(0) == 0) return false;
    decoded.sensor = SensorSize{*width, *height};
    return true;
  }

  bool TakeEvent(const Fields& fields, uint64_t offset, Decoded& decoded) {
    if (fields.count <= *std::ranges::max_element(places_)) return false;
    const std::optional<double> time = NumberIn(fields.at[places_[kTime]]);
    const std::optional<uint16_t> x = CoordinateIn(fields.at[places_[kX]]);
    const std::optional<uint16_t> y = CoordinateIn(fields.at[places_[kY]]);
    const std::optional<uint8_t> polarity = PolarityIn(fields.at[places_[kPolarity]]);
    if (!time.has_value() || !x.has_value() || !y.has_value() || !polarity.has_value())
      return false;
    const bool whole = *time == std::floor(*time);
    const double unit = unit_ > 0 ? unit_ : whole ? 1 : 1e6;
    const double microseconds = std::floor(*time * unit + 0.5);
    if (!(std::abs(microseconds) < kLatest)) return false;
    // 0 is 0 in every unit.
    if (unit_ == 0 && *time != 0) {
      unit_ = unit;
      guessed_whole_ = whole;
    } else if (guessed_whole_ && !whole) {
      ++decoded.damage.fractions;
      decoded.damage.Note(offset, "a time with a fraction");
    }
    understood_ = true;
    decoded.events.push_back({static_cast<int64_t>(microseconds), *x, *y, *polarity});
    return true;
  }

  std::array<size_t, kColumns> places_ = {0, 1, 2, 3};
  double unit_ = 0;             // of a time, in us; 0 until a name or an event tells it
  bool guessed_whole_ = false;  // an event told us: its time was whole
  bool understood_ = false;     // names or an event were read
  std::string unknown_names_;   // a column's name that is not known, where all are names
  bool skipping_ = false;       // the rest of a line that is too long
};

}  // namespace

std::unique_ptr<Decoder> NewCsvDecoder() { return std::make_unique<CsvDecoder>(); }

}  // namespace cssrun::tools
