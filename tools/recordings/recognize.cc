// Tells formats by how recordings begin.
#include <algorithm>

#include "tools/decode.h"
#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

using Recognized = Result<std::optional<RecordingFormat>>;
constexpr std::optional<RecordingFormat> kNotYet;

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Recognized RecognizeAedat(std::string_view text, bool whole) {
  constexpr size_t kVersion = sizeof("#!AER-DATx.y") - 1;
  if (text.size() < kVersion && !whole) return kNotYet;
  const std::string_view version = text.substr(9, 3);
  if (version == "2.0") return {RecordingFormat::kAedat2};
  if (version == "3.1") return {RecordingFormat::kAedat3};
  if (version == "4.0") return {RecordingFormat::kAedat4};
  return Status::InvalidArgument("an AEDAT of version " + std::string(version) +
                                 "; versions 2.0, 3.1 and 4.0 are read");
}

// .dat and .raw begin with lines that do so with %.
Recognized RecognizeProphesee(std::span<const uint8_t> bytes, bool whole) {
  HeaderLines lines('%');
  bool dat = false;
  while (const auto line = lines.Next(bytes, whole)) {
    if (Contains(*line, "evt 2.1") || Contains(*line, "evt21") || Contains(*line, "evt 4") ||
        Contains(*line, "evt4")) {
      return Status::InvalidArgument(
          "a .raw of EVT 2.1 or 4.0; EVT 2.0 and 3.0 are read: make a .dat of it: "
          "metavision_file_to_dat -i FILE");
    }
    if (Contains(*line, "evt 3") || Contains(*line, "evt3")) return {RecordingFormat::kEvt3};
    if (Contains(*line, "evt 2") || Contains(*line, "evt2")) return {RecordingFormat::kEvt2};
    dat = dat || Contains(*line, "data file") || Contains(*line, "% version");
    if (*line == "% end") lines.End();
  }
  if (!lines.done()) return kNotYet;
  if (dat) return {RecordingFormat::kDat};
  return Status::InvalidArgument(
      "begins as a recording of Prophesee, but says neither which EVT nor which version it is");
}

bool IsText(std::span<const uint8_t> bytes) {
  constexpr size_t kLook = 4096;
  bytes = bytes.first(std::min(bytes.size(), kLook));
  if (TextOf(bytes).starts_with("\xEF\xBB\xBF")) bytes = bytes.subspan(3);
  return std::ranges::all_of(bytes, [](uint8_t c) {
    return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c < 127);
  });
}

// N-MNIST has no mark, but times that do not fall.
bool IsNmnist(std::span<const uint8_t> bytes) {
  constexpr size_t kRecord = 5;
  constexpr size_t kLook = 64;
  const size_t count = std::min(bytes.size() / kRecord, kLook);
  size_t falls = 0;
  uint32_t before = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t time = Big32(bytes.data() + i * kRecord + 1) & 0x7FFFFF;
    if (time < before) ++falls;
    before = time;
  }
  return count > 0 && falls * 4 <= count;
}

}  // namespace

Recognized Recognize(std::span<const uint8_t> bytes, bool whole) {
  constexpr size_t kFirst = 16;
  constexpr size_t kEnoughText = 64;
  whole = whole || bytes.size() >= kMostRecognized;
  const std::string_view text = TextOf(bytes);
  if (bytes.empty() && whole) return Status::InvalidArgument("empty");
  if (bytes.size() < 5 && !whole) return kNotYet;
  if (text.starts_with("#!AER-DAT") ||
      (!whole && std::string_view("#!AER-DAT").starts_with(text))) {
    return text.size() < 9 ? Recognized(kNotYet) : RecognizeAedat(text, whole);
  }
  if (text[0] == '%') return RecognizeProphesee(bytes, whole);
  if (BeginsAsImage(bytes.first(std::min(bytes.size(), kFirst)))) {
    return Status::InvalidArgument("an image, not a recording of events");
  }
  if (IsText(bytes)) {
    const bool enough = whole || bytes.size() >= kEnoughText || text.find('\n') < text.size();
    return enough ? Recognized(RecordingFormat::kCsv) : Recognized(kNotYet);
  }
  if (IsNmnist(bytes)) return {RecordingFormat::kNmnist};
  return Status::InvalidArgument(
      "no recording of events that is read (N-MNIST .bin, AEDAT 2.0, 3.1 and 4.0, Prophesee .dat "
      "and .raw, CSV)");
}

const char* NameOf(RecordingFormat format) {
  switch (format) {
    case RecordingFormat::kNmnist:
      return "N-MNIST .bin";
    case RecordingFormat::kAedat2:
      return "AEDAT 2.0";
    case RecordingFormat::kAedat3:
      return "AEDAT 3.1";
    case RecordingFormat::kAedat4:
      return "AEDAT4";
    case RecordingFormat::kDat:
      return "Prophesee .dat";
    case RecordingFormat::kEvt2:
      return "Prophesee .raw, EVT 2.0";
    case RecordingFormat::kEvt3:
      return "Prophesee .raw, EVT 3.0";
    case RecordingFormat::kCsv:
      return "CSV";
  }
  return "";
}

std::unique_ptr<Decoder> NewDecoder(RecordingFormat format) {
  switch (format) {
    case RecordingFormat::kNmnist:
      return NewNmnistDecoder();
    case RecordingFormat::kAedat2:
      return NewAedat2Decoder();
    case RecordingFormat::kAedat3:
      return NewAedat3Decoder();
    case RecordingFormat::kAedat4:
      return NewAedat4Decoder();
    case RecordingFormat::kDat:
      return NewDatDecoder();
    case RecordingFormat::kEvt2:
      return NewEvt2Decoder();
    case RecordingFormat::kEvt3:
      return NewEvt3Decoder();
    case RecordingFormat::kCsv:
      break;
  }
  return NewCsvDecoder();
}

}  // namespace cssrun::tools
