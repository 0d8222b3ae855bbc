// Reads a whole file into private memory.
//
// The file is copied rather than mapped: if someone truncated a mapped file while it is in use, the
// process would end with SIGBUS.
#ifndef CSSRUN_FORMAT_FILE_BYTES_H_
#define CSSRUN_FORMAT_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "cssrun/status.h"

namespace cssrun::format {

// An open file, which is closed with this. Move-only.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor();

  bool open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

// Opens a file to be read; nothing else than regular files can be. Error: kIo.
Result<Descriptor> OpenFile(const std::string& path);

// Bytes that start at a multiple of 64, so that tensors which are aligned within a file are aligned
// in memory. Owns them, unless they are borrowed. Move-only.
class FileBytes {
 public:
  static constexpr size_t kAlignment = 64;

  FileBytes() = default;
  // `size` uninitialized bytes. empty() if memory ran out (or size is 0).
  explicit FileBytes(size_t size);
  // `size` bytes of 0, which take memory once they are written. empty() as above.
  static FileBytes Zeros(size_t size);
  // A view of the caller's bytes, which must begin at a multiple of kAlignment and outlive the
  // result.
  static FileBytes Borrow(std::span<const uint8_t> bytes);

  std::span<uint8_t> bytes() { return {data_.get(), size_}; }
  std::span<const uint8_t> bytes() const { return {data_.get(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  enum class Owner : uint8_t { kHeap, kMapping, kCaller };
  struct Free {
    Free() : owner(Owner::kHeap), size(0) {}
    Free(Owner whose, size_t mapped) : owner(whose), size(mapped) {}
    Owner owner;
    size_t size;  // of a mapping
    void operator()(uint8_t* data) const;
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

// Reads the regular file `path` of 1 to `limit` bytes. Directories, pipes and devices are refused
// without waiting for them. Errors: kIo if the file cannot be read, `wrong_size` if it is empty or
// larger than `limit`, kOutOfMemory. Messages begin with `path`; `remedy` ends the message about a
// file that is too large.
Result<FileBytes> ReadFileBytes(const std::string& path, size_t limit,
                                StatusCode wrong_size = StatusCode::kBadModel,
                                const char* remedy = "");

// The bytes of an open file from `offset` on, as many as `bytes` has. Error: kIo.
Status ReadAt(int descriptor, const std::string& name, size_t offset, std::span<uint8_t> bytes);

// The size of an open file, with the errors of ReadFileBytes().
Result<size_t> FileSize(int descriptor, const std::string& name, size_t limit,
                        StatusCode wrong_size = StatusCode::kBadModel, const char* remedy = "");

// The same for an open file, which is read from its beginning. The descriptor stays open and its
// position does not change. Messages begin with `name`.
Result<FileBytes> ReadFileBytes(int descriptor, const std::string& name, size_t limit,
                                StatusCode wrong_size = StatusCode::kBadModel,
                                const char* remedy = "");

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_FILE_BYTES_H_
