// Prophesee's .dat: lines that begin with %, a byte each for the type and the size of an event,
// then events of 8 bytes, the lowest byte first: the time in us, and
//
//   version 1: x 9 bits, y 8 bits, polarity 1 bit, from the lowest
//   version 2: x 14 bits, y 14 bits, polarity 4 bits
#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr size_t kRecord = 8;
constexpr uint8_t kEvent = 0x00;  // of a pixel, without saying of which kind
constexpr uint8_t kContrast = 0x0C;
constexpr uint8_t kTrigger = 0x0E;

class DatDecoder final : public Decoder {
 public:
  Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                        Decoded& decoded) override {
    std::span<const uint8_t> rest = bytes;
    while (const auto line = header_.Next(rest, last)) Read(*line);
    if (!header_.done()) return bytes.size() - rest.size();
    if (!has_type_) {
      if (rest.size() < 2 && !last) return bytes.size() - rest.size();
      if (rest.size() >= 2) {
        if (Status status = ReadType(rest[0], rest[1]); !status.ok()) return status;
        rest = rest.subspan(2);
        if (width_ > 0 && height_ > 0) decoded.sensor = SensorSize{width_, height_};
      }
    }
    const uint64_t start = offset + (bytes.size() - rest.size());
    const size_t taken =
        DecodeRecords(rest, kRecord, start, last, decoded,
                      [&](const uint8_t* record, uint64_t) { Add(record, decoded); });
    return bytes.size() - rest.size() + taken;
  }

 private:
  void Read(std::string_view line) {
    version_ = NumberAfter(line, "version").value_or(version_);
    width_ = NumberAfter(line, "width").value_or(width_);
    height_ = NumberAfter(line, "height").value_or(height_);
  }

  Status ReadType(uint8_t type, uint8_t size) {
    has_type_ = true;
    if (version_ != 1 && version_ != 2) {
      return Status::InvalidArgument("a .dat of version " + std::to_string(version_) +
                                     "; versions 1 and 2 are read");
    }
    if (type == kTrigger) {
      return Status::InvalidArgument(
          "a .dat of triggers, which has no events of pixels; name the file whose name ends in "
          "_cd.dat or _td.dat");
    }
    if (size != kRecord || (type != kEvent && type != kContrast)) {
      return Status::InvalidArgument("a .dat with events of type " + std::to_string(type) +
                                     " and " + std::to_string(size) +
                                     " bytes; 2D events of 8 bytes are read");
    }
    return Status::Ok();
  }

  void Add(const uint8_t* record, Decoded& decoded) {
    const int64_t time = clock_.Extend(Little32(record));
    const uint32_t address = Little32(record + 4);
    const bool old = version_ == 1;
    const uint32_t x = address & (old ? 0x1FF : 0x3FFF);
    const uint32_t y = old ? address >> 9 & 0xFF : address >> 14 & 0x3FFF;
    const uint32_t polarity = old ? address >> 17 & 1 : address >> 28 & 1;
    decoded.events.push_back(
        {time, static_cast<uint16_t>(x), static_cast<uint16_t>(y), static_cast<uint8_t>(polarity)});
  }

  HeaderLines header_{'%'};
  bool has_type_ = false;
  uint32_t version_ = 1;  // of files whose header does not say
  uint32_t width_ = 0;
  uint32_t height_ = 0;
  WrappingClock clock_{32};
};

}  // namespace

std::unique_ptr<Decoder> NewDatDecoder() { return std::make_unique<DatDecoder>(); }

}  // namespace cssrun::tools
