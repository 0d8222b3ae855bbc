// Converts the messages between ranks to bytes and back. All ranks are the same version of
// the program, perhaps on other machines; the reader checks lengths anyway.
#ifndef CSSRUN_TOOLS_RANKS_WIRE_H_
#define CSSRUN_TOOLS_RANKS_WIRE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/session.h"
#include "tools/limits.h"
#include "tools/ranks/batches.h"
#include "tools/ranks/run_files.h"

namespace cssrun::tools {

using Bytes = std::vector<uint8_t>;

// How all ranks run their images. The network's bytes are a separate message.
struct RankJob {
  EngineKind engine = EngineKind::kInteger;
  Limits limits;
  bool upright = false;    // InputFormat::exif, which the command line may ask for
  SessionOptions options;  // no callbacks, no cancellation, no recordings
  unsigned threads = 0;    // of each rank, as RunImages takes them
  uint64_t network_bytes = 0;
};

struct PathBatch {
  Batch batch;
  std::vector<std::string> paths;
};

struct OutcomeBatch {
  Batch batch;
  std::vector<FileOutcome> outcomes;
};

Bytes Packed(const RankJob& job);
Bytes Packed(const PathBatch& paths);
Bytes Packed(const OutcomeBatch& outcomes);

// Returns nothing where the bytes are malformed.
std::optional<RankJob> UnpackJob(std::span<const uint8_t> bytes);
std::optional<PathBatch> UnpackPaths(std::span<const uint8_t> bytes);
std::optional<OutcomeBatch> UnpackOutcomes(std::span<const uint8_t> bytes);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RANKS_WIRE_H_
