// AEDAT4, by DV: "#!AER-DAT4.0\r\n", a header as a FlatBuffer after its size, then packets. A
// packet is the number of its stream and its size, 32 bits each, and a FlatBuffer after its size,
// mostly packed by LZ4. The FlatBuffer's identifier says what it has; EVTS are events of pixels.
#include <flatbuffers/flatbuffers.h>
#include <lz4frame.h>

#include <algorithm>
#include <cstring>

#include "aedat4_generated.h"
#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr std::string_view kVersion = "#!AER-DAT4.0\r\n";
constexpr size_t kPacketHeader = 8;
constexpr uint8_t kLz4Mark[] = {0x04, 0x22, 0x4D, 0x18};
// What a packet may unpack to: 4 million events. DV writes 10,000 at most.
constexpr size_t kMostUnpacked = size_t{64} << 20;
constexpr size_t kUnpackedAtOnce = size_t{1} << 16;
constexpr uint32_t kMostStreams = 4096;
// After so many events the caller's turn comes, so that few bytes cannot become all of memory.
constexpr size_t kManyEvents = size_t{1} << 20;

// Unpacks LZ4's frames. Its memory grows with what comes out, never by a size in the frame.
class Unpacker {
 public:
  ~Unpacker() { LZ4F_freeDecompressionContext(context_); }
  Unpacker() = default;
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  // Returns why a frame cannot be unpacked; null when it was, into bytes().
  const char* Unpack(std::span<const uint8_t> frame) {
    if (context_ == nullptr &&
        LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0) {
      return "no memory to unpack it";
    }
    LZ4F_resetDecompressionContext(context_);
    size_t filled = 0;
    size_t hint = 1;
    while (hint != 0) {
      if (filled == kMostUnpacked) return "it unpacks to more than 64 MiB";
      if (bytes_.size() < filled + kUnpackedAtOnce) bytes_.resize(filled + kUnpackedAtOnce);
      size_t into = std::min(bytes_.size(), kMostUnpacked) - filled;
      size_t from = frame.size();
      hint = LZ4F_decompress(context_, bytes_.data() + filled, &into, frame.data(), &from, nullptr);
      if (LZ4F_isError(hint) != 0) return LZ4F_getErrorName(hint);
      filled += into;
      frame = frame.subspan(from);
      if (hint != 0 && into == 0 && from == 0) return "its LZ4 frame is not whole";
    }
    if (!frame.empty()) return "bytes follow its LZ4 frame";
    size_ = filled;
    return nullptr;
  }
  std::span<const uint8_t> bytes() const { return {bytes_.data(), size_}; }

 private:
  LZ4F_dctx* context_ = nullptr;
  std::vector<uint8_t> bytes_;
  size_t size_ = 0;
};

// The number in <attr key="sizeX" type="int">346</attr>.
uint32_t AttributeOf(std::string_view xml, std::string_view key) {
  const size_t found = xml.find(key);
  if (found == std::string_view::npos) return 0;
  const size_t value = xml.find('>', found);
  if (value == std::string_view::npos) return 0;
  return NumberAfter(xml.substr(value, 16), ">").value_or(0);
}

class Aedat4Decoder final : public Decoder {
 public:
  Result<size_t> Decode(std::span<const uint8_t> bytes, uint64_t offset, bool last,
                        Decoded& decoded) override {
    size_t at = 0;
    if (!has_header_) {
      const Result<size_t> header = TakeHeader(bytes, last, decoded);
      if (!header.ok()) return header;
      if (!has_header_) return size_t{0};
      at = header.value();
    }
    // Behind the packets is a table of them, which is not needed.
    const bool ends = end_ <= offset + bytes.size();
    const std::span<const uint8_t> packets =
        ends ? bytes.first(end_ > offset ? static_cast<size_t>(end_ - offset) : 0) : bytes;
    last = last || ends;
    while (at < packets.size()) {
      if (lost_) at += FindPacket(packets.subspan(at), last, decoded);
      if (lost_ || decoded.events.size() > kManyEvents) break;
      const size_t taken = TakePacket(packets.subspan(at), offset + at, last, decoded);
      if (taken == 0) break;
      at += taken;
    }
    if (ends && at >= packets.size()) return bytes.size();
    return at;
  }

 private:
  Result<size_t> TakeHeader(std::span<const uint8_t> bytes, bool last, Decoded& decoded) {
    const Status damaged = Status::InvalidArgument("an AEDAT4 with a damaged header");
    const size_t start = kVersion.size() + 4;
    if (bytes.size() < start) return last ? Result<size_t>(damaged) : size_t{0};
    const size_t size = Little32(bytes.data() + kVersion.size());
    if (size > kMostBuffered) return damaged;
    if (bytes.size() - start < size) return last ? Result<size_t>(damaged) : size_t{0};
    // Aligned as FlatBuffers wants it.
    const std::vector<uint8_t> copy(bytes.begin() + kVersion.size(), bytes.begin() + start + size);
    flatbuffers::Verifier verifier(copy.data(), copy.size());
    if (!verifier.VerifySizePrefixedBuffer<aedat4::Header>("IOHE")) return damaged;
    const auto* header = flatbuffers::GetSizePrefixedRoot<aedat4::Header>(copy.data());
    compression_ = header->compression();
    if (compression_ != aedat4::Compression::kNone && compression_ != aedat4::Compression::kLz4 &&
        compression_ != aedat4::Compression::kLz4High) {
      return Status::InvalidArgument(
          "an AEDAT4 packed by Zstandard, which is not read; let DV write it again with LZ4");
    }
    has_header_ = true;
    if (header->data_table_position() >= static_cast<int64_t>(start + size)) {
      end_ = static_cast<uint64_t>(header->data_table_position());
    }
    if (header->info() != nullptr) {
      const std::string_view xml(header->info()->c_str(), header->info()->size());
      const SensorSize sensor{AttributeOf(xml, "\"sizeX\""), AttributeOf(xml, "\"sizeY\"")};
      if (sensor.width > 0 && sensor.height > 0) decoded.sensor = sensor;
    }
    return start + size;
  }

