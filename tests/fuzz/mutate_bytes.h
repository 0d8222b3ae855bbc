// Damages bytes at random, without looking at the code they reach. libFuzzer does this better; this
// is for builds without it.
#ifndef CSSRUN_TESTS_FUZZ_MUTATE_BYTES_H_
#define CSSRUN_TESTS_FUZZ_MUTATE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace cssrun::fuzz {

// Makes one to four changes: bits, bytes, numbers at the edge of their range, and parts that are
// left out, repeated or taken from `other`. Leaves at most `most` bytes.
void MutateBytes(std::mt19937& random, const std::vector<uint8_t>& other, size_t most,
                 std::vector<uint8_t>& bytes);

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_MUTATE_BYTES_H_
