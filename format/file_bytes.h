// Reading a whole file into memory of our own.
//
// A private copy rather than a mapping: a mapped file that someone truncates while it is in use
// ends the process with SIGBUS.
#ifndef CSSRUN_FORMAT_FILE_BYTES_H_
#define CSSRUN_FORMAT_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include "cssrun/status.h"

namespace cssrun::format {

// Bytes that start at a multiple of 64, so that aligned tensors of a file are aligned in memory.
class FileBytes {
 public:
  static constexpr size_t kAlignment = 64;

  FileBytes() = default;
  // Uninitialized; empty() when memory ran out (or size is 0).
  explicit FileBytes(size_t size);
  // Bytes that belong to the caller, who keeps them for as long as this lives; data() is aligned.
  static FileBytes Borrow(std::span<const uint8_t> bytes);

  std::span<uint8_t> bytes() { return {data_.get(), size_}; }
  std::span<const uint8_t> bytes() const { return {data_.get(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  struct Free {
    Free() : owned(true) {}
    explicit Free(bool owns) : owned(owns) {}
    bool owned;
    void operator()(uint8_t* data) const {
      if (owned) std::free(data);
    }
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

// Reads the regular file `path` of 1 to `limit` bytes. Directories, pipes and devices are refused,
// not waited for. Errors: kIo, and the message begins with `path`; an empty or oversized file is
// reported with `wrong_size`; `remedy` ends the message about an oversized one.
Result<FileBytes> ReadFileBytes(const std::string& path, size_t limit,
                                StatusCode wrong_size = StatusCode::kBadModel,
                                const char* remedy = "");

// The same from an open file, from its beginning; its position does not change and it stays open.
// `name` stands in for the path.
Result<FileBytes> ReadFileBytes(int descriptor, const std::string& name, size_t limit,
                                StatusCode wrong_size = StatusCode::kBadModel,
                                const char* remedy = "");

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_FILE_BYTES_H_
