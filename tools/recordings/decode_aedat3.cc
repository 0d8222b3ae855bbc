// AEDAT 3.1, by cAER: lines that begin with #, the last of which is #!END-HEADER, then packets. All
// numbers have their lowest byte first. A packet's header:
//
//   type 16 bits, source 16, size of an event 32, place of its time 32, overflows of the time 32,
//   capacity 32, events 32, valid events 32
//
// An event of a pixel (type 1) is 8 bytes: valid 1 bit, polarity 1, y 15, x 15 from the lowest, and
// the lower 31 bits of the time in us; a packet has one value of its upper bits.
#include <algorithm>

#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr size_t kHeader = 28;
constexpr size_t kEvent = 8;
constexpr uint32_t kPolarity = 1;
constexpr uint32_t kMostTypes = 64;  // 14 are known; users may define others
constexpr uint32_t kMostEventSize = 1U << 26;
constexpr uint32_t kMostEvents = 1U << 26;
constexpr uint32_t kMostSources = 1024;

struct Packet {
  uint32_t type = 0;
  uint32_t event_size = 0;
  uint32_t overflows = 0;
  uint64_t events = 0;
};

// Returns nothing where these are no header. Without a mark to find packets by, much must agree.
std::optional<Packet> ReadHeader(const uint8_t* bytes) {
  const uint32_t type = Little16(bytes);
  const uint32_t source = Little16(bytes + 2);
  const uint32_t size = Little32(bytes + 4);
  const uint32_t time_place = Little32(bytes + 8);
  const uint32_t overflows = Little32(bytes + 12);
  const uint32_t capacity = Little32(bytes + 16);
  const uint32_t events = Little32(bytes + 20);
  const uint32_t valid = Little32(bytes + 24);
  const bool sound = type < kMostTypes && source < kMostSources && size >= 4 &&
                     size <= kMostEventSize && time_place <= size - 4 && overflows < 1U << 31 &&
                     events <= kMostEvents && events <= capacity && valid <= events;
  if (!sound || (type == kPolarity && (size != kEvent || time_place != 4))) return std::nullopt;
  return Packet{type, size, overflows, events};
}

class Aedat3Decoder final : public Decoder {
 public:
  Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                        Decoded& decoded) override {
    std::span<const uint8_t> rest = bytes;
    while (const auto line = header_.Next(rest, last)) {
      if (Status status = Read(*line, decoded); !status.ok()) return status;
    }
    if (!header_.done()) return bytes.size() - rest.size();
    while (!rest.empty()) {
      const size_t before = rest.size();
      TakeSome(rest, offset + (bytes.size() - rest.size()), decoded);
      if (rest.size() == before) break;
    }
    if (last && (!rest.empty() || skip_ > 0 || packet_.events > 0)) {
      decoded.damage.bytes += rest.size();
      decoded.damage.Note(offset + bytes.size() - rest.size(), "the last packet is not whole");
      if (rest.empty()) ++decoded.damage.packets;
      rest = {};
    }
    return bytes.size() - rest.size();
  }

 private:
  Status Read(std::string_view line, Decoded& decoded) {
    if (line == "#!END-HEADER") header_.End();
    if (line.starts_with("#Format:") && !Contains(line, "raw")) {
      return Status::InvalidArgument("an AEDAT 3.1 whose packets are packed (" +
                                     std::string(line.substr(1)) +
                                     "); RAW is read: record it again, or convert it with cAER");
    }
    if (!line.starts_with("#Source")) return Status::Ok();
    const std::pair<const char*, SensorSize> sensors[] = {{"dvs128", {128, 128}},
                                                          {"davis208", {208, 192}},
                                                          {"davis240", {240, 180}},
                                                          {"davis346", {346, 260}},
                                                          {"davis640", {640, 480}}};
    for (const auto& [name, size] : sensors) {
      if (Contains(line, name)) decoded.sensor = size;
    }
    return Status::Ok();
  }

  // Takes what is left of a packet that is not read, some of its events, or a header.
  void TakeSome(std::span<const uint8_t>& rest, uint64_t offset, Decoded& decoded) {
    if (skip_ > 0) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(skip_, rest.size()));
      rest = rest.subspan(count);
      skip_ -= count;
    } else if (packet_.events > 0) {
      const auto count =
          static_cast<size_t>(std::min<uint64_t>(packet_.events, rest.size() / kEvent));
      for (size_t i = 0; i < count; ++i) Add(rest.data() + i * kEvent, decoded);
      rest = rest.subspan(count * kEvent);
      packet_.events -= count;
    } else {
      TakeHeader(rest, offset, decoded);
    }
  }

  // Looks for the next header byte by byte where there is none.
  void TakeHeader(std::span<const uint8_t>& rest, uint64_t offset, Decoded& decoded) {
    size_t at = 0;
    std::optional<Packet> packet;
    for (; at + kHeader <= rest.size(); ++at) {
      packet = ReadHeader(rest.data() + at);
      // While lost, only what events of pixels look like is believed.
      if (packet.has_value() && (!lost_ || (packet->type == kPolarity && packet->events > 0)))
        break;
      packet.reset();
      if (!lost_) {
        ++decoded.damage.packets;
        decoded.damage.Note(offset + at, "what should be a packet is none");
      }
      lost_ = true;
    }
    if (lost_) decoded.damage.bytes += at;
    if (packet.has_value()) {
      lost_ = false;
      at += kHeader;
      if (packet->type == kPolarity) {
        packet_ = *packet;
      } else {
        skip_ = packet->events * packet->event_size;
      }
    }
    rest = rest.subspan(at);
  }

  void Add(const uint8_t* event, Decoded& decoded) const {
    const uint32_t data = Little32(event);
    if ((data & 1) == 0) return;  // marked as invalid by a filter
    const int64_t time =
        int64_t{packet_.overflows} << 31 | int64_t{Little32(event + 4) & 0x7FFFFFFF};
    decoded.events.push_back({time, static_cast<uint16_t>(data >> 17),
                              static_cast<uint16_t>(data >> 2 & 0x7FFF),
                              static_cast<uint8_t>(data >> 1 & 1)});
  }

  HeaderLines header_{'#'};
  Packet packet_;      // whose events are being read
  uint64_t skip_ = 0;  // bytes of a packet of another type
  bool lost_ = false;
};

}  // namespace

std::unique_ptr<Decoder> NewAedat3Decoder() { return std::make_unique<Aedat3Decoder>(); }

}  // namespace cssrun::tools
