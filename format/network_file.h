// A net.fb in memory, every field of which has been checked.
//
// Bytes of unknown origin are checked here and nowhere else. Code that holds a NetworkFile may
// follow its offsets, use its indices and allocate by its sizes without further checks.
#ifndef CSSRUN_FORMAT_NETWORK_FILE_H_
#define CSSRUN_FORMAT_NETWORK_FILE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "format/file_bytes.h"
#include "network_generated.h"

namespace cssrun::format {

// Version 2 is the first that was released. Version 1 is not read, because its files have two
// layouts: Code.input replaced a field that some of them have.
// Version 3 has answers that are numbers (Network.answer) and more preprocessing.
// Version 4 has sources that are spread out (Synapses.spread_y, spread_x).
// Version 6 has networks that take events (Network.events). Networks that take images are written
// as version 5, so that readers of it go on reading them.
constexpr uint32_t kFormatVersion = 6;
constexpr uint32_t kImagesVersion = 5;
constexpr uint32_t kEventsVersion = 6;
constexpr uint32_t kSpreadVersion = 4;
constexpr uint32_t kWholePixelsVersion = 5;
constexpr uint32_t kOldestFormatVersion = 2;

// Immutable; any number of threads may read it.
class NetworkFile {
 public:
  // Reads and checks the file `path`. Errors: kIo if it cannot be read, kBadModel if it is no valid
  // network file or exceeds `limits`, kOutOfMemory. Messages begin with `path`.
  static Result<NetworkFile> Open(const std::string& path, const NetworkLimits& limits = {});
  // The same for an open file; see ReadFileBytes(). Messages begin with `name`.
  static Result<NetworkFile> FromDescriptor(int descriptor, const std::string& name,
                                            const NetworkLimits& limits = {});
  // The same for bytes in memory. They are copied unless they begin at a multiple of 64; then they
  // must stay valid and unchanged as long as the NetworkFile lives.
  static Result<NetworkFile> FromBytes(std::span<const uint8_t> bytes, const std::string& name,
                                       const NetworkLimits& limits = {});

  // The checked network; lives as long as this.
  const Network& network() const { return *GetNetwork(bytes_.bytes().data()); }
  // Bytes of the file.
  size_t size() const { return bytes_.bytes().size(); }

 private:
  explicit NetworkFile(FileBytes bytes) : bytes_(std::move(bytes)) {}
  static Result<NetworkFile> Verify(FileBytes bytes, const std::string& name,
                                    const NetworkLimits& limits);

  FileBytes bytes_;
};

// Serializes `network` with the file identifier. The same network always gives the same bytes.
flatbuffers::DetachedBuffer SerializeNetwork(const NetworkT& network);

// A network that takes events, with what the schema requires of every network and `events` does not
// need.
NetworkT MakeEventFile(std::unique_ptr<EventNetworkT> events);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_NETWORK_FILE_H_
