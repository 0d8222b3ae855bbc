// Writes recordings in every format that is read, by the formats' own documents and not by the code
// that reads them.
#ifndef CSSRUN_TESTS_TOOLS_RECORDINGS_WRITE_RECORDINGS_H_
#define CSSRUN_TESTS_TOOLS_RECORDINGS_WRITE_RECORDINGS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/recordings/event.h"

namespace cssrun::tools {

using Bytes = std::vector<uint8_t>;

// Returns events on a sensor of this size, times not falling, the first one `first_us`; some share
// a time and a row, as vectors of EVT 3.0 have them.
std::vector<Event> RandomEvents(uint32_t seed, size_t count, SensorSize sensor,
                                int64_t first_us = 0);

Bytes WriteNmnist(const std::vector<Event>& events);
Bytes WriteDat(const std::vector<Event>& events, int version, const std::string& header);
Bytes WriteEvt2(const std::vector<Event>& events, SensorSize sensor);
Bytes WriteEvt3(const std::vector<Event>& events, SensorSize sensor);
// `chip` is "DVS128", or "DAVIS240" and "DAVIS346".
Bytes WriteAedat2(const std::vector<Event>& events, const std::string& chip);
// Packets of `in_packet` events, with packets of other types between them.
Bytes WriteAedat3(const std::vector<Event>& events, size_t in_packet);
struct Aedat4Layout {
  SensorSize sensor = {346, 260};
  bool lz4 = true;
  size_t in_packet = 10;
  bool table = true;    // ends with a table of packets
  bool others = false;  // has a stream of something else between its packets
};
Bytes WriteAedat4(const std::vector<Event>& events, const Aedat4Layout& layout);
// A packet of AEDAT4 that unpacks to so many zeros.
Bytes UnpacksTo(size_t size);
Bytes WriteCsv(const std::vector<Event>& events, const std::string& header = "");

}  // namespace cssrun::tools

#endif  // CSSRUN_TESTS_TOOLS_RECORDINGS_WRITE_RECORDINGS_H_
