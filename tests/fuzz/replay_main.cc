// Runs a fuzz target without libFuzzer: on each file named and all files below each folder, and
// then on random damage to them. The order of the damages is the same in every run; the time
// decides how many are tried.
//
//   fuzz_TARGET [--seconds N] PATH...
//
// The input that ends the process is left in ./failed_input.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/mutate_bytes.h"
#include "tests/fuzz/target.h"

// NOLINTBEGIN(readability-identifier-naming): libFuzzer's names
// Defined by targets that have mutations of their own.
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                                                size_t max_size, unsigned int seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = 65536;  // a NIR file of a few nodes has 20,000

std::vector<std::vector<uint8_t>> inputs;  // NOLINT: for LLVMFuzzerMutate()
std::mt19937 randomness;                   // NOLINT
std::vector<uint8_t> input;                // NOLINT: for the handler of signals

std::vector<std::string> Files(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void KeepInput(int signal) {
  const int file = open("failed_input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool kept =
      file >= 0 && write(file, input.data(), input.size()) == static_cast<ssize_t>(input.size());
  const char* said = kept ? "see failed_input\n" : "its input could not be kept\n";
  (void)!write(STDERR_FILENO, said, std::strlen(said));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void RunTarget() {
  // The copy has exactly this size, so that sanitizers find reads beyond it.
  const std::vector<uint8_t> copy(input.begin(), input.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

const std::vector<uint8_t>& AnyInput() {
  return inputs[std::uniform_int_distribution<size_t>(0, inputs.size() - 1)(randomness)];
}

void Mutate() {
  if (LLVMFuzzerCustomMutator == nullptr) {
    cssrun::fuzz::MutateBytes(randomness, AnyInput(), kMostBytes, input);
    return;
  }
  const size_t size = std::min(input.size(), kMostBytes);
  input.resize(kMostBytes);
  input.resize(LLVMFuzzerCustomMutator(input.data(), size, kMostBytes, randomness()));
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  std::vector<uint8_t> bytes(data, data + size);
  cssrun::fuzz::MutateBytes(randomness, AnyInput(), max_size, bytes);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}
// NOLINTEND(readability-identifier-naming)

int main(int argc, char** argv) {
  double seconds = 0;
  int first = 1;
  if (argc > 2 && std::strcmp(argv[1], "--seconds") == 0) {
    seconds = std::stod(argv[2]);
    first = 3;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal, KeepInput);
  }
  for (int i = first; i < argc; ++i) {
    for (const std::string& path : Files(argv[i])) {
      std::ifstream file(path, std::ios::binary);
      input.assign(std::istreambuf_iterator<char>(file), {});
      cssrun::fuzz::Require(file.good() || file.eof(), "the file can be read");
      // The path stays on the terminal only if the target ends the process.
      std::fprintf(stderr, "%s\r", path.c_str());
      RunTarget();
      inputs.push_back(input);
    }
  }
  std::fprintf(stderr, "\n");
  std::printf("%zu inputs\n", inputs.size());
  if (inputs.empty()) return 1;
  size_t tried = 0;
  for (const double end = cssrun::fuzz::ProcessorSeconds() + seconds;
       cssrun::fuzz::ProcessorSeconds() < end; ++tried) {
    input = AnyInput();
    Mutate();
    RunTarget();
  }
  std::printf("%zu of random damage\n", tried);
  return 0;
}
