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

// Whether the path leads to an open file of a process, as /dev/stdout and /dev/fd/63 do: a link on
// the way is one of /proc.
bool IsOpenFile(std::filesystem::path path) {
  constexpr int kMostLinks = 40;  // as many as Linux follows
  struct stat proc = {};
  if (lstat("/proc/self", &proc) != 0) return false;
  struct stat link = {};
  for (int i = 0; i < kMostLinks && lstat(path.c_str(), &link) == 0; ++i) {
    if (!S_ISLNK(link.st_mode)) return false;
    if (link.st_dev == proc.st_dev) return true;
    std::error_code error;
    path = path.parent_path() / std::filesystem::read_symlink(path, error);
    if (error) return false;
  }
  return false;
}

// Whether no file may take the place of what is at `path`: a device, a pipe, or an open file, of
// which somebody else writes the other bytes.
bool IsWrittenInPlace(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0 || S_ISDIR(status.st_mode)) return false;
  return !S_ISREG(status.st_mode) || IsOpenFile(path);
}

Status WriteInPlace(const std::string& path, std::span<const uint8_t> bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return IoError(path, "open");
  const bool written = WriteAll(fd, bytes);
  const Status status = written ? Status::Ok() : IoError(path, "write");
  if (close(fd) != 0 && written) return IoError(path, "close");
  return status;
}

// The file that a link leads to: who made the link wants the file changed, not the link. A link
// that leads nowhere is replaced.
std::string BehindLinks(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  return error ? path : file.string();
}

// What is replaced where `path` is written.
std::string TargetOf(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_symlink(path, error) ? BehindLinks(path) : path;
}

std::filesystem::path FolderOf(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

Status Replace(const std::string& path, std::span<const uint8_t> bytes) {
  const std::filesystem::path folder = FolderOf(path);
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

}  // namespace

Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes) {
  return IsWrittenInPlace(path) ? WriteInPlace(path, bytes) : Replace(TargetOf(path), bytes);
}

Status CheckWritable(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return Status::Io(path + ": a folder; name a file in it");
  }
  if (IsWrittenInPlace(path)) {
    return access(path.c_str(), W_OK) == 0 ? Status::Ok() : IoError(path, "open");
  }
  const std::filesystem::path folder = FolderOf(TargetOf(path));
  const bool writable = access(folder.c_str(), W_OK | X_OK) == 0;
  return writable ? Status::Ok() : IoError(path, "create a file beside it");
}

}  // namespace cssrun::format