  bool IsPacked() const { return compression_ != aedat4::Compression::kNone; }

  size_t TakePacket(std::span<const uint8_t> bytes, uint64_t offset, bool last, Decoded& decoded) {
    const auto leave_out = [&](const char* why) {
      ++decoded.damage.packets;
      decoded.damage.Note(offset, why);
    };
    if (bytes.size() < kPacketHeader) {
      if (!last) return 0;
      decoded.damage.bytes += bytes.size();
      decoded.damage.Note(offset, "the last packet is not whole");
      return bytes.size();
    }
    const size_t size = Little32(bytes.data() + 4);
    const uint32_t stream = Little32(bytes.data());
    if (stream >= kMostStreams || size > kMostBuffered - kPacketHeader) {
      leave_out("what should be a packet is none");
      lost_ = true;
      return kPacketHeader;
    }
    const bool whole = bytes.size() - kPacketHeader >= size;
    if (!whole && !last) return 0;
    const std::span<const uint8_t> body =
        bytes.subspan(kPacketHeader, std::min(size, bytes.size() - kPacketHeader));
    const char* problem = whole ? TakeBody(stream, body, decoded) : "a packet that is not whole";
    if (problem == nullptr) return kPacketHeader + size;
    leave_out(problem);
    // Its size may be what is wrong, so packets are looked for inside.
    lost_ = IsPacked();
    return lost_ ? kPacketHeader : kPacketHeader + body.size();
  }

  // Returns what is wrong, or null.
  const char* TakeBody(uint32_t stream, std::span<const uint8_t> body, Decoded& decoded) {
    if (IsPacked()) {
      if (const char* problem = unpacker_.Unpack(body); problem != nullptr) return problem;
      return TakeEvents(stream, unpacker_.bytes(), decoded);
    }
    aligned_.assign(body.begin(), body.end());
    return TakeEvents(stream, aligned_, decoded);
  }

  const char* TakeEvents(uint32_t stream, std::span<const uint8_t> bytes, Decoded& decoded) {
    constexpr size_t kIdentifier = 8;  // after the size and the place of the root
    if (bytes.size() < kIdentifier + 4) return "a packet that is too short";
    if (std::memcmp(bytes.data() + kIdentifier, "EVTS", 4) != 0) {
      return stream == events_stream_ ? "a packet of another kind than its stream's" : nullptr;
    }
    flatbuffers::Verifier verifier(bytes.data(), bytes.size());
    if (!verifier.VerifySizePrefixedBuffer<aedat4::Events>("EVTS")) return "a damaged FlatBuffer";
    const auto* elements =
        flatbuffers::GetSizePrefixedRoot<aedat4::Events>(bytes.data())->elements();
    events_stream_ = stream;
    if (elements == nullptr) return nullptr;
    // FlatBuffers doesn't check the alignment of structs.
    for (flatbuffers::uoffset_t i = 0; i < elements->size(); ++i) {
      aedat4::Event event;
      std::memcpy(&event, elements->Data() + i * sizeof(event), sizeof(event));
      decoded.events.push_back({event.timestamp(), static_cast<uint16_t>(event.x()),
                                static_cast<uint16_t>(event.y()),
                                static_cast<uint8_t>(event.on() ? 1 : 0)});
    }
    return nullptr;
  }

  // Returns how many bytes to leave out until the next packet, which LZ4's mark shows. Without LZ4
  // there is no mark.
  size_t FindPacket(std::span<const uint8_t> bytes, bool last, Decoded& decoded) {
    const size_t kept = last ? 0 : std::min(bytes.size(), kPacketHeader + sizeof(kLz4Mark) - 1);
    size_t taken = bytes.size() - kept;
    if (IsPacked() && bytes.size() > kPacketHeader) {
      const auto found = std::search(bytes.begin() + kPacketHeader, bytes.end(),
                                     std::begin(kLz4Mark), std::end(kLz4Mark));
      if (found != bytes.end()) {
        lost_ = false;
        taken = static_cast<size_t>(found - bytes.begin()) - kPacketHeader;
      }
    }
    decoded.damage.bytes += taken;
    return taken;
  }

  bool has_header_ = false;
  bool lost_ = false;
  aedat4::Compression compression_ = aedat4::Compression::kNone;
  uint64_t end_ = UINT64_MAX;              // of the packets
  std::optional<uint32_t> events_stream_;  // once a packet of it was read
  Unpacker unpacker_;
  std::vector<uint8_t> aligned_;
};

}  // namespace

std::unique_ptr<Decoder> NewAedat4Decoder() { return std::make_unique<Aedat4Decoder>(); }

}  // namespace cssrun::tools
