#include "tests/fuzz/inputs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/target.h"

namespace cssrun::fuzz {
namespace {

namespace fs = std::filesystem;

const std::vector<uint8_t>* kept = nullptr;  // NOLINT: for the handler of signals

void Keep(int signal) {
  const int file = open("failed_input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool written =
      file >= 0 && write(file, kept->data(), kept->size()) == static_cast<ssize_t>(kept->size());
  const char* said = written ? "see failed_input\n" : "its input could not be kept\n";
  (void)!write(STDERR_FILENO, said, std::strlen(said));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

std::vector<std::string> FilesIn(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<uint8_t> ReadInput(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  Require(file.good() || file.eof(), "the file can be read");
  return bytes;
}

void KeepFailedInput(const std::vector<uint8_t>& input) {
  kept = &input;
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, Keep);
}

}  // namespace cssrun::fuzz
