// Converts bytes as cssconvert does a NIR model, and finds out who failed where HDF5's library or
// we did.
#ifndef CSSRUN_TESTS_FUZZ_IMPORT_NIR_H_
#define CSSRUN_TESTS_FUZZ_IMPORT_NIR_H_

#include <cstdint>
#include <span>

namespace cssrun::fuzz {

// kWeFailed: the process that read the file has ended in our code. The library may be at fault
// still: it writes beyond its memory, and whoever allocates next ends. valgrind tells.
enum class Imported : uint8_t { kConverted, kRefused, kLibraryFailed, kWeFailed };

// Ends the process unless the bytes are refused with one message, or become a network that loads
// and runs.
Imported ImportNir(std::span<const uint8_t> bytes);

// From now on a signal that would end this process, or a limit or timer of processor time, tells
// instead whose code it was: it exits with kLibraryFailed, with kLibraryIsSlow for a timer
// (SIGPROF), or with kWeFailed.
void JudgeSignals();
inline constexpr int kLibraryFailed = 4;
inline constexpr int kLibraryIsSlow = 6;
inline constexpr int kWeFailed = 3;

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_IMPORT_NIR_H_
