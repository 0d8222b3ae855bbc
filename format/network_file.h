// A net.fb in memory whose every field has been checked.
//
// This is the one place where bytes of unknown origin are distrusted. Whoever holds a NetworkFile
// may follow its offsets, use its indices and allocate from its sizes without further checks.
#ifndef CSSRUN_FORMAT_NETWORK_FILE_H_
#define CSSRUN_FORMAT_NETWORK_FILE_H_

#include <cstdint>
#include <span>
#include <string>

#include "cssrun/status.h"
#include "format/file_bytes.h"
#include "network_generated.h"

namespace cssrun {

// Version 2 added Code.input. Older versions are read as what they meant.
constexpr uint32_t kFormatVersion = 2;
constexpr uint32_t kOldestFormatVersion = 1;

class NetworkFile {
 public:
  // Errors: kIo when the file cannot be read, kBadModel when it is not a sound network; the message
  // begins with `path`.
  static Result<NetworkFile> Open(const std::string& path);
  // The same for bytes in memory, which are copied; `name` stands in for the path.
  static Result<NetworkFile> FromBytes(std::span<const uint8_t> bytes, const std::string& name);
  // The same without a copy, unless the bytes do not start at a multiple of 64. They must outlive
  // the NetworkFile and stay as they are.
  static Result<NetworkFile> Borrow(std::span<const uint8_t> bytes, const std::string& name);

  const format::Network& network() const { return *format::GetNetwork(bytes_.data()); }
  size_t size() const { return bytes_.size(); }

 private:
  NetworkFile(FileBytes own, std::span<const uint8_t> bytes)
      : own_(std::move(own)), bytes_(bytes) {}
  static Result<NetworkFile> Verify(FileBytes own, std::span<const uint8_t> bytes,
                                    const std::string& name);

  FileBytes own_;  // empty when the bytes are borrowed
  std::span<const uint8_t> bytes_;
};

// Serializes `network` with the file identifier; the same network gives the same bytes. They start
// at a multiple of 64.
flatbuffers::DetachedBuffer SerializeNetwork(const format::NetworkT& network);

}  // namespace cssrun

#endif  // CSSRUN_FORMAT_NETWORK_FILE_H_
