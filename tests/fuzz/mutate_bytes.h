// Random damage to bytes, without looking at what they reach: what libFuzzer does better, for where
// there is none.
#ifndef CSSRUN_TESTS_FUZZ_MUTATE_BYTES_H_
#define CSSRUN_TESTS_FUZZ_MUTATE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace cssrun::fuzz {

// One to four changes: bits, bytes, numbers at the edge of their range, parts left out, repeated or
// taken from `other`. At most `most` bytes are left.
void MutateBytes(std::mt19937& random, const std::vector<uint8_t>& other, size_t most,
                 std::vector<uint8_t>& bytes);

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_MUTATE_BYTES_H_
