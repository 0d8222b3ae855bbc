// N-MNIST and N-Caltech101, by Orchard et al.: records of 40 bits, without a header.
//
//   x 8, y 8, polarity 1, time in us 23, the highest byte first
#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr size_t kRecord = 5;
// In this row, which the sensor does not have, a record says that 2^13 us have passed.
constexpr uint8_t kOverflowRow = 240;
constexpr int64_t kOverflow = int64_t{1} << 13;

class NmnistDecoder final : public Decoder {
 public:
  Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                        Decoded& decoded) override {
    return DecodeRecords(bytes, kRecord, offset, last, decoded,
                         [&](const uint8_t* record, uint64_t) { Add(record, decoded); });
  }

 private:
  void Add(const uint8_t* record, Decoded& decoded) {
    if (record[1] == kOverflowRow) {
      overflows_ += kOverflow;
      return;
    }
    const uint32_t time = Big32(record + 1) & 0x7FFFFF;
    decoded.events.push_back({clock_.Extend(time) + overflows_, record[0], record[1],
                              static_cast<uint8_t>(record[2] >> 7)});
  }

  WrappingClock clock_{23};
  int64_t overflows_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> NewNmnistDecoder() { return std::make_unique<NmnistDecoder>(); }

}  // namespace cssrun::tools
