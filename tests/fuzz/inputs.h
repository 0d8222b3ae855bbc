// Inputs of programs that damage files: where they come from, and the one that failed.
#ifndef CSSRUN_TESTS_FUZZ_INPUTS_H_
#define CSSRUN_TESTS_FUZZ_INPUTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cssrun::fuzz {

constexpr size_t kMostBytes = 65536;  // a NIR file of a few nodes has 20,000

// `path`, or all files below it in the order of their names.
std::vector<std::string> FilesIn(const std::string& path);

// Ends the process if the file cannot be read.
std::vector<uint8_t> ReadInput(const std::string& path);

// From now on, whatever `input` holds when a signal ends this process is left in ./failed_input.
void KeepFailedInput(const std::vector<uint8_t>& input);

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_INPUTS_H_
