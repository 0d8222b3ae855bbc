#include "format/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runtime/assert.h"

namespace cssrun::format {
namespace {

Status IoError(const std::string& path, const std::string& what) {
  return Status::Io(path + ": " + what + ": " + std::strerror(errno));
}

}  // namespace

Descriptor::~Descriptor() {
  if (open()) close(descriptor_);
}

Result<Descriptor> OpenFile(const std::string& path) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) return IoError(path, "cannot open");
  return file;
}

FileBytes::FileBytes(size_t size) {
  const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
  if (data_ != nullptr) size_ = size;
}

void FileBytes::Free::operator()(uint8_t* data) const {
  if (owner == Owner::kHeap) std::free(data);
  if (owner == Owner::kMapping) munmap(data, size);
}

FileBytes FileBytes::Zeros(size_t size) {
  FileBytes zeros;
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return zeros;
#ifdef MADV_NOHUGEPAGE
  madvise(data, size, MADV_NOHUGEPAGE);  // each writes 2 MiB of zeros at its first byte
#endif
  zeros.data_ = {static_cast<uint8_t*>(data), Free(Owner::kMapping, size)};
  zeros.size_ = size;
  return zeros;
}

FileBytes FileBytes::Borrow(std::span<const uint8_t> bytes) {
  CSSRUN_ASSERT(reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment == 0);
  FileBytes borrowed;
  // The cast is safe because nobody writes: a NetworkFile hands out constant views only.
  borrowed.data_ = {const_cast<uint8_t*>(bytes.data()), Free(Owner::kCaller, 0)};
  borrowed.size_ = bytes.size();
  return borrowed;
}

Result<FileBytes> ReadFileBytes(const std::string& path, size_t limit, StatusCode wrong_size,
                                const char* remedy) {
  const Result<Descriptor> file = OpenFile(path);
  if (!file.ok()) return file.status();
  return ReadFileBytes(file.value().get(), path, limit, wrong_size, remedy);
}

Result<FileBytes> ReadFileBytes(int descriptor, const std::string& path, size_t limit,
                                StatusCode wrong_size, const char* remedy) {
  const Result<size_t> size = FileSize(descriptor, path, limit, wrong_size, remedy);
  if (!size.ok()) return size.status();
  FileBytes contents(size.value());
  if (contents.empty())
    return Status(StatusCode::kOutOfMemory, path + ": not enough memory to read it");
  if (Status status = ReadAt(descriptor, path, 0, contents.bytes()); !status.ok()) return status;
  return contents;
}

Result<size_t> FileSize(int descriptor, const std::string& path, size_t limit,
                        StatusCode wrong_size, const char* remedy) {
  struct stat info = {};
  if (fstat(descriptor, &info) != 0) return IoError(path, "cannot read");
  if (!S_ISREG(info.st_mode)) return Status::Io(path + ": not a regular file");
  const auto size = static_cast<uint64_t>(info.st_size);  // may be more than a size_t holds
  if (size == 0) return Status(wrong_size, path + ": the file is empty");
  if (size > limit) {
    return Status(wrong_size, path + ": " + std::to_string(size) +
                                  " bytes, more than the limit of " + std::to_string(limit) +
                                  remedy);
  }
  return static_cast<size_t>(size);
}

Status ReadAt(int descriptor, const std::string& path, size_t offset, std::span<uint8_t> bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = pread(descriptor, bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return IoError(path, "cannot read");
    if (count == 0) return Status::Io(path + ": became shorter while it was read");
    done += static_cast<size_t>(count);
  }
  return Status::Ok();
}

}  // namespace cssrun::format
