// Decoders of event recordings: bytes in, as they come, events out. Each format has a file.
//
// The bytes are untrusted. A decoder allocates by what it was given, never by a number in it; its
// events are at most six for each byte, of a vector of EVT 3.0 (AEDAT4 may unpack more, see there).
#ifndef CSSRUN_TOOLS_RECORDINGS_DECODER_H_
#define CSSRUN_TOOLS_RECORDINGS_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cssrun/status.h"
#include "tools/recordings/event.h"

namespace cssrun::tools {

// The most bytes that a decoder may wait for before it takes some.
inline constexpr size_t kMostBuffered = size_t{64} << 20;

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Takes what it can of `bytes`, which begin at `offset` of the recording, right after what was
  // taken before, and returns how many bytes. It leaves those that need others behind them, unless
  // these are the `last`: what cannot be used of them is counted and taken, too. Error:
  // kInvalidArgument where the rest of the recording cannot be read.
  virtual Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                                Decoded& decoded) = 0;
};

enum class RecordingFormat { kNmnist, kAedat2, kAedat3, kAedat4, kDat, kEvt2, kEvt3, kCsv };

// "N-MNIST .bin", "AEDAT4", ...
const char* NameOf(RecordingFormat format);

// Tells the format by how a recording begins. Returns nothing while more bytes are needed, which
// never happens if the bytes are `whole`, or more than kMostRecognized. Error: kInvalidArgument
// that names what the bytes are instead, where that is known.
inline constexpr size_t kMostRecognized = size_t{1} << 16;
Result<std::optional<RecordingFormat>> Recognize(std::span<const uint8_t> bytes, bool whole);

std::unique_ptr<Decoder> NewDecoder(RecordingFormat format);
std::unique_ptr<Decoder> NewNmnistDecoder();
std::unique_ptr<Decoder> NewAedat2Decoder();
std::unique_ptr<Decoder> NewAedat3Decoder();
std::unique_ptr<Decoder> NewAedat4Decoder();
std::unique_ptr<Decoder> NewDatDecoder();
std::unique_ptr<Decoder> NewEvt2Decoder();
std::unique_ptr<Decoder> NewEvt3Decoder();
std::unique_ptr<Decoder> NewCsvDecoder();

// What several formats share.

inline uint16_t Little16(const uint8_t* bytes) {
  return static_cast<uint16_t>(bytes[0] | bytes[1] << 8);
}
inline uint32_t Little32(const uint8_t* bytes) {
  return uint32_t{Little16(bytes)} | uint32_t{Little16(bytes + 2)} << 16;
}
inline uint32_t Big32(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// Extends a clock of `bits` that starts again at 0: a time much earlier than the one before is of
// the next round, and one much later a straggler of the round before.
class WrappingClock {
 public:
  explicit WrappingClock(int bits) : period_(int64_t{1} << bits) {}
  int64_t Extend(int64_t time) {
    if (time - before_ > period_ / 2 && rounds_ > 0) return rounds_ - period_ + time;
    if (before_ - time > period_ / 2) rounds_ += period_;
    before_ = time;
    return rounds_ + time;
  }

 private:
  int64_t period_;
  int64_t before_ = 0;
  int64_t rounds_ = 0;
};

// The lines of text at the head of a recording, each beginning with `mark`.
class HeaderLines {
 public:
  explicit HeaderLines(char mark) : mark_(mark) {}

  // Takes the next line off `bytes`, without its end. Returns nothing at the end of the header, and
  // where the line is not whole yet: then done() is false. A line of more than 64 KiB, which no
  // program writes, ends the header as well.
  std::optional<std::string_view> Next(std::span<const uint8_t>& bytes, bool last);
  bool done() const { return done_; }
  // Says that there is no further line.
  void End() { done_ = true; }

 private:
  char mark_;
  bool done_ = false;
};

// Finds a name in a line of a header, in any case, and the number behind it: "width=640", "Width
// 640".
std::optional<uint32_t> NumberAfter(std::string_view line, std::string_view name);
bool Contains(std::string_view line, std::string_view name);

// Events of whole records of `size` bytes; what is left at the end is counted.
template <typename OneRecord>
size_t DecodeRecords(std::span<const uint8_t> bytes, size_t size, uint64_t offset, bool last,
                     Decoded& decoded, OneRecord one_record) {
  size_t at = 0;
  for (; at + size <= bytes.size(); at += size) one_record(bytes.data() + at, offset + at);
  if (last && at < bytes.size()) {
    decoded.damage.bytes += bytes.size() - at;
    decoded.damage.Note(offset + at, "the last record is not whole");
    at = bytes.size();
  }
  return at;
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_DECODER_H_
