#include "format/write_atomically.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace cssrun::format {
namespace {

// The temporary file. Its destructor removes it, unless it was renamed and `path` cleared.
struct TemporaryFile {
  std::string path;
  int fd = -1;
  ~TemporaryFile() {
    if (fd >= 0) close(fd);
    if (!path.empty()) unlink(path.c_str());
  }
};

Status IoError(const std::string& path, const std::string& what) {
  return Status::Io(path + ": cannot " + what + ": " + std::strerror(errno));
}

// The permissions of a new file. umask() can only be read by setting it.
mode_t NewFileMode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

bool WriteAll(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";

  TemporaryFile temporary;
  std::string name = path + ".XXXXXX";
  temporary.fd = mkostemp(name.data(), O_CLOEXEC);
  if (temporary.fd < 0) return IoError(path, "create a file beside it");
  temporary.path = name;

  if (!WriteAll(temporary.fd, bytes)) return IoError(path, "write");
  if (fchmod(temporary.fd, NewFileMode()) != 0) return IoError(path, "set permissions");
  if (fsync(temporary.fd) != 0) return IoError(path, "sync");
  const int closed = close(temporary.fd);
  temporary.fd = -1;
  if (closed != 0) return IoError(path, "close");
  if (rename(temporary.path.c_str(), path.c_str()) != 0) return IoError(path, "put in place");
  temporary.path.clear();

  // A crash may undo the rename until the folder is synced.
  const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    fsync(directory);
    close(directory);
  }
  return Status::Ok();
}

}  // namespace cssrun::format
