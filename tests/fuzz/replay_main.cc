// Runs a fuzz target without libFuzzer: on each file named and all files below each folder, and
// then on random damage to them. The order of the damages is the same in every run; the time
// decides how many are tried.
//
//   fuzz_TARGET [--seconds N] PATH...
//
// The input that ends the process is left in ./failed_input.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/inputs.h"
#include "tests/fuzz/mutate_bytes.h"
#include "tests/fuzz/target.h"

// NOLINTBEGIN(readability-identifier-naming): libFuzzer's names
// Defined by targets that have mutations of their own.
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                                                size_t max_size, unsigned int seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

using namespace cssrun;

std::vector<std::vector<uint8_t>> inputs;  // NOLINT: for LLVMFuzzerMutate()
std::mt19937 randomness;                   // NOLINT
std::vector<uint8_t> input;                // NOLINT: see KeepFailedInput()

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
    fuzz::MutateBytes(randomness, AnyInput(), fuzz::kMostBytes, input);
    return;
  }
  const size_t size = std::min(input.size(), fuzz::kMostBytes);
  input.resize(fuzz::kMostBytes);
  input.resize(LLVMFuzzerCustomMutator(input.data(), size, fuzz::kMostBytes, randomness()));
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  std::vector<uint8_t> bytes(data, data + size);
  fuzz::MutateBytes(randomness, AnyInput(), max_size, bytes);
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
  fuzz::KeepFailedInput(input);
  for (int i = first; i < argc; ++i) {
    for (const std::string& path : fuzz::FilesIn(argv[i])) {
      input = fuzz::ReadInput(path);
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
  for (const double end = fuzz::ProcessorSeconds() + seconds; fuzz::ProcessorSeconds() < end;
       ++tried) {
    input = AnyInput();
    Mutate();
    RunTarget();
  }
  std::printf("%zu of random damage\n", tried);
  return 0;
}
