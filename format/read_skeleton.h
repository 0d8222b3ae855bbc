// Reads a network file, but for its weights.
//
// Weights are most of a file, and floats of four bytes where the integer engine wants one: whoever
// lays a network out reads those of a layer when it comes to it (NetworkFile::Weights()), so that
// the file is never in memory as a whole.
#ifndef CSSRUN_FORMAT_READ_SKELETON_H_
#define CSSRUN_FORMAT_READ_SKELETON_H_

#include <cstddef>
#include <string>

#include "cssrun/status.h"
#include "format/file_bytes.h"

namespace cssrun::format {

// Vectors of weights below this many bytes are read like everything else.
constexpr size_t kFewWeightBytes = size_t{64} << 10;

// As ReadFileBytes(), but pages that seem to hold nothing but weights are left out and are 0. Where
// they are is guessed by following offsets that nobody has verified, so a damaged file may have
// other bytes left out; the result never changes, so that what is verified in it stays verified.
Result<FileBytes> ReadSkeleton(int descriptor, const std::string& name, size_t limit);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_READ_SKELETON_H_
