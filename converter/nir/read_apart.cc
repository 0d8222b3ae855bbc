#include "converter/nir/read_apart.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "converter/nir/nir_reader.h"
#include "converter/out_of_memory.h"

namespace cssrun::converter {
namespace {

constexpr uint64_t kEnd = 0x646e652d72696e2d;  // the last word of what the other process sends
constexpr rlim_t kSeconds = 2;                 // and one more for each kBytesPerSecond of the file
constexpr size_t kBytesPerSecond = 8 << 20;

class Packer {
 public:
  void Put(uint64_t number) { Put(&number, sizeof(number)); }
  void Put(const std::string& text) {
    Put(text.size());
    Put(text.data(), text.size());
  }
  template <class T>
  void Put(const std::vector<T>& numbers) {
    Put(numbers.size());
    Put(numbers.data(), numbers.size() * sizeof(T));
  }
  const std::vector<char>& bytes() const { return bytes_; }

 private:
  void Put(const void* from, size_t size) {
    const char* first = static_cast<const char*>(from);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  std::vector<char> bytes_;
};

// Every Get is false once something is missing.
class Unpacker {
 public:
  explicit Unpacker(std::span<const char> bytes) : bytes_(bytes) {}
  bool Get(uint64_t& number) { return Get(&number, sizeof(number)); }
  bool Get(std::string& text) {
    uint64_t size = 0;
    if (!Get(size) || size > bytes_.size()) return false;
    text.resize(size);
    return Get(text.data(), size);
  }
  template <class T>
  bool Get(std::vector<T>& numbers) {
    uint64_t size = 0;
    if (!Get(size) || size > bytes_.size() / sizeof(T)) return false;
    numbers.resize(size);
    return Get(numbers.data(), size * sizeof(T));
  }

 private:
  bool Get(void* to, size_t size) {
    if (size > bytes_.size()) return false;
    if (size > 0) std::memcpy(to, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return true;
  }
  std::span<const char> bytes_;
};

void Pack(const NirGraph& graph, Packer& packer) {
  packer.Put(graph.version);
  packer.Put(graph.nodes.size());
  for (const NirNode& node : graph.nodes) {
    packer.Put(node.name);
    packer.Put(node.type);
    packer.Put(node.arrays.size());
    for (const auto& [field, array] : node.arrays) {
      packer.Put(field);
      packer.Put(array.shape);
      packer.Put(array.numbers);
    }
    packer.Put(node.words.size());
    for (const auto& [field, text] : node.words) {
      packer.Put(field);
      packer.Put(text);
    }
  }
  packer.Put(graph.edges.size());
  for (const auto& [from, to] : graph.edges) {
    packer.Put(from);
    packer.Put(to);
  }
}

bool UnpackNode(Unpacker& unpacker, NirNode& node) {
  uint64_t count = 0;
  if (!unpacker.Get(node.name) || !unpacker.Get(node.type) || !unpacker.Get(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    std::string field;
    NirArray array;
    if (!unpacker.Get(field) || !unpacker.Get(array.shape) || !unpacker.Get(array.numbers)) {
      return false;
    }
    node.arrays.emplace(std::move(field), std::move(array));
  }
  if (!unpacker.Get(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    std::string field;
    std::string text;
    if (!unpacker.Get(field) || !unpacker.Get(text)) return false;
    node.words.emplace(std::move(field), std::move(text));
  }
  return true;
}

bool Unpack(Unpacker& unpacker, NirGraph& graph) {
  uint64_t count = 0;
  if (!unpacker.Get(graph.version) || !unpacker.Get(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    graph.nodes.emplace_back();
    if (!UnpackNode(unpacker, graph.nodes.back())) return false;
  }
  if (!unpacker.Get(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t from = 0;
    uint64_t to = 0;
    if (!unpacker.Get(from) || !unpacker.Get(to)) return false;
    if (from >= graph.nodes.size() || to >= graph.nodes.size()) return false;
    graph.edges.emplace_back(from, to);
  }
  return true;
}

void WriteAll(int to, const std::vector<char>& bytes) {
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
  Packer packer;
  const Status status = GuardMemory([&]() -> Status {
    const Result<NirGraph> graph = ReadNir(bytes);
    packer.Put(static_cast<uint64_t>(graph.status().code()));
    packer.Put(graph.status().message());
    if (graph.ok()) Pack(graph.value(), packer);
    packer.Put(kEnd);
    return Status::Ok();
  });
  if (status.ok()) WriteAll(to, packer.bytes());
  _exit(0);
}

std::vector<char> ReadAll(int from) {
  std::vector<char> bytes;
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

Result<NirGraph> GraphOf(const std::vector<char>& sent) {
  const Status damaged = Status::BadModel(
      "damaged HDF5 file, on which HDF5's library fails or does not end; export the model again");
  Unpacker unpacker(sent);
  uint64_t code = 0;
  uint64_t end = 0;
  std::string message;
  if (!unpacker.Get(code) || !unpacker.Get(message)) return damaged;
  if (code == static_cast<uint64_t>(StatusCode::kOutOfMemory)) return Status::OutOfMemory();
  if (code != static_cast<uint64_t>(StatusCode::kOk)) return Status::BadModel(message);
  NirGraph graph;
  if (!Unpack(unpacker, graph) || !unpacker.Get(end) || end != kEnd) return damaged;
  return graph;
}

}  // namespace

Result<NirGraph> ReadNirApart(std::span<const uint8_t> bytes) {
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
  std::vector<char> sent;
  // What there is no memory for is not read, and the other process ends at its next write.
  const Status read = GuardMemory([&] {
    sent = ReadAll(ends[0]);
    return Status::Ok();
  });
  close(ends[0]);
  if (!read.ok()) kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return read.ok() ? GraphOf(sent) : read;
}

}  // namespace cssrun::converter
