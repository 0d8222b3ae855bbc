#include "tests/tools/recordings/write_recordings.h"

#include <flatbuffers/flatbuffers.h>
#include <lz4frame.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace cssrun::tools {
namespace {

void Text(Bytes& bytes, const std::string& text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

void Little(Bytes& bytes, uint64_t number, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(number >> 8 * i));
}

void Big(Bytes& bytes, uint64_t number, int count) {
  for (int i = count - 1; i >= 0; --i) bytes.push_back(static_cast<uint8_t>(number >> 8 * i));
}

uint64_t Time(const Event& event) { return static_cast<uint64_t>(event.time_us); }

}  // namespace

std::vector<Event> RandomEvents(uint32_t seed, size_t count, SensorSize sensor, int64_t first_us) {
  std::mt19937 random(seed);
  std::vector<Event> events;
  Event event;
  event.time_us = first_us;
  for (size_t i = 0; i < count; ++i) {
    const bool alike = i > 0 && random() % 3 != 0 && event.x + 1U < sensor.width;
    if (alike) {
      event.x =
          static_cast<uint16_t>(event.x + 1 + random() % std::min(3U, sensor.width - event.x - 1));
    } else {
      event.x = static_cast<uint16_t>(random() % sensor.width);
      event.y = static_cast<uint16_t>(random() % sensor.height);
      event.polarity = random() % 2;
      if (i > 0) event.time_us += random() % 5000;
    }
    events.push_back(event);
  }
  return events;
}

Bytes WriteNmnist(const std::vector<Event>& events) {
  Bytes bytes;
  for (const Event& event : events) {
    bytes.push_back(static_cast<uint8_t>(event.x));
    bytes.push_back(static_cast<uint8_t>(event.y));
    Big(bytes, uint64_t{event.polarity} << 23 | (Time(event) & 0x7FFFFF), 3);
  }
  return bytes;
}

Bytes WriteDat(const std::vector<Event>& events, int version, const std::string& header) {
  Bytes bytes;
  Text(bytes, header);
  bytes.push_back(version == 1 ? 0x00 : 0x0C);
  bytes.push_back(8);
  for (const Event& event : events) {
    Little(bytes, Time(event), 4);
    Little(bytes,
           version == 1 ? event.x + (uint64_t{event.y} << 9) + (uint64_t{event.polarity} << 17)
                        : event.x + (uint64_t{event.y} << 14) + (uint64_t{event.polarity} << 28),
           4);
  }
  return bytes;
}

Bytes WriteEvt2(const std::vector<Event>& events, SensorSize sensor) {
  Bytes bytes;
  Text(bytes, "% date 2024-01-02 03:04:05\n% evt 2.0\n% format EVT2;height=" +
                  std::to_string(sensor.height) + ";width=" + std::to_string(sensor.width) +
                  "\n% end\n");
  uint64_t high = UINT64_MAX;
  for (const Event& event : events) {
    if (Time(event) >> 6 != high) {
      high = Time(event) >> 6;
      Little(bytes, uint64_t{8} << 28 | (high & 0xFFFFFFF), 4);
    }
    Little(bytes,
           uint64_t{event.polarity} << 28 | (Time(event) & 63) << 22 | uint64_t{event.x} << 11 |
               event.y,
           4);
  }
  Little(bytes, 0xA0000001, 4);  // a trigger
  return bytes;
}

