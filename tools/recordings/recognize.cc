// Tells formats by how recordings begin.
#include <algorithm>

#include "tools/file_kinds.h"
#include "tools/recordings/decoder.h"
#include "tools/utf8.h"

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
    if (Contains(*line, "evt 2.1") || Contains(*line, "evt21") || Contains(*line, "evt2.1") ||
        Contains(*line, "evt 4") || Contains(*line, "evt4")) {
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

// In UTF-8: comments and names of columns may have letters beyond ASCII, such as that of us. The
// bytes may end within a letter.
bool IsText(std::span<const uint8_t> bytes) {
  constexpr size_t kLook = 4096;
  bytes = bytes.first(std::min(bytes.size(), kLook));
  size_t after = 0;
  for (const uint8_t c : bytes) {
    if (after > 0) {
      if (!ContinuesCharacter(c)) return false;
      --after;
      continue;
    }
    const bool printable = c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c != 127);
    const size_t length = CharacterLength(c);
    if (!printable || length == 0) return false;
    after = length - 1;
  }
  return true;
}

// What a file of another kind is, and what to do with it. Some would pass for N-MNIST.
const char* OtherKind(FileKind kind) {
  if (IsImage(kind)) return "an image, not a recording of events";
  switch (kind) {
    case FileKind::kGzip:
      return "packed by gzip; unpack it: gunzip -c FILE | cssrun NET -";
    case FileKind::kBzip2:
      return "packed by bzip2; unpack it: bunzip2 -c FILE | cssrun NET -";
    case FileKind::kXz:
      return "packed by xz; unpack it: unxz -c FILE | cssrun NET -";
    case FileKind::kZstandard:
      return "packed by Zstandard; unpack it: zstdcat FILE | cssrun NET -";
    case FileKind::kZip:
      return "a ZIP archive (or an .npz); unpack it and name what is in it";
    case FileKind::kSevenZip:
      return "a 7z archive; unpack it and name what is in it";
    case FileKind::kTar:
      return "a tar archive; unpack it and name what is in it";
    case FileKind::kHdf5:
      return "HDF5, which is not read; write its events as CSV (t,x,y,p)";
    case FileKind::kNumpy:
      return "an array of NumPy, which is not read; write its events as CSV (t,x,y,p)";
    case FileKind::kUtf16:
      return "text in UTF-16; save it as UTF-8";
    case FileKind::kRosBag:
      return "a bag of ROS, which is not read; write its events as CSV (t,x,y,p)";
    default:
      return nullptr;
  }
}

// N-MNIST has no mark, but times that do not fall. Many records of the same bytes, such as zeros,
// are none.
bool IsNmnist(std::span<const uint8_t> bytes) {
  constexpr size_t kRecord = 5;
  constexpr size_t kLook = 64;
  constexpr size_t kMany = 16;
  const size_t count = std::min(bytes.size() / kRecord, kLook);
  size_t falls = 0;
  size_t others = 0;  // than the first
  uint32_t before = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t time = Big32(bytes.data() + i * kRecord + 1) & 0x7FFFFF;
    if (i > 0 && time < before) ++falls;
    const auto record = bytes.subspan(i * kRecord, kRecord);
    if (!std::ranges::equal(record, bytes.first(kRecord))) ++others;
    before = time;
  }
  return count > 0 && falls * 4 <= count && (count < kMany || others > 0);
}

}  // namespace

Recognized Recognize(std::span<const uint8_t> bytes, bool whole) {
  constexpr size_t kEnoughText = 64;
  whole = whole || bytes.size() >= kMostRecognized;
  const std::string_view text = TextOf(bytes);
  if (bytes.empty() && whole) return Status::InvalidArgument("empty");
  if (bytes.size() < 5 && !whole) return kNotYet;
  const FileKind kind = RecognizeFile(bytes);
  if (kind == FileKind::kAedat) return RecognizeAedat(text, whole);
  if (!whole && MarkOf(FileKind::kAedat).starts_with(text)) return kNotYet;
  if (kind == FileKind::kMetavisionText) return {RecordingFormat::kCsv};
  if (text[0] == '%') return RecognizeProphesee(bytes, whole);
  if (const char* other = OtherKind(kind); other != nullptr) {
    return Status::InvalidArgument(other);
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
