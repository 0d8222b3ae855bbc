#include "bench/networks/environment.h"

#include <sys/utsname.h>
#include <zlib.h>

#include <array>
#include <fstream>

#include "fmt/format.h"

namespace cssrun::bench {

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  struct utsname name = {};
  return uname(&name) == 0 ? name.machine : "unknown";
}

std::string Commit() { return CSSRUN_COMMIT; }

Result<std::string> Crc32OfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 1 << 16> bytes;
  uLong sum = crc32_z(0, nullptr, 0);
  while (file.good()) {
    file.read(bytes.data(), bytes.size());
    sum = crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()),
                  static_cast<size_t>(file.gcount()));
  }
  if (!file.eof()) return Status::Io(path + ": cannot read");
  return fmt::format("{:08x}", sum);
}

}  // namespace cssrun::bench
