#include "converter/nir/read_apart.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/nir/hdf5.h"
#include "converter/out_of_memory.h"

namespace cssrun::converter {
namespace {

constexpr rlim_t kSeconds = 2;  // and one more for each kBytesPerSecond of the file
constexpr size_t kBytesPerSecond = 8 << 20;

void WriteAll(int to, std::span<const uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = write(to, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
}

// What the other process does; it ends without a return.
[[noreturn]] void ReadAndSend(std::span<const uint8_t> bytes, int to) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU}) {
    std::signal(signal, SIG_DFL);
  }
  // What the C library says of broken memory is no message of ours.
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  const rlim_t seconds = kSeconds + bytes.size() / kBytesPerSecond;
  const rlimit time = {seconds, seconds};
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CPU, &time);
  setrlimit(RLIMIT_CORE, &no_core);
  const Hdf5Reading reading = PackReading(bytes);
  WriteAll(to, {&reading.code, 1});
  WriteAll(to, reading.rest);
  _exit(0);
}

std::vector<uint8_t> ReadAll(int from) {
  std::vector<uint8_t> bytes;
  constexpr size_t kPiece = 1 << 16;
  size_t size = 0;
  while (true) {
    bytes.resize(std::max(size + kPiece, bytes.size()));
    const ssize_t got = read(from, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<size_t>(got);
    if (bytes.size() - size < kPiece) bytes.resize(2 * bytes.size());
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

Hdf5Reading PackReading(std::span<const uint8_t> bytes) {
  Hdf5Reading reading;
  const Status status = GuardMemory([&]() -> Status {
    const Result<Hdf5Group> root = ReadHdf5(bytes);
    const std::string& message = root.status().message();
    reading.rest =
        root.ok() ? PackHdf5(root.value()) : std::vector<uint8_t>(message.begin(), message.end());
    return root.status();
  });
  reading.code = static_cast<uint8_t>(status.code());
  return reading;
}

Result<Hdf5Group> UnpackReading(std::span<const uint8_t> sent) {
  const Status failed = Status::BadModel(kHdf5Failed);
  if (sent.empty()) return failed;
  const std::span<const uint8_t> rest = sent.subspan(1);
  if (sent[0] == static_cast<uint8_t>(StatusCode::kOutOfMemory)) return Status::OutOfMemory();
  if (sent[0] != static_cast<uint8_t>(StatusCode::kOk)) {
    return Status::BadModel(std::string(rest.begin(), rest.end()));
  }
  std::optional<Hdf5Group> root = UnpackHdf5(rest);
  return root.has_value() ? Result<Hdf5Group>(std::move(*root)) : Result<Hdf5Group>(failed);
}

Result<Hdf5Group> ReadHdf5Apart(std::span<const uint8_t> bytes) {
  int ends[2] = {};
  if (pipe(ends) != 0) return Status::Io(std::string("pipe: ") + std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return Status::Io(std::string("fork: ") + std::strerror(errno));
  }
  if (child == 0) {
    close(ends[0]);
    ReadAndSend(bytes, ends[1]);
  }
  close(ends[1]);
  std::vector<uint8_t> sent;
  // What there is no memory for is not read, and the other process ends at its next write.
  const Status read = GuardMemory([&] {
    sent = ReadAll(ends[0]);
    return Status::Ok();
  });
  close(ends[0]);
  if (!read.ok()) kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!read.ok()) return read;
  return UnpackReading(sent);
}

}  // namespace cssrun::converter