Bytes WriteEvt3(const std::vector<Event>& events, SensorSize sensor) {
  Bytes bytes;
  Text(bytes, "% evt 3.0\n% geometry " + std::to_string(sensor.width) + "x" +
                  std::to_string(sensor.height) + "\n% end\n");
  const auto word = [&](uint64_t type, uint64_t value) { Little(bytes, type << 12 | value, 2); };
  uint64_t high = UINT64_MAX;
  uint64_t now = UINT64_MAX;
  for (size_t i = 0; i < events.size();) {
    const Event& event = events[i];
    // The upper bits are repeated at least once a round, as cameras do.
    for (; high == UINT64_MAX || high < Time(event) >> 12;) {
      high = high == UINT64_MAX ? Time(event) >> 12 : std::min(high + 1000, Time(event) >> 12);
      word(8, high & 0xFFF);
      now = high << 12;
    }
    if (now != Time(event)) word(6, Time(event) & 0xFFF);
    now = Time(event);
    word(0, event.y);
    // Those of the same row that follow within 20 pixels: as two vectors.
    size_t end = i + 1;
    while (end < events.size() && events[end].time_us == event.time_us &&
           events[end].y == event.y && events[end].polarity == event.polarity &&
           events[end].x > events[end - 1].x && events[end].x < event.x + 20) {
      ++end;
    }
    if (end == i + 1) {
      word(2, uint64_t{event.polarity} << 11 | event.x);
    } else {
      uint64_t pixels = 0;
      for (size_t k = i; k < end; ++k) pixels |= uint64_t{1} << (events[k].x - event.x);
      word(3, uint64_t{event.polarity} << 11 | event.x);
      word(4, pixels & 0xFFF);
      word(5, pixels >> 12);
    }
    i = end;
  }
  return bytes;
}

Bytes WriteAedat2(const std::vector<Event>& events, const std::string& chip) {
  Bytes bytes;
  const bool dvs128 = chip == "DVS128";
  Text(bytes, "#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# AEChip: ");
  Text(bytes, dvs128 ? "ch.unizh.ini.jaer.chip.retina.DVS128\r\n"
                     : "eu.seebetter.ini.chips.davis." + chip + "C\r\n");
  const uint32_t rows = dvs128 ? 128 : chip == "DAVIS240" ? 180 : 260;
  for (const Event& event : events) {
    const uint64_t up = rows - 1 - event.y;
    Big(bytes,
        dvs128 ? up << 8 | uint64_t{event.x} << 1 | event.polarity
               : up << 22 | uint64_t{event.x} << 12 | uint64_t{event.polarity} << 11,
        4);
    Big(bytes, Time(event), 4);
    if (event.x % 7 != 0) continue;
    Big(bytes, dvs128 ? 0x8000 : 0x80000000, 4);  // a trigger; a pixel's grey
    Big(bytes, Time(event), 4);
  }
  return bytes;
}

Bytes WriteAedat3(const std::vector<Event>& events, size_t in_packet) {
  Bytes bytes;
  Text(bytes,
       "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS240C\r\n#Start-Time: 2024-01-02 03:04:05 "
       "(TZ+0000)\r\n#!END-HEADER\r\n");
  const auto header = [&](uint64_t type, uint64_t size, uint64_t overflow, uint64_t count) {
    Little(bytes, type, 2);
    Little(bytes, 1, 2);
    for (const uint64_t number : {size, uint64_t{4}, overflow, count, count, count}) {
      Little(bytes, number, 4);
    }
  };
  for (size_t i = 0; i < events.size();) {
    size_t end = i;
    while (end < std::min(events.size(), i + in_packet) &&
           Time(events[end]) >> 31 == Time(events[i]) >> 31) {
      ++end;
    }
    header(1, 8, Time(events[i]) >> 31, end - i);
    for (; i < end; ++i) {
      Little(bytes,
             uint64_t{events[i].x} << 17 | uint64_t{events[i].y} << 2 |
                 uint64_t{events[i].polarity} << 1 | 1,
             4);
      Little(bytes, Time(events[i]) & 0x7FFFFFFF, 4);
    }
    header(0, 8, 0, 3);  // special events
    bytes.insert(bytes.end(), 24, 0x55);
  }
  return bytes;
}

