// A net.fb in memory whose every field has been checked.
//
// This is the one place where bytes of unknown origin are distrusted. Whoever holds a NetworkFile
// may follow its offsets, use its indices and allocate from its sizes without further checks.
#ifndef CSSRUN_FORMAT_NETWORK_FILE_H_
#define CSSRUN_FORMAT_NETWORK_FILE_H_

#include <cstdint>
#include <span>
#include <string>

#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "format/file_bytes.h"
#include "network_generated.h"

namespace cssrun::format {

// Version 2 is the first that was released. (Files of version 1 have two layouts: Code.input took
// the place of a field that some of them have.)
constexpr uint32_t kFormatVersion = 2;
constexpr uint32_t kOldestFormatVersion = 2;

class NetworkFile {
 public:
  // Errors: kIo when the file cannot be read, kBadModel when it is not a sound network; the message
  // begins with `path`.
  static Result<NetworkFile> Open(const std::string& path, const NetworkLimits& limits = {});
  // The same for an open file; `name` stands in for the path.
  static Result<NetworkFile> FromDescriptor(int descriptor, const std::string& name,
                                            const NetworkLimits& limits = {});
  // The same for bytes in memory, which the caller keeps and does not change for as long as this
  // lives; they are copied only where they do not begin at a multiple of 64.
  static Result<NetworkFile> FromBytes(std::span<const uint8_t> bytes, const std::string& name,
                                       const NetworkLimits& limits = {});

  const Network& network() const { return *GetNetwork(bytes_.bytes().data()); }
  size_t size() const { return bytes_.bytes().size(); }

 private:
  explicit NetworkFile(FileBytes bytes) : bytes_(std::move(bytes)) {}
  static Result<NetworkFile> Verify(FileBytes bytes, const std::string& name,
                                    const NetworkLimits& limits);

  FileBytes bytes_;
};

// Serializes `network` with the file identifier; the same network gives the same bytes.
flatbuffers::DetachedBuffer SerializeNetwork(const NetworkT& network);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_NETWORK_FILE_H_
