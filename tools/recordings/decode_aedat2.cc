// AEDAT 2.0, by jAER: lines that begin with #, then records of 64 bits, the highest byte first: an
// address, and a time in us. What the address means is the camera's, which a line names:
//
//   DVS128: bit 0 polarity, bits 1 to 7 x, bits 8 to 14 y, bit 15 says that this is no pixel
//   DAVIS: bit 31 or 10 says that this is no pixel's event; bit 11 polarity, 12 to 21 x, 22 to 30 y
//
// Row 0 is the lowest in both.
#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr size_t kRecord = 8;
constexpr SensorSize kDvs128 = {128, 128};

struct DavisChip {
  const char* name;
  SensorSize size;
};
constexpr DavisChip kDavis[] = {{"davis208", {208, 192}},
                                {"davis240", {240, 180}},
                                {"davis346", {346, 260}},
                                {"davis640", {640, 480}},
                                {"davishet640", {640, 480}}};

class Aedat2Decoder final : public Decoder {
 public:
  Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                        Decoded& decoded) override {
    std::span<const uint8_t> rest = bytes;
    while (const auto line = header_.Next(rest, last)) {
      if (Status status = Read(*line); !status.ok()) return status;
    }
    const size_t header = bytes.size() - rest.size();
    if (!header_.done()) return header;
    decoded.sensor = size_;
    return header +
           DecodeRecords(rest, kRecord, offset + header, last, decoded,
                         [&](const uint8_t* record, uint64_t at) { Add(record, at, decoded); });
  }

 private:
  // jAER writes the class of the chip, and lines about its settings that name other chips.
  Status Read(std::string_view line) {
    if (!line.starts_with("# AEChip:") && !line.starts_with("# HardwareInterface:")) {
      return Status::Ok();
    }
    for (const DavisChip& chip : kDavis) {
      if (!Contains(line, chip.name)) continue;
      davis_ = true;
      size_ = chip.size;
      return Status::Ok();
    }
    if (line.starts_with("# AEChip:") && !Contains(line, "dvs128") && !davis_) {
      return Status::InvalidArgument("an AEDAT 2.0 of the chip " + std::string(line.substr(9)) +
                                     "; those of DVS128 and DAVIS are read");
    }
    return Status::Ok();
  }

  void Add(const uint8_t* record, uint64_t offset, Decoded& decoded) {
    const uint32_t address = Big32(record);
    const int64_t time = clock_.Extend(Big32(record + 4));
    const uint32_t others = davis_ ? 0x80000400 : 0x8000;
    if ((address & others) != 0) return;
    const uint32_t x = davis_ ? address >> 12 & 0x3FF : address >> 1 & 0x7F;
    const uint32_t up = davis_ ? address >> 22 & 0x1FF : address >> 8 & 0x7F;
    const uint32_t polarity = davis_ ? address >> 11 & 1 : address & 1;
    if (up >= size_.height) {
      ++decoded.damage.outside;
      decoded.damage.Note(offset, "an event outside the sensor");
      return;
    }
    decoded.events.push_back({time, static_cast<uint16_t>(x),
                              static_cast<uint16_t>(size_.height - 1 - up),
                              static_cast<uint8_t>(polarity)});
  }

  HeaderLines header_{'#'};
  bool davis_ = false;
  SensorSize size_ = kDvs128;
  WrappingClock clock_{32};
};

}  // namespace

std::unique_ptr<Decoder> NewAedat2Decoder() { return std::make_unique<Aedat2Decoder>(); }

}  // namespace cssrun::tools
