// Writes the golden files of this format version into a folder: make_golden FOLDER
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/event_parts.h"
#include "tests/oracle/random_network.h"

namespace {

using namespace cssrun;

void Write(const std::string& path, const format::NetworkT& network) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  std::ofstream(path + ".fb", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  std::ofstream answers(path + ".logits");
  for (const EngineKind engine : {EngineKind::kInteger, EngineKind::kFloat}) {
    const auto loaded = Network::FromBytes({bytes.data(), bytes.size()}, path, engine);
    if (!loaded.ok() || loaded.value()->engine() != engine) std::abort();
    Answer answer;
    Session session(loaded.value());
    if (!session.Run(oracle::RandomPixels(network, 1), answer).ok()) std::abort();
    answers << (engine == EngineKind::kInteger ? "integer" : "float");
    for (const float logit : answer.logits) answers << " " << std::hexfloat << logit;
    answers << "\n";
  }
}

// A network that takes events, and the spikes of its last layer.
void WriteEvents(const std::string& path) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(oracle::SmallEventNetwork());
  std::ofstream(path + ".fb", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const auto loaded = Network::FromBytes({bytes.data(), bytes.size()}, path);
  if (!loaded.ok()) std::abort();
  Result<EventSession> session = EventSession::Create(loaded.value());
  std::vector<TimedEvent> events;
  for (uint32_t i = 0; i < 60; ++i) events.push_back({i * i / 7, i * 11 % 32, 1});
  std::vector<uint64_t> counts;
  if (!session.ok() || !session.value().Feed(events, 600).ok() ||
      !session.value().ReadCounts(2, counts).ok()) {
    std::abort();
  }
  std::ofstream answers(path + ".counts");
  for (const uint64_t count : counts) answers << count << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string base =
      std::string(argv[1]) + "/version" + std::to_string(format::kImagesVersion) + "_";
  Write(base + "spikes", oracle::RandomNetwork(7, {.placed_means = true}));
  Write(base + "direct", oracle::RandomNetwork(3, {.direct = true, .settled = true}));
  Write(base + "spread", oracle::RandomNetwork(2, {.spread = true}));
  WriteEvents(std::string(argv[1]) + "/version" + std::to_string(format::kEventsVersion) +
              "_events");
  return 0;
}
