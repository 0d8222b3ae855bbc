#include "converter/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cssrun::converter {
namespace {

// Owns a file descriptor and closes it.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int fd() const { return fd_; }
  void Replace(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// Returns the parts of a relative path; empty when the path may leave its folder.
std::vector<std::string> SafeParts(const std::string& location) {
  if (location.empty() || location.front() == '/' || location.find('\0') != std::string::npos) {
    return {};
  }
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= location.size();) {
    const size_t end = std::min(location.find('/', begin), location.size());
    std::string part = location.substr(begin, end - begin);
    if (part == "..") return {};
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

Status CannotOpen(const std::string& location) {
  if (errno == ELOOP || errno == ENOTDIR) {
    return Status::BadModel("external data \"" + location +
                            "\" is reached through a symbolic link or a file; put the data itself "
                            "into the model's folder");
  }
  return Status::Io("external data \"" + location + "\" cannot be opened: " + std::strerror(errno));
}

}  // namespace

Result<std::vector<uint8_t>> ReadExternalData(const std::string& folder,
                                              const std::string& location, uint64_t offset,
                                              uint64_t length) {
  const std::vector<std::string> parts = SafeParts(location);
  if (parts.empty()) {
    return Status::BadModel("external data \"" + location +
                            "\" is not a path inside the model's folder; move the data there and "
                            "save the model again");
  }
  Descriptor file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0) return CannotOpen(location);
  for (size_t i = 0; i < parts.size(); ++i) {
    // O_NONBLOCK: opening a pipe that nobody writes to would otherwise wait forever.
    const int kind = i + 1 < parts.size() ? O_DIRECTORY : O_NONBLOCK;
    file.Replace(openat(file.fd(), parts[i].c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind));
    if (file.fd() < 0) return CannotOpen(location);
  }
  struct stat info = {};
  if (fstat(file.fd(), &info) != 0) return CannotOpen(location);
  if (!S_ISREG(info.st_mode)) {
    return Status::BadModel("external data \"" + location + "\" is not a regular file");
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (offset > size || length > size - offset) {
    return Status::BadModel("external data \"" + location + "\" has " + std::to_string(size) +
                            " bytes, but " + std::to_string(length) + " at offset " +
                            std::to_string(offset) + " are asked for; the file is truncated");
  }
  std::vector<uint8_t> bytes(length);
  for (uint64_t done = 0; done < length;) {
    const ssize_t count =
        pread(file.fd(), bytes.data() + done, length - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Status::Io("external data \"" + location + "\" cannot be read");
    done += static_cast<uint64_t>(count);
  }
  return bytes;
}

}  // namespace cssrun::converter
