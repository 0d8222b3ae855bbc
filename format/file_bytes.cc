#include "format/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/assert.h"

namespace cssrun::format {
namespace {

// Closes its file descriptor when it goes out of scope.
struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

Status IoError(const std::string& path, const std::string& what) {
  return Status::Io(path + ": " + what + ": " + std::strerror(errno));
}

}  // namespace

FileBytes::FileBytes(size_t size) {
  const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
  if (data_ != nullptr) size_ = size;
}

FileBytes FileBytes::Borrow(std::span<const uint8_t> bytes) {
  CSSRUN_ASSERT(reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment == 0);
  FileBytes borrowed;
  // The cast is safe because nobody writes: a NetworkFile hands out constant views only.
  borrowed.data_ = {const_cast<uint8_t*>(bytes.data()), Free{false}};
  borrowed.size_ = bytes.size();
  return borrowed;
}

Result<FileBytes> ReadFileBytes(const std::string& path, size_t limit, StatusCode wrong_size,
                                const char* remedy) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return IoError(path, "cannot open");
  return ReadFileBytes(file.fd, path, limit, wrong_size, remedy);
}

Result<FileBytes> ReadFileBytes(int descriptor, const std::string& path, size_t limit,
                                StatusCode wrong_size, const char* remedy) {
  struct stat info = {};
  if (fstat(descriptor, &info) != 0) return IoError(path, "cannot read");
  if (!S_ISREG(info.st_mode)) return Status::Io(path + ": not a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return Status(wrong_size, path + ": the file is empty");
  if (size > limit) {
    return Status(wrong_size, path + ": " + std::to_string(size) +
                                  " bytes, more than the limit of " + std::to_string(limit) +
                                  remedy);
  }
  FileBytes contents(size);
  if (contents.empty())
    return Status(StatusCode::kOutOfMemory, path + ": not enough memory to read it");
  const std::span<uint8_t> bytes = contents.bytes();
  for (size_t done = 0; done < size;) {
    const ssize_t count =
        pread(descriptor, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return IoError(path, "cannot read");
    if (count == 0) return Status::Io(path + ": became shorter while it was read");
    done += static_cast<size_t>(count);
  }
  return contents;
}

}  // namespace cssrun::format
