// Prophesee's .raw: lines that begin with %, then words, the lowest byte first, whose highest four
// bits are their type.
//
//   EVT 2.0, 32 bits: 0 and 1 are events, off and on (the time's lowest 6 bits, x 11, y 11); 8 is
//     the time's other 28 bits
//   EVT 3.0, 16 bits: 0 is y; 2 an event (polarity 1, x 11); 3 where a vector begins (the same); 4
//     and 5 are 12 and 8 pixels of it, which move on; 6 and 8 the time's lower and upper 12 bits
//
// Both say the time before events; what comes before the first time is left out.
#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr uint32_t kMostX = 2048;  // 11 bits

// The header, which both have.
class RawHeader {
 public:
  // Takes lines off `bytes`; `done` says whether events follow.
  Status Take(std::span<const uint8_t>& bytes, bool last, Decoded& decoded, bool& done) {
    while (const auto line = lines_.Next(bytes, last)) {
      if (Contains(*line, "endianness") && Contains(*line, "big")) {
        return Status::InvalidArgument(
            "a .raw with its highest bytes first, which is not read; make a .dat of it: "
            "metavision_file_to_dat -i FILE");
      }
      const auto width = NumberAfter(*line, "width");
      const auto height = NumberAfter(*line, "height");
      if (width.value_or(0) > 0 && height.value_or(0) > 0) {
        decoded.sensor = SensorSize{*width, *height};
      }
      if (Contains(*line, "% geometry ")) ReadGeometry(*line, decoded);
      if (*line == "% end") lines_.End();
    }
    done = lines_.done();
    return Status::Ok();
  }

 private:
  // "% geometry 640x480"
  static void ReadGeometry(std::string_view line, Decoded& decoded) {
    const auto width = NumberAfter(line, "geometry");
    const auto height = NumberAfter(line, "x");
    if (width.value_or(0) > 0 && height.value_or(0) > 0) {
      decoded.sensor = SensorSize{*width, *height};
    }
  }

  HeaderLines lines_{'%'};
};

// The upper part of a time, in words of its own. Its bits start again at 0.
class TimeBase {
 public:
  TimeBase(int shift, int bits) : shift_(shift), clock_(shift + bits) {}
  void Set(uint32_t upper) { base_ = clock_.Extend(int64_t{upper} << shift_); }
  bool known() const { return base_ >= 0; }
  int64_t base() const { return base_; }

 private:
  int shift_;
  WrappingClock clock_;
  int64_t base_ = -1;
};

template <typename Words>
class EvtDecoder final : public Decoder {
 public:
  Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                        Decoded& decoded) override {
    std::span<const uint8_t> rest = bytes;
    bool begun = false;
    if (Status status = header_.Take(rest, last, decoded, begun); !status.ok()) return status;
    const size_t header = bytes.size() - rest.size();
    if (!begun) return header;
    return header +
           DecodeRecords(rest, Words::kSize, offset + header, last, decoded,
                         [&](const uint8_t* word, uint64_t at) { words_.Take(word, at, decoded); });
  }

 private:
  RawHeader header_;
  Words words_;
};

void LeaveOut(uint64_t offset, const char* what, Decoded& decoded) {
  ++decoded.damage.records;
  decoded.damage.Note(offset, what);
}

constexpr char kNoTime[] = "an event before the first time";
constexpr char kUnknownWord[] = "a word of an unknown type";

class Evt2Words {
 public:
  static constexpr size_t kSize = 4;

  void Take(const uint8_t* bytes, uint64_t offset, Decoded& decoded) {
    const uint32_t word = Little32(bytes);
    const uint32_t type = word >> 28;
    switch (type) {
      case 0x0:
      case 0x1:
        if (!time_.known()) return LeaveOut(offset, kNoTime, decoded);
        decoded.events.push_back({time_.base() + (word >> 22 & 0x3F),
                                  static_cast<uint16_t>(word >> 11 & 0x7FF),
                                  static_cast<uint16_t>(word & 0x7FF), static_cast<uint8_t>(type)});
        return;
      case 0x8:
        time_.Set(word & 0x0FFFFFFF);
        return;
      case 0xA:  // a trigger
      case 0xE:  // of the camera's maker
      case 0xF:
        return;
      default:
        LeaveOut(offset, kUnknownWord, decoded);
    }
  }

 private:
  TimeBase time_{6, 28};
};

class Evt3Words {
 public:
  static constexpr size_t kSize = 2;

  void Take(const uint8_t* bytes, uint64_t offset, Decoded& decoded) {
    const uint32_t word = Little16(bytes);
    switch (word >> 12) {
      case 0x0:
        y_ = static_cast<uint16_t>(word & 0x7FF);
        return;
      case 0x2:
        if (!time_.known()) return LeaveOut(offset, kNoTime, decoded);
        Add(word & 0x7FF, word >> 11 & 1, decoded);
        return;
      case 0x3:
        base_x_ = word & 0x7FF;
        polarity_ = word >> 11 & 1;
        return;
      case 0x4:
        return AddVector(word & 0xFFF, 12, offset, decoded);
      case 0x5:
        return AddVector(word & 0xFF, 8, offset, decoded);
      case 0x6:
        if (time_.known()) now_ = time_.base() + (word & 0xFFF);
        return;
      case 0x8:
        time_.Set(word & 0xFFF);
        now_ = time_.base();
        return;
      case 0x7:  // goes on with what is not read
      case 0xA:  // a trigger
      case 0xE:  // of the camera's maker
      case 0xF:
        return;
      default:
        LeaveOut(offset, kUnknownWord, decoded);
    }
  }

 private:
  void Add(uint32_t x, uint32_t polarity, Decoded& decoded) const {
    decoded.events.push_back({now_, static_cast<uint16_t>(x), y_, static_cast<uint8_t>(polarity)});
  }

  void AddVector(uint32_t pixels, uint32_t count, uint64_t offset, Decoded& decoded) {
    if (!time_.known()) return LeaveOut(offset, kNoTime, decoded);
    if (base_x_ >= kMostX) return LeaveOut(offset, "a vector beyond 2048", decoded);
    for (uint32_t i = 0; i < count; ++i) {
      if ((pixels >> i & 1) != 0) Add(base_x_ + i, polarity_, decoded);
    }
    base_x_ += count;
  }

  TimeBase time_{12, 12};
  int64_t now_ = 0;
  uint16_t y_ = 0;
  uint32_t base_x_ = 0;
  uint32_t polarity_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> NewEvt2Decoder() { return std::make_unique<EvtDecoder<Evt2Words>>(); }
std::unique_ptr<Decoder> NewEvt3Decoder() { return std::make_unique<EvtDecoder<Evt3Words>>(); }

}  // namespace cssrun::tools