namespace {

Bytes SizePrefixed(const flatbuffers::FlatBufferBuilder& builder) {
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

// Places of fields in a table: 4, 6, 8, ...
Bytes EventBuffer(const std::vector<Event>& events, size_t begin, size_t end) {
  flatbuffers::FlatBufferBuilder builder;
  uint8_t* to = nullptr;
  const flatbuffers::uoffset_t vector = builder.CreateUninitializedVector(end - begin, 16, &to);
  for (size_t i = begin; i < end; ++i, to += 16) {
    std::memset(to, 0, 16);
    std::memcpy(to, &events[i].time_us, 8);
    std::memcpy(to + 8, &events[i].x, 2);
    std::memcpy(to + 10, &events[i].y, 2);
    to[12] = events[i].polarity;
  }
  const flatbuffers::uoffset_t start = builder.StartTable();
  builder.AddOffset(4, flatbuffers::Offset<void>(vector));
  const flatbuffers::Offset<flatbuffers::Table> table(builder.EndTable(start));
  builder.FinishSizePrefixed(table, "EVTS");
  return SizePrefixed(builder);
}

Bytes HeaderBuffer(const Aedat4Layout& layout, int64_t table_position) {
  flatbuffers::FlatBufferBuilder builder;
  const std::string xml =
      "<dv version=\"2.0\"><node name=\"outInfo\"><node name=\"0\"><attr key=\"typeIdentifier\" "
      "type=\"string\">EVTS</attr><node name=\"info\"><attr key=\"sizeX\" type=\"int\">" +
      std::to_string(layout.sensor.width) + "</attr><attr key=\"sizeY\" type=\"int\">" +
      std::to_string(layout.sensor.height) + "</attr></node></node></node></dv>";
  const auto info = builder.CreateString(xml);
  const flatbuffers::uoffset_t start = builder.StartTable();
  builder.AddElement<int32_t>(4, layout.lz4 ? 1 : 0, 0);
  builder.AddElement<int64_t>(6, table_position, 0);
  builder.AddOffset(8, info);
  const flatbuffers::Offset<flatbuffers::Table> table(builder.EndTable(start));
  builder.FinishSizePrefixed(table, "IOHE");
  return SizePrefixed(builder);
}

Bytes Packed(const Bytes& bytes, bool lz4) {
  if (!lz4) return bytes;
  Bytes packed(LZ4F_compressFrameBound(bytes.size(), nullptr));
  packed.resize(
      LZ4F_compressFrame(packed.data(), packed.size(), bytes.data(), bytes.size(), nullptr));
  return packed;
}

void AddPacket(Bytes& bytes, uint32_t stream, const Bytes& body) {
  Little(bytes, stream, 4);
  Little(bytes, body.size(), 4);
  bytes.insert(bytes.end(), body.begin(), body.end());
}

}  // namespace

Bytes WriteAedat4(const std::vector<Event>& events, const Aedat4Layout& layout) {
  Bytes packets;
  for (size_t i = 0; i < events.size(); i += layout.in_packet) {
    const size_t end = std::min(events.size(), i + layout.in_packet);
    AddPacket(packets, 0, Packed(EventBuffer(events, i, end), layout.lz4));
    if (!layout.others) continue;
    Bytes other = EventBuffer(events, i, end);
    std::memcpy(other.data() + 8, "TRIG", 4);
    AddPacket(packets, 1, Packed(other, layout.lz4));
  }
  Bytes bytes;
  Text(bytes, "#!AER-DAT4.0\r\n");
  const size_t header_size = HeaderBuffer(layout, 1).size();
  const size_t position = bytes.size() + header_size + packets.size();
  const Bytes header = HeaderBuffer(layout, layout.table ? static_cast<int64_t>(position) : -1);
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), packets.begin(), packets.end());
  if (layout.table) Text(bytes, "a table of packets, which is not read");
  return bytes;
}

Bytes UnpacksTo(size_t size) {
  Bytes bytes;
  AddPacket(bytes, 0, Packed(Bytes(size), true));
  return bytes;
}

Bytes WriteCsv(const std::vector<Event>& events, const std::string& header) {
  Bytes bytes;
  Text(bytes, header);
  for (const Event& event : events) {
    Text(bytes, std::to_string(event.time_us) + "," + std::to_string(event.x) + "," +
                    std::to_string(event.y) + "," + std::to_string(event.polarity) + "\n");
  }
  return bytes;
}

}  // namespace cssrun::tools
